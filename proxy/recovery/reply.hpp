// A value that one coroutine waits for and another part of the control thread gives.
#pragma once

#include "proxy/recovery/flow_driver.hpp"

#include <memory>
#include <optional>

namespace reauth {

/// Copies share the value. Control thread only.
template<class T>
class reply {
public:
    explicit reply(executor ex) : state_(std::make_shared<state>(ex)) {}

    /// The first value stays.
    void give(T value) const {
        if (state_->value)
            return;
        state_->value.emplace(std::move(value));
        state_->sleeper.cancel();
    }
    task<T> wait() const {
        auto shared = state_;
        if (!shared->value) {
            error_code ec;
            auto token = asio::redirect_error(use_task, ec);
            co_await shared->sleeper.async_wait(token);
        }
        co_return *shared->value;
    }

private:
    struct state {
        explicit state(executor ex) : sleeper(ex, std::chrono::steady_clock::time_point::max()) {}
        loop_timer sleeper;
        std::optional<T> value;
    };
    std::shared_ptr<state> state_;
};

} // namespace reauth
