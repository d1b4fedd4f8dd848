// An authorization that a person was sent to: everything its callback needs, also after a restart.
#pragma once

#include "core/oauth/authorization.hpp"
#include "core/oauth/metadata.hpp"
#include "core/oauth/registration.hpp"
#include "policy/flows/flow_environment.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

/// What the callback is for.
enum class authorization_kind {
    login,
    idp_login,
    page ///< somebody signs in to our page; `approval_id` is where they wanted to go
};

/// Kept in the vault under pending_key(state) until the callback takes it.
struct pending_authorization {
    authorization_kind kind = authorization_kind::login;
    std::string approval_id; ///< the approval it belongs to; set by the caller, may be empty
    std::string upstream;
    std::string principal = "local";
    std::string identity_provider; ///< for idp_login: its name
    secret state;
    secret verifier;
    std::string nonce; ///< OIDC; empty: none was sent
    /// The parts of the server that the callback needs: issuer, token_endpoint, jwks_uri,
    /// revocation_endpoint, and whether `iss` is required.
    authorization_server server;
    registered_client client;
    std::string redirect_uri;
    std::string resource;
    scope_set scopes;
    std::string acr_values;                      ///< RFC 9470: as it was asked for
    std::optional<std::chrono::seconds> max_age; ///< …
    secret dpop_key;                             ///< empty: Bearer
    std::string browser_binding_hash; ///< SHA-256 of the cookie, base64url; empty: not bound to a browser
    std::string location;             ///< the authorization URL
    /// A pushed one's end (RFC 9126 §2.2): nobody is sent there later. Nothing: it lives as long as the flow.
    std::optional<time_point> location_until;
    time_point created_at{}, expires_at{};

    // a device login (RFC 8628): no callback comes, the token endpoint is asked
    secret device_code; ///< empty: a browser's login
    std::string user_code, verification_uri;
    std::chrono::seconds interval{5};

    bool by_device() const noexcept { return !device_code.empty(); }
    /// As the upstream is configured when the callback comes; not stored.
    bool id_token_is_bearer = false;

    bool expired_at(time_point now) const { return expires_at <= now; }
};

/// For the vault.
secret pending_to_json(const pending_authorization& pending);
/// fault::vault_unavailable if it is not what pending_to_json wrote.
result<pending_authorization> pending_from_json(const secret& text);

/// The vault key of a flow: a digest, since the state itself is secret.
std::string pending_key(std::string_view state);

/// The check before a callback's flow continues: fresh, and in the browser it was started in.
/// fault::approval_timeout if it is too old, reauth_failed if the browser is another one.
result<void> check_pending(const pending_authorization& pending,
                           const std::optional<std::string>& browser_binding, time_point now);

} // namespace reauth
