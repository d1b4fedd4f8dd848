// What flows need of the world as values: the clock and randomness.
#pragma once

#include "core/crypto/random.hpp"
#include "core/oauth/credential.hpp"

#include <chrono>
#include <functional>
#include <vector>

namespace reauth {

/// Given to every flow by reference; must outlive it.
struct flow_environment {
    std::function<time_point()> now;
    random_source random;
};

/// Pauses between tries after an answer that may be better later (503, 429, 5xx, no answer at all).
struct retry_schedule {
    std::vector<std::chrono::milliseconds> pauses{
        std::chrono::milliseconds(200), std::chrono::milliseconds(500), std::chrono::milliseconds(1000)};
    /// A Retry-After is honoured up to this; a longer one ends the tries.
    std::chrono::milliseconds retry_after_cap{5000};

    /// One try only.
    static retry_schedule never() { return {{}, std::chrono::milliseconds(0)}; }
};

} // namespace reauth
