// The credential as the data path sees it: ready to be sent, immutable, swapped whole.
#pragma once

#include "core/oauth/credential.hpp"

#include <atomic>
#include <chrono>
#include <memory>

namespace reauth {

/// A published credential. `header_line` is the whole Authorization line with CRLF, prepared once.
struct credential_snapshot {
    credential held;
    secret header_line;
    std::chrono::steady_clock::time_point expires_at = std::chrono::steady_clock::time_point::max();
    /// From here on a request that uses it also asks for its renewal in the background.
    std::chrono::steady_clock::time_point renew_at = std::chrono::steady_clock::time_point::max();
    bool renewable = false; ///< silently, by refresh or by a new token
    /// A request was answered with it, whichever worker's: written once, so that it stays in every core's
    /// cache.
    mutable std::atomic<bool> worked{false};

    std::uint64_t generation() const noexcept { return held.generation; }
    bool dpop() const noexcept { return !held.dpop_key.empty(); }
};

using snapshot_ptr = std::shared_ptr<const credential_snapshot>;

/// One (upstream, principal) as a worker keeps it.
struct worker_credential {
    snapshot_ptr current;
    /// Control has said what is held; of a principal from outside nothing is sent before.
    bool loaded = false;
    // what the policy of a routing table says of all its requests; worked out once
    std::uint64_t judged_for = 0;    ///< routing_table::version
    std::uint64_t judged_groups = 0; ///< caller::groups_key
    bool passes = false;             ///< `pass` whatever happens
    bool approves_calls = false;     ///< a rule wants calls approved before they are sent

    std::uint64_t renewal_asked_for = 0; ///< generation that a background renewal was asked for
    std::string dpop_nonce;              ///< last nonce of the resource server (RFC 9449 §9)
};

} // namespace reauth
