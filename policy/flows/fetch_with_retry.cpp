// Pauses between tries.
#include "policy/flows/fetch_with_retry.hpp"

#include "core/http/http_date.hpp"

#include <algorithm>

namespace reauth {

std::optional<std::chrono::milliseconds> next_pause(const retry_schedule& retry, std::size_t tries_done,
                                                    const http_response* answer,
                                                    std::optional<time_point> now) {
    if (tries_done == 0 || tries_done > retry.pauses.size())
        return std::nullopt;
    const auto scheduled = retry.pauses[tries_done - 1];
    const auto asked = answer ? retry_after(*answer, now) : std::nullopt;
    if (!asked)
        return scheduled;
    if (*asked > retry.retry_after_cap)
        return std::nullopt;
    return std::max<std::chrono::milliseconds>(*asked, scheduled);
}

failure given_up(failure why, const result<http_response>& answer, time_point now) {
    if (answer)
        why.retry_after = retry_after(*answer, now);
    return why;
}

} // namespace reauth
