// Many event streams at once: how late events come, and a crowd that stays and says nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reauth::bench {

struct stream_outcome {
    std::vector<std::uint64_t> delays; ///< nanoseconds from the upstream's time stamp to our read
    double seconds = 0;
};

/// Opens `streams` event streams and reads their events for `seconds`, after one second of warming up.
stream_outcome read_events(std::uint16_t port, const std::string& path, unsigned streams, double seconds);

/// Opens `streams` streams, waits until each has said something, prints "ready", and holds them until
/// standard input closes. False if not all came within `limit` seconds.
bool hold_streams(std::uint16_t port, const std::string& path, unsigned streams, double limit);

} // namespace reauth::bench
