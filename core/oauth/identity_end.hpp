// The end of an identity, as processes and workers tell it each other.
#pragma once

#include "core/base/time_point.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace reauth {

/// How somebody can be named in an end.
enum class identity_kind {
    principal, ///< as we call them; no issuer
    subject,   ///< `sub` at an issuer
    session    ///< `sid` at an issuer: a login there, or one at our page
};

/// 64 bits of SHA-256 over kind, issuer and value: what workers compare. Never 0.
std::uint64_t identity_key(identity_kind kind, std::string_view issuer, std::string_view value);

/// Nothing that was issued, begun or held for them until `at` counts any more.
struct ended_identity {
    identity_kind kind = identity_kind::principal;
    std::string issuer, value;
    time_point at{};
    std::string why;      ///< for the audit: "back-channel logout", "session-revoked", "operator" …
    bool renewed = false; ///< they are still who they are: only what says so is to be had anew
    bool done = false;    ///< of a principal: what the vault holds of it is buried

    std::uint64_t key() const { return identity_key(kind, issuer, value); }
};

} // namespace reauth
