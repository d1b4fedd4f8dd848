// A sign-in that another program has made, taken into the vault.
#pragma once

#include "conf/config.hpp"
#include "core/mcp/mcp_remote.hpp"
#include "proxy/recovery/fetcher.hpp"
#include "proxy/vault/credential_store.hpp"

namespace reauth {

/// What became of it.
struct imported_login {
    std::string issuer;
    bool renewable = false; ///< a refresh token, and the client it was issued to
    std::optional<time_point> expires_at;
};

/// Looks the upstream's authorization server up (a refresh has to know it), and stores the credential of the
/// principal `local` with its client. fault::invalid_configuration: another credential is held already, or
/// the login is of another issuer than the upstream's; else what discovery or the vault says.
task<result<imported_login>> import_login(executor ex, fetcher& network, credential_store& store,
                                          upstream_config upstream, mcp_remote_login login,
                                          fetch_options options);

} // namespace reauth
