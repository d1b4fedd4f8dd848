// The authorization URL, and what its callback becomes.
#include "policy/authorization_flow.hpp"

#include "core/dpop.hpp"
#include "core/pkce.hpp"
#include "policy/code_redemption.hpp"
#include "policy/token_flow.hpp"

namespace reauth {

result<begun_authorization> begin_authorization(const flow_environment& env, authorization_inputs inputs) {
    auto safe = check_pkce(inputs.server, inputs.allow_missing_pkce);
    if (!safe)
        return safe.error();
    // Alone it would replace the server's default scopes, so it is only added to others.
    if (!inputs.scopes.empty() && inputs.server.offers_offline_access())
        inputs.scopes.add("offline_access");
    auto key = dpop_key_for(inputs.dpop, {});
    if (!key)
        return key.error();
    if (!key->empty()) {
        auto thumbprint = dpop_thumbprint(*key);
        if (!thumbprint)
            return thumbprint.error();
        inputs.authorize_params.emplace_back("dpop_jkt", std::move(*thumbprint));
    }
    auto begun = open_front_channel(env, inputs, {});
    if (begun)
        begun->pending.dpop_key = std::move(*key);
    return begun;
}

flow<result<credential>> finish_authorization(const flow_environment& env, pending_authorization pending,
                                              authorization_callback callback,
                                              std::optional<std::string> browser_binding) {
    auto code = accept_callback(env, pending, callback, browser_binding);
    if (!code)
        co_return code.error();
    auto inner = redeem_code(env, pending, std::move(*code));
    auto response = co_await inner;
    if (!response)
        co_return response.error();
    co_return login_credential(pending, *response, env.now());
}

result<credential> login_credential(const pending_authorization& pending, const token_response& response,
                                    time_point now) {
    credential_context context;
    context.requested = pending.scopes;
    context.issuer = pending.server.issuer;
    context.resource = pending.resource;
    context.client_id = pending.client.identity.id;
    context.dpop_key = pending.dpop_key;
    context.now = now;
    context.id_token_is_bearer = pending.id_token_is_bearer;
    return make_credential(response, context, nullptr);
}

} // namespace reauth
