// One refresh request; what the answer leaves out stays as it was.
#include "policy/refresh_flow.hpp"

#include "policy/token_flow.hpp"

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

/// A refresh may ask for no more than was granted (RFC 6749 §6); without `scope` it means just that.
scope_set refresh_scope(const credential& held) {
    if (held.granted.empty() || held.granted == held.requested)
        return held.requested;
    return {};
}

} // namespace

flow<result<credential>> refresh_credential(const flow_environment& env, refresh_inputs inputs) {
    auto checked = check_refreshable(inputs);
    if (!checked)
        co_return checked.error();
    const auto scope = refresh_scope(inputs.held);
    token_question question;
    question.build = [&env, &inputs, &scope] {
        const token_call call{inputs.server, inputs.client.identity, env.now(), env.random};
        return refresh_request(call, inputs.held.refresh_token, scope, inputs.held.resource);
    };
    question.dpop_key = inputs.held.dpop_key;
    question.retry = inputs.retry;
    question.purpose = "token refresh";
    auto inner = ask_token_endpoint(env, std::move(question));
    auto response = co_await inner;
    if (!response)
        co_return response.error();
    credential_context context;
    context.requested = inputs.held.requested;
    context.issuer = inputs.held.issuer;
    context.resource = inputs.held.resource;
    context.client_id = inputs.client.identity.id;
    context.dpop_key = inputs.held.dpop_key;
    context.now = env.now();
    co_return make_credential(*response, context, &inputs.held);
}

bool ends_grant(const failure& why) {
    return why.oauth_error == "invalid_grant";
}

} // namespace reauth
