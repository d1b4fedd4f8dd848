// A request that is made again after trouble that passes: the one loop round next_pause().
#pragma once

#include "policy/flows/flow.hpp"
#include "policy/flows/flow_environment.hpp"

#include <functional>
#include <optional>

namespace reauth {

/// How long to wait before try number `tries_done` + 1; nothing: give up. `answer` may hold Retry-After (RFC
/// 9110 §10.2.3), in seconds or as a date.
std::optional<std::chrono::milliseconds> next_pause(const retry_schedule& retry, std::size_t tries_done,
                                                    const http_response* answer,
                                                    std::optional<time_point> now = std::nullopt);

/// `why` as it is told once no try is left: with what the answer asks to wait, so that nobody tries before.
failure given_up(failure why, const result<http_response>& answer, time_point now);

/// What an answer means for the loop.
template<class T>
struct tried {
    enum class then {
        keep,  ///< `outcome` is the end
        again, ///< at once, and it counts as no try
        later, ///< after a pause, as long as tries are left; then `outcome` is the end
    };
    result<T> outcome;
    then next = then::keep;
};

/// `build` makes the request of each try (assertions carry a fresh jti); `read` judges its answer.
template<class T>
struct retried_fetch {
    std::function<result<http_request>()> build;
    std::function<tried<T>(const result<http_response>&)> read;
    retry_schedule retry;
    const char* purpose = "";
};

/// `env` must outlive the flow.
template<class T>
flow<result<T>> fetch_with_retry(const flow_environment& env, retried_fetch<T> how) {
    std::size_t tries = 0;
    for (;;) {
        auto request = how.build();
        if (!request)
            co_return request.error();
        fetch ask{std::move(*request), how.purpose};
        const auto answer = co_await std::move(ask);
        auto seen = how.read(answer);
        if (seen.next == tried<T>::then::again)
            continue;
        if (seen.outcome || seen.next == tried<T>::then::keep)
            co_return std::move(seen.outcome);
        ++tries;
        const auto wait = next_pause(how.retry, tries, answer ? &*answer : nullptr, env.now());
        if (!wait)
            co_return given_up(seen.outcome.error(), answer, env.now());
        const pause rest{*wait};
        co_await rest;
    }
}

} // namespace reauth
