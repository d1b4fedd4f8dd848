// Who calls, and what shows it.
#pragma once

#include "conf/callers.hpp"
#include "core/base/secret.hpp"
#include "core/base/time_point.hpp"
#include "proxy/relay/principal.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// Immutable; shared by all requests of the same token, certificate or word of a gateway.
struct caller {
    principal_id principal;
    caller_proof proof = caller_proof::bearer;
    std::vector<std::string> groups; ///< sorted
    std::uint64_t groups_key = 0;    ///< the same for the same groups; 0: none
    /// Its Authorization was meant for us, and goes no further.
    bool by_authorization = false;
    std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
    // of a token
    bool id_token = false;
    time_point expires_at{};                        ///< `exp`
    std::optional<time_point> issued_at;            ///< `iat`
    std::uint64_t subject_key = 0, session_key = 0; ///< identity_key() of `sub` and `sid`; 0: none

    bool is_known_as(std::uint64_t key) const noexcept { return key == subject_key || key == session_key; }
    /// Sets the groups, which are sorted, and their key.
    void be_in(std::vector<std::string> all);
};

/// What is configured owns nothing: it lives with its routing table.
using caller_ptr = std::shared_ptr<const caller>;

/// What a caller has shown us, for whoever acts as it (RFC 8693).
struct caller_token {
    secret token;
    bool id_token = false;
    time_point expires_at{};
};

} // namespace reauth
