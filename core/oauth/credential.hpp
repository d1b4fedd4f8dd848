// What is held for one (principal, upstream, issuer): tokens, scope, expiry.
#pragma once

#include "core/base/secret.hpp"
#include "core/base/time_point.hpp"
#include "core/oauth/metadata_json.hpp"
#include "core/oauth/scope.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace reauth {

/// Tokens for one (principal, upstream, issuer). An immutable snapshot once it is published.
struct credential {
    secret access_token;
    std::string token_type = "Bearer"; ///< Bearer or DPoP, as the token endpoint said; or as configured
    std::string header;   ///< the field that a configured token is sent in; empty: Authorization. Not stored
    secret refresh_token; ///< empty: none
    scope_set requested;  ///< what we asked for: silent renewal asks for exactly this
    scope_set granted;    ///< what the token response said; as requested where it said nothing
    std::string issuer;   ///< exact issuer string of the authorization server
    std::string origin;   ///< scheme://host[:port] of the upstream it is for: it goes nowhere else
    /// Digest of the configured header fields it was obtained with (they name tenants); "-": none; empty:
    /// records of before it was kept.
    std::string headers;
    std::string subject;   ///< whom an ID token names; empty: not known
    std::string account;   ///< as people know it: an address or a name; empty: not known
    std::string resource;  ///< the RFC 8707 resource it was asked with; empty: none was sent
    std::string client_id; ///< the client it was issued to
    time_point obtained_at{};
    std::optional<time_point> expires_at; ///< absolute; nothing: the server did not say
    secret dpop_key;                      ///< private JWK (JSON) the token is bound to; empty: Bearer
    std::uint64_t generation = 0;         ///< rises with every credential stored for this key
    /// Where it was obtained, so that a refresh needs no discovery; nullptr: records of before it was kept.
    std::shared_ptr<const known_server> found;
    /// Which form of a refresh its server takes: with `scope`, or without; nothing: the usual one, with.
    std::optional<bool> refresh_with_scope;

    bool expired_at(time_point now) const { return expires_at && *expires_at <= now; }
};

} // namespace reauth
