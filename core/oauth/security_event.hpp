// What an identity provider says of somebody who is to be known no longer: logout tokens (OpenID Connect
// Back-Channel Logout 1.0) and security event tokens (RFC 8417, OpenID SSF and CAEP).
#pragma once

#include "core/base/time_point.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// The longest that is looked into.
inline constexpr std::size_t longest_security_event = 16 * 1024;
/// An event that is older is refused: by then nobody remembers whether it was heard of before.
inline constexpr std::chrono::hours oldest_security_event{7 * 24};

/// What a token has to say.
struct event_expectation {
    std::string issuer;
    std::vector<std::string> audience; ///< one of them
    std::vector<std::string> algorithms{"RS256", "PS256", "ES256", "EdDSA"};
    std::chrono::seconds leeway{30};
    time_point now;
};

/// Why a token is not believed. Its word is all that the log and the sender hear.
enum class event_fault {
    malformed, ///< no signed JWT, or too long
    type,      ///< a JWT of another kind: an ID token, an access token, the other one of these two
    algorithm,
    key,  ///< its key is not in the issuer's set
    keys, ///< that set can't be read
    signature,
    issuer,
    audience,
    expired, ///< or too old
    early,   ///< issued in the future
    claims,  ///< `jti`, `iat`, `events`, or whom it is about, is missing or makes no sense
};
std::string_view to_string(event_fault f) noexcept;

/// Whom an event is about (RFC 9493). Members that are not said are empty.
struct event_subject {
    std::string issuer, subject; ///< `iss_sub`, or `sub` of a logout token
    std::string session;         ///< `sid`, or the session of a complex subject
    std::string email;
    bool known() const noexcept { return !(subject.empty() && session.empty() && email.empty()); }
};

/// What an event means for who is known here. The later, the stronger.
enum class identity_change {
    none,    ///< nothing: an event that we do not know, or a change for the better
    check,   ///< the transmitter tries whether it is heard (SSF verification)
    stream,  ///< its stream was enabled, paused or disabled
    renewed, ///< what tokens of before say is not true any more: newer ones are wanted
    ended,   ///< signed out, revoked: nothing of before counts
};

/// What a good one says.
struct identity_event {
    std::string id; ///< `jti`
    identity_change change = identity_change::none;
    std::string what; ///< the event, e.g. "session-revoked"; of a stream its new status
    time_point at;    ///< when it happened: its own time, else `iat`
    std::vector<event_subject> about;
};

/// Either.
struct checked_event {
    std::optional<event_fault> why;
    identity_event event;
};

/// Back-Channel Logout 1.0 section 2.6: shape, type, signature (against a JWKS document), `iss`, `aud`,
/// `iat`, `exp`, `jti`, `sub` or `sid`, the event, and no `nonce`.
checked_event check_logout_token(std::string_view token, std::string_view jwks,
                                 const event_expectation& expected);
/// RFC 8417 section 2.2 and SSF 1.0: the same for a security event token, which must call itself
/// `secevent+jwt` (RFC 8725 section 3.11).
checked_event check_security_event(std::string_view token, std::string_view jwks,
                                   const event_expectation& expected);

} // namespace reauth
