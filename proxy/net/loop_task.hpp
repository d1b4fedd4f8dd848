// The coroutine of the data path: runs on an event_loop, and costs a frame from the pool and nothing else.
#pragma once

#include "proxy/net/frame_pool.hpp"

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace reauth {

/// What every loop_task has: who waits for it, and how it ended.
class loop_promise : public frame_pool::allocated {
public:
    /// Goes on with who waits.
    struct last {
        bool await_ready() const noexcept { return false; }
        template<class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            const auto who = ended.promise().waits_;
            return who ? who : std::noop_coroutine();
        }
        void await_resume() const noexcept {}
    };
    std::suspend_always initial_suspend() const noexcept { return {}; }
    last final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { error_ = std::current_exception(); }

    void waited_for_by(std::coroutine_handle<> who) noexcept { waits_ = who; }
    void rethrow() const {
        if (error_) [[unlikely]]
            std::rethrow_exception(error_);
    }

private:
    std::coroutine_handle<> waits_;
    std::exception_ptr error_;
};

template<class T>
class loop_result : public loop_promise {
public:
    template<class U>
    void return_value(U&& value) {
        value_.emplace(std::forward<U>(value));
    }
    T take() {
        rethrow();
        return std::move(*value_);
    }

private:
    std::optional<T> value_;
};

template<>
class loop_result<void> : public loop_promise {
public:
    void return_void() const noexcept {}
    void take() const { rethrow(); }
};

/// Begins when it is awaited, in place, and is awaited once. Destroyed before its end, it is cancelled, and
/// what it waits for forgets it. An exception goes to who awaits it. (One co_await per statement, as the
/// whole statement: docs/architecture.md.)
template<class T = void>
class [[nodiscard]] loop_task {
public:
    struct promise_type : loop_result<T> {
        loop_task get_return_object() noexcept {
            return loop_task(std::coroutine_handle<promise_type>::from_promise(*this));
        }
    };

    loop_task(loop_task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    loop_task& operator=(loop_task&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~loop_task() {
        if (handle_)
            handle_.destroy();
    }

    /// What ends without waiting suspends nobody.
    bool await_ready() const {
        handle_.resume();
        return handle_.done();
    }
    void await_suspend(std::coroutine_handle<> who) const noexcept { handle_.promise().waited_for_by(who); }
    T await_resume() const { return handle_.promise().take(); }

private:
    explicit loop_task(std::coroutine_handle<promise_type> h) noexcept : handle_(h) {}
    std::coroutine_handle<promise_type> handle_;
};

} // namespace reauth
