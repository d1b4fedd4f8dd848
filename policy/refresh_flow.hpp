// Silent renewal with a refresh token (RFC 6749 §6).
#pragma once

#include "core/metadata.hpp"
#include "core/registration.hpp"
#include "policy/flow.hpp"
#include "policy/flow_environment.hpp"

namespace reauth {

/// What is renewed, and where.
struct refresh_inputs {
    authorization_server server;
    registered_client client;
    credential held;
    retry_schedule retry;
};

/// The renewed credential; store it before it is used. The stored resource is sent, the old refresh token
/// stays if none is returned. `scope` is the stored set; it is left out where the server granted another set
/// than was asked for, since a refresh may not ask for more than was granted. Failures: reauth_failed with
/// oauth_error `invalid_grant` ends the grant (re-read the vault first, another holder may have won);
/// issuer_changed if the credential is of another issuer; everything transient leaves the refresh token good.
flow<result<credential>> refresh_credential(const flow_environment& env, refresh_inputs inputs);

/// Whether a failure ends the grant for good: the refresh token is dead.
bool ends_grant(const failure& why);

} // namespace reauth
