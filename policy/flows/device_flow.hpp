// The device grant (RFC 8628) as a way to sign in: at an authorization server and at an identity provider
// alike.
#pragma once

#include "core/oauth/token.hpp"
#include "policy/flows/authorization_flow.hpp"
#include "policy/flows/idp_session.hpp"

namespace reauth {

/// Asks for a code. The flow's `location` is where the person goes; store `pending` before anyone sees it.
flow<result<begun_authorization>> begin_device_login(const flow_environment& env,
                                                     authorization_inputs inputs);

/// One question to the token endpoint: whether the person is done. See ask_device_again().
flow<result<token_response>> ask_device_token(const flow_environment& env,
                                              const pending_authorization& pending);

/// What came, as a session at the identity provider: its ID token is checked like after a browser's login.
flow<result<idp_session>> device_session(const flow_environment& env, pending_authorization pending,
                                         token_response response);

/// A failure that says what became of the code: expired_token is fault::approval_timeout, access_denied
/// fault::approval_denied.
failure device_failure(failure why);

} // namespace reauth
