// Giving tokens back on logout (RFC 7009).
#pragma once

#include "core/metadata.hpp"
#include "core/registration.hpp"
#include "policy/flow.hpp"
#include "policy/flow_environment.hpp"

namespace reauth {

/// What is revoked, and where.
struct revocation_inputs {
    authorization_server server;
    registered_client client;
    credential held;
};

/// Revokes the refresh token, then the access token. Without a revocation_endpoint there is nothing to do and
/// that is success. One attempt each; a failure says which token may live on.
flow<result<void>> revoke_credential(const flow_environment& env, revocation_inputs inputs);

} // namespace reauth
