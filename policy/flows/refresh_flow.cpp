// One refresh request; what the answer leaves out stays as it was.
#include "policy/flows/refresh_flow.hpp"

#include "core/text/ascii.hpp"
#include "policy/flows/discovery_flow.hpp"
#include "policy/flows/registration_flow.hpp"
#include "policy/flows/token_flow.hpp"

namespace reauth {
namespace {

result<void> check_refreshable(const refresh_inputs& in) {
    failure f;
    if (in.held.refresh_token.empty()) {
        f.code = fault::reauth_failed;
        f.message = "no refresh token is held";
        f.fix = "log in again";
        return f;
    }
    const bool foreign_client =
        in.client.issuer != in.server.issuer && in.client.origin != client_origin::metadata_document;
    if (in.held.issuer == in.server.issuer && !foreign_client)
        return {};
    f.code = fault::issuer_changed;
    f.message = "the credential belongs to the authorization server " + in.held.issuer + ", not to " +
                in.server.issuer;
    f.fix = "log in again";
    return f;
}

/// A refresh must not ask for what was not granted (RFC 6749 section 6): where less was granted than asked
/// for, it begins without `scope`. Where what was granted has other names (Entra), the requested set is the
/// one to send.
bool narrowed(const credential& held) {
    return !held.granted.empty() && held.requested.covers(held.granted) &&
           !held.granted.covers(held.requested);
}

/// Whether the refusal is about the `scope` parameter, or about its absence (RFC 6749 section 6 leaves both
/// open): then the other form is worth one request. The refresh token was not taken, so it is not spent.
bool about_scope(const failure& why) {
    if (why.code != fault::reauth_failed || why.transient)
        return false;
    if (why.oauth_error == "invalid_scope" || why.oauth_error == "invalid_request")
        return true;
    const auto text = ascii_lower(why.message);
    // Entra's numbers: the scope is not valid, and a required parameter (scope) is missing
    return text.find("scope") != text.npos || text.find("aadsts70011") != text.npos ||
           text.find("aadsts90014") != text.npos;
}

/// The token endpoint that was known is no more; the issuer may have moved it.
bool endpoint_gone(const failure& why) {
    return why.status == 404 || why.status == 405 || why.status == 410;
}

flow<result<token_response>> ask_refresh(const flow_environment& env, const refresh_inputs& inputs,
                                         bool with_scope) {
    const auto scope = with_scope ? inputs.held.requested : scope_set();
    token_request_spec question;
    question.build = [&env, &inputs, &scope] {
        const token_call call{inputs.server, inputs.client.identity, env.now(), env.random};
        return refresh_request(call, inputs.held.refresh_token, scope, inputs.held.resource);
    };
    question.dpop_key = inputs.held.dpop_key;
    question.retry = inputs.retry;
    question.purpose = "token refresh";
    auto inner = ask_token_endpoint(env, std::move(question));
    co_return co_await inner;
}

} // namespace

flow<result<credential>> refresh_credential(const flow_environment& env, refresh_inputs inputs) {
    auto checked = check_refreshable(inputs);
    if (!checked)
        co_return checked.error();
    bool with_scope = inputs.held.refresh_with_scope.value_or(!narrowed(inputs.held));
    auto first = ask_refresh(env, inputs, with_scope);
    auto response = co_await first;
    if (!response && endpoint_gone(response.error())) {
        auto looking = discover_issuer(inputs.held.issuer, inputs.http);
        auto now = co_await looking;
        if (now && !now->token_endpoint.empty() && now->token_endpoint != inputs.server.token_endpoint) {
            inputs.server = std::move(*now);
            auto moved = ask_refresh(env, inputs, with_scope);
            response = co_await moved;
        }
    }
    std::optional<bool> other_form;
    if (!response && !inputs.held.requested.empty() && about_scope(response.error())) {
        with_scope = !with_scope;
        auto again = ask_refresh(env, inputs, with_scope);
        auto other = co_await again;
        if (other)
            other_form = with_scope;
        if (other || other.error().oauth_error == "invalid_grant" || other.error().transient)
            response = std::move(other);
    }
    if (!response)
        co_return with_advice_for(response.error(), inputs.client);
    credential_context context;
    context.requested = inputs.held.requested;
    context.issuer = inputs.held.issuer;
    context.resource = inputs.held.resource;
    context.client_id = inputs.client.identity.id;
    context.dpop_key = inputs.held.dpop_key;
    context.now = env.now();
    context.id_token_is_bearer = inputs.id_token_is_bearer;
    auto fresh = make_credential(*response, context, &inputs.held);
    if (fresh && other_form)
        fresh->refresh_with_scope = other_form;
    co_return fresh;
}

bool ends_grant(const failure& why) {
    return why.oauth_error == "invalid_grant";
}

bool wants_login(const failure& why) {
    const auto& word = why.oauth_error;
    return word == "interaction_required" || word == "login_required" ||
           why.message.find("AADSTS70043") != std::string::npos;
}

bool refuses_refresh(const failure& why) {
    return why.code == fault::reauth_failed && !why.transient;
}

} // namespace reauth
