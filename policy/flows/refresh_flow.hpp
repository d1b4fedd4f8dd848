// Silent renewal with a refresh token (RFC 6749 §6).
#pragma once

#include "core/oauth/metadata.hpp"
#include "core/oauth/registration.hpp"
#include "core/oauth/token.hpp"
#include "policy/flows/flow.hpp"
#include "policy/flows/flow_environment.hpp"

namespace reauth {

/// What is renewed, and where.
struct refresh_inputs {
    authorization_server server;
    registered_client client;
    credential held;
    retry_schedule retry;
    bool id_token_is_bearer = false;
    plain_http http = plain_http::on_loopback; ///< where its endpoints may be
};

/// The renewed credential; store it before it is used. The stored resource and scope set are sent (no `scope`
/// where less was granted than asked for), the old refresh token stays if none is returned. A server that
/// refuses `scope`, or its absence, is asked once in the other form, which the credential remembers; one
/// whose token endpoint is gone is looked up once. Failures: reauth_failed with oauth_error `invalid_grant`
/// ends the grant (re-read the vault first, another holder may have won), any other that refuses_refresh()
/// refuses it for now; issuer_changed if the credential is of another issuer; everything transient leaves the
/// refresh token good.
flow<result<credential>> refresh_credential(const flow_environment& env, refresh_inputs inputs);

/// Whether a failure ends the grant for good: the refresh token is dead.
bool ends_grant(const failure& why);
/// The provider wants the person to sign in again although its session lives: it says so with the code or the
/// refresh token (OIDC Core section 3.1.2.6; Entra's sign-in frequency). A login without `prompt=login` would
/// end the same way.
bool wants_login(const failure& why);
/// Whether the server refused in so many words, or with a bare 4xx: the next step is tried, and the refresh
/// token, which may be good again when the cause is mended, not before a minute has passed.
bool refuses_refresh(const failure& why);

} // namespace reauth
