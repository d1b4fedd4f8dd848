// Whose a credential is, and what it is bound to.
#pragma once

#include "policy/flows/discovery_flow.hpp"
#include "policy/rules/grant.hpp"
#include "policy/rules/rules.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace reauth {

/// A credential goes nowhere but to the origin and resource that it was obtained for (RFC 8707): another
/// origin, resource, grant or set of headers is another life.
struct credential_binding {
    std::string principal = "local";
    std::string upstream; ///< its name; of a session: the identity provider's
    std::string url;      ///< of the upstream; of a session: the issuer
    std::string resource = "auto";
    grant_kind grant = grant_kind::authorization_code;
    std::optional<scope_set> scopes; ///< as configured
    scope_set always_asked;          ///< beside whatever is asked for: `openid` for ID tokens
    std::string headers = "-";       ///< as credential::headers: another tenant's credential is not used
    std::string issuer;              ///< `client.issuer`; empty: not named
    configured_server_settings server{};
    bool exchange_login =
        false;                 ///< token_exchange: a person may be asked for the ordinary login (`fallback`)
    bool browser_login = true; ///< false: on another device, with a code
    bool may_push = true;      ///< authorization requests (RFC 9126)
    bool one_of_accounts = false; ///< there are several: a person is asked which it is to be
    bool supplied = false;        ///< the configuration supplies the token: no login, no sign-out
    std::shared_ptr<const rule_set> rules;
    std::chrono::milliseconds approval_lifetime{15 * 60 * 1000};

    /// A session at an identity provider (ours, not supplied).
    bool session() const noexcept { return grant == grant_kind::idp_session; }
    /// Whether a stored credential may be used here.
    bool covers(const credential& c) const;
    /// What is held for the one is of no use for the other.
    bool moved_from(const credential_binding& before) const;
};

} // namespace reauth
