// How far an event stream was read, and when it may be asked for again.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

namespace reauth {

struct reading_point {
    std::string last_id;
    std::optional<std::chrono::milliseconds> retry; ///< as the server wishes
    bool moved = false;                             ///< something came since it was last cleared
    unsigned in_vain = 0;                           ///< streams that have ended since the last message

    /// After so many failures in a row: as the server wishes, or a second, but never less than a floor, and
    /// ever longer while nothing comes of it, whatever the server wishes (WHATWG HTML, server-sent events,
    /// "Reestablish the connection"; SEP-1699: a server that answers by and by may end many streams before
    /// there is a message).
    std::chrono::milliseconds pause(unsigned failures) const {
        using std::chrono::milliseconds;
        constexpr milliseconds floor{250}, usual{1'000}, most{30'000}, most_in_vain{5'000},
            most_wished{300'000};
        const auto wished = std::clamp(retry.value_or(usual), floor, most_wished);
        const auto grown = [&](unsigned times, milliseconds limit) {
            auto wait = wished;
            for (unsigned i = 0; i < times && wait < limit; ++i)
                wait += std::max(wait / 2, floor);
            return std::max(wished, std::min(wait, limit));
        };
        return std::max(grown(failures, most), grown(in_vain > 0 ? in_vain - 1 : 0, most_in_vain));
    }
};

} // namespace reauth
