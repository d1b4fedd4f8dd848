// The clock that load is measured with.
#pragma once

#include <cstdint>
#include <ctime>

namespace reauth::bench {

/// Nanoseconds of the monotonic clock.
inline std::uint64_t now() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

} // namespace reauth::bench
