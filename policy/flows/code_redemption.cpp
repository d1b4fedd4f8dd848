// A callback's parameters checked against what was begun (RFC 9207, PKCE), and the code redeemed.
#include "policy/flows/code_redemption.hpp"

#include "core/crypto/pkce.hpp"
#include "core/text/display_text.hpp"
#include "policy/flows/registration_flow.hpp"
#include "policy/flows/token_flow.hpp"

namespace reauth {

result<begun_authorization> open_front_channel(const flow_environment& env,
                                               const authorization_inputs& inputs, const std::string& nonce) {
    if (inputs.server.authorization_endpoint.empty()) {
        auto f = inputs.server.without("authorization_endpoint");
        f.fix +=
            ", or use another grant for this upstream (client_credentials, enterprise, jwt_bearer, static)";
        return f;
    }
    begun_authorization begun;
    auto& p = begun.pending;
    auto pkce = make_pkce(env.random);
    p.approval_id = inputs.approval_id;
    p.upstream = inputs.upstream;
    p.principal = inputs.principal;
    p.state = secret(random_token(env.random));
    p.verifier = std::move(pkce.verifier);
    p.nonce = nonce;
    p.server = inputs.server;
    p.client = inputs.client;
    p.redirect_uri = inputs.redirect_uri;
    p.resource = inputs.resource;
    p.scopes = inputs.scopes;
    p.acr_values = inputs.acr_values;
    p.max_age = inputs.max_age;
    p.created_at = env.now();
    p.expires_at = p.created_at + inputs.lifetime;
    if (inputs.bind_to_browser) {
        begun.browser_binding = secret(random_token(env.random));
        p.browser_binding_hash = pending_key(begun.browser_binding.reveal());
    }
    authorization_request request;
    request.endpoint = inputs.server.authorization_endpoint;
    request.http = inputs.http;
    request.client_id = inputs.client.identity.id;
    request.redirect_uri = inputs.redirect_uri;
    request.scope = inputs.scopes;
    request.state = std::string(p.state.reveal());
    request.code_challenge = pkce.challenge;
    request.resource = inputs.resource;
    request.nonce = nonce;
    request.extra = inputs.authorize_params;
    auto url = authorization_url(request);
    if (!url)
        return url.error();
    p.location = std::move(*url);
    begun.request = std::move(request);
    return begun;
}

result<secret> accept_callback(const flow_environment& env, const pending_authorization& pending,
                               const authorization_callback& callback,
                               const std::optional<std::string>& browser_binding) {
    auto fresh = check_pending(pending, browser_binding, env.now());
    if (!fresh)
        return fresh.error();
    callback_expectation expected;
    expected.state = pending.state;
    expected.issuer = pending.server.issuer;
    expected.iss_required = pending.server.authorization_response_iss_parameter_supported;
    auto code = check_callback(callback, expected);
    const auto& known = pending.server.scopes_supported;
    if (code || code.error().oauth_error != "invalid_scope" || !known || known->empty())
        return code;
    auto why = code.error();
    std::string list;
    for (const auto& scope : *known)
        list += (list.empty() ? "" : ", ") + scope;
    why.fix = "the server knows other scopes than those that were asked for: add to the upstream the line: "
              "scopes: [" +
              clean_text(list, 300) + "], or some of them";
    return why;
}

flow<result<token_response>> redeem_code(const flow_environment& env, const pending_authorization& pending,
                                         secret code) {
    token_request_spec question;
    question.build = [&env, &pending, &code] {
        const token_call call{pending.server, pending.client.identity, env.now(), env.random};
        return authorization_code_request(call, code, pending.verifier, pending.redirect_uri,
                                          pending.resource);
    };
    question.dpop_key = pending.dpop_key;
    question.retry = retry_schedule::never();
    question.purpose = "authorization code redemption";
    auto inner = ask_token_endpoint(env, std::move(question));
    auto response = co_await inner;
    if (!response)
        co_return with_advice_for(response.error(), pending.client);
    co_return response;
}

} // namespace reauth
