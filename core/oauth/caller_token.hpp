// Tokens that callers show us (RFC 9068, OpenID Connect Core): what must hold before one is believed (RFC
// 8725).
#pragma once

#include "core/base/time_point.hpp"
#include "core/oauth/scope.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// The longest that is looked into.
inline constexpr std::size_t longest_caller_token = 16 * 1024;

/// What a token has to say, and where it says who calls.
struct caller_expectation {
    std::string issuer;
    std::vector<std::string> audience; ///< one of them
    std::vector<std::string> algorithms;
    std::string principal = "sub"; ///< claim
    std::string groups = "groups"; ///< claim; `a.b` is member b of the object a, where no claim is called so
    scope_set scopes;              ///< all of them
    std::chrono::milliseconds leeway{30'000};
    time_point now;
};

/// Why a token is not believed: one word, which is all that its bearer hears.
enum class token_fault {
    malformed, ///< no signed JWT, or too long
    type,      ///< a JWT, but of another kind: an ID-JAG, a logout token, a security event, a refresh token …
    algorithm, ///< signed with what is not listed
    key,       ///< its key is not in the issuer's set
    keys,      ///< that set can't be read
    signature,
    issuer,
    audience,
    expired,
    early,     ///< not valid yet, or issued in the future
    principal, ///< the claim that names the caller is missing, no text, or too long
    ended, ///< it was issued before the identity ended: back-channel logout, a security event, an operator
    scope, ///< it is good, and lacks a scope that is demanded
};
std::string_view to_string(token_fault f) noexcept;

/// What a good one says.
struct caller_claims {
    std::string subject;                 ///< value of the principal claim; 1 to 255 bytes of anything
    std::vector<std::string> groups;     ///< sorted, each once
    time_point expires_at;               ///< `exp`, as it stands
    std::optional<time_point> issued_at; ///< `iat`
    std::string sub, sid;                ///< whom, and which session there, the issuer means; empty: not said
    bool id_token = false;               ///< an ID token, else an access token (RFC 8693 section 3)
};

/// Either. Of a token with token_fault::scope the claims are known too.
struct checked_caller {
    std::optional<token_fault> why;
    caller_claims claims;
};

/// Checks shape, type, signature (against a JWKS document), `iss`, `aud`, `exp`, `nbf`, `iat`, the principal
/// and the scopes, in that order.
checked_caller check_caller_token(std::string_view token, std::string_view jwks,
                                  const caller_expectation& expected);

/// The `iss` of a token that is not verified yet: which issuer's keys are to be asked for. Empty: it is no
/// JWT.
std::string issuer_claimed_by(std::string_view token);

} // namespace reauth
