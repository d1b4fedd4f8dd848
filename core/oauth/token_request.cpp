// Token, exchange and revocation requests.
#include "core/oauth/token.hpp"

#include "core/text/display_text.hpp"

namespace reauth {

result<http_request> post_form(const token_call& call, const std::string& endpoint, const char* name,
                               form_body form) {
    if (endpoint.empty())
        return call.server.without(name);
    http_request out;
    out.method = "POST";
    out.url = endpoint;
    // GitHub answers form-encoded unless asked
    out.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    auto applied = apply_client_auth(out, form, call.client, call.server.issuer, call.now, call.random);
    if (!applied)
        return applied.error();
    out.body = form.take();
    return out;
}

namespace {

result<http_request> finish(const token_call& call, form_body form) {
    return post_form(call, call.server.token_endpoint, "token_endpoint", std::move(form));
}

} // namespace

result<http_request> authorization_code_request(const token_call& call, const secret& code,
                                                const secret& verifier, std::string_view redirect_uri,
                                                std::string_view resource) {
    form_body form;
    form.add("grant_type", "authorization_code").add("code", code);
    form.add_if("code_verifier", verifier.reveal())
        .add_if("redirect_uri", redirect_uri)
        .add_if("resource", resource);
    return finish(call, std::move(form));
}

result<http_request> refresh_request(const token_call& call, const secret& refresh_token,
                                     const scope_set& scope, std::string_view resource) {
    form_body form;
    form.add("grant_type", "refresh_token").add("refresh_token", refresh_token);
    form.add_if("scope", scope.to_string()).add_if("resource", resource);
    return finish(call, std::move(form));
}

result<http_request> client_credentials_request(const token_call& call, const scope_set& scope,
                                                std::string_view resource) {
    form_body form;
    form.add("grant_type", "client_credentials");
    form.add_if("scope", scope.to_string()).add_if("resource", resource);
    return finish(call, std::move(form));
}

result<http_request> jwt_bearer_request(const token_call& call, const secret& assertion,
                                        const scope_set& scope, std::string_view resource) {
    form_body form;
    form.add("grant_type", grant_jwt_bearer).add("assertion", assertion);
    form.add_if("scope", scope.to_string()).add_if("resource", resource);
    return finish(call, std::move(form));
}

result<http_request> token_exchange_request(const token_call& call, const token_exchange& exchange) {
    form_body form;
    form.add("grant_type", grant_token_exchange);
    form.add_if("requested_token_type", exchange.requested_token_type);
    form.add_if("audience", exchange.audience).add_if("resource", exchange.resource);
    form.add_if("scope", exchange.scope.to_string());
    form.add("subject_token", exchange.subject_token).add("subject_token_type", exchange.subject_token_type);
    if (!exchange.actor_token.empty())
        form.add("actor_token", exchange.actor_token).add("actor_token_type", exchange.actor_token_type);
    return finish(call, std::move(form));
}

result<http_request> pushed_request(const token_call& call,
                                    const std::vector<std::pair<std::string, std::string>>& parameters) {
    form_body form;
    for (const auto& [name, value] : parameters)
        if (name != "client_id") // the authentication names it
            form.add(name, value);
    return post_form(call, call.server.pushed_authorization_request_endpoint,
                     "pushed_authorization_request_endpoint", std::move(form));
}

result<http_request> revocation_request(const token_call& call, const secret& token, std::string_view hint) {
    form_body form;
    form.add("token", token).add_if("token_type_hint", hint);
    return post_form(call, call.server.revocation_endpoint, "revocation_endpoint", std::move(form));
}

} // namespace reauth
