// A thing one coroutine waits for and anybody on its thread can wake: level-triggered, one waiter.
#pragma once

#include "proxy/net/task.hpp"

#include <boost/asio/post.hpp>

#include <optional>

namespace reauth {

class wakeup {
public:
    explicit wakeup(executor ex) : executor_(ex) {}

    /// Returns at once if notify() came since the last wait.
    asio::awaitable<void, executor> wait() {
        return asio::async_initiate<const asio::use_awaitable_t<executor>&, void()>(
            [this](handler_type handler) {
                if (notified_) {
                    notified_ = false;
                    asio::post(executor_, std::move(handler));
                } else {
                    waiter_.emplace(std::move(handler));
                }
            },
            use_task);
    }

    /// Call on the waiter's thread. Wakes through the queue, so it is safe from anywhere in that thread's
    /// code.
    void notify() {
        if (!waiter_) {
            notified_ = true;
            return;
        }
        auto handler = std::move(*waiter_);
        waiter_.reset();
        asio::post(executor_, std::move(handler));
    }

private:
    using handler_type = asio::async_result<asio::use_awaitable_t<executor>, void()>::handler_type;
    executor executor_;
    bool notified_ = false;
    std::optional<handler_type> waiter_;
};

} // namespace reauth
