// What the two authorization code flows share: an upstream's login and the organisation's login.
#pragma once

#include "core/oauth/token.hpp"
#include "policy/flows/authorization_flow.hpp"

namespace reauth {

/// Makes state, verifier and browser binding, and the URL with `nonce` (empty: none).
result<begun_authorization> open_front_channel(const flow_environment& env,
                                               const authorization_inputs& inputs, const std::string& nonce);

/// All checks of a callback, before anything is sent anywhere: the code.
result<secret> accept_callback(const flow_environment& env, const pending_authorization& pending,
                               const authorization_callback& callback,
                               const std::optional<std::string>& browser_binding);

/// The one token request a code is good for. `pending` must outlive the flow.
flow<result<token_response>> redeem_code(const flow_environment& env, const pending_authorization& pending,
                                         secret code);

} // namespace reauth
