// One run of some work at a time: who comes while it is under way waits for it and shares its outcome.
#pragma once

#include "proxy/recovery/flow_driver.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace reauth {

/// Single-flight on the control thread. The object must outlive every run.
template<class T>
class joined_flight {
public:
    /// Runs `work`, or joins the run that is under way; everybody gets the same outcome.
    task<T> run(executor ex, std::function<task<T>()> work) {
        auto shared = current_;
        if (shared) {
            control_timer timer(ex, std::chrono::steady_clock::time_point::max());
            shared->sleepers.push_back(&timer);
            error_code ec;
            auto token = asio::redirect_error(use_task, ec);
            co_await timer.async_wait(token);
            co_return *shared->outcome;
        }
        auto mine = std::make_shared<flight>();
        current_ = mine;
        auto outcome = co_await work();
        mine->outcome = outcome;
        current_.reset();
        for (auto* sleeper : mine->sleepers)
            sleeper->cancel();
        co_return outcome;
    }

private:
    struct flight {
        std::optional<T> outcome;
        std::vector<control_timer*> sleepers;
    };
    std::shared_ptr<flight> current_;
};

} // namespace reauth
