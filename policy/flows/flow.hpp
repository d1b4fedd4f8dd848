// A flow: protocol logic written top to bottom, that touches nothing. It yields what to do next (fetch,
// pause) and is resumed with the answer; whoever drives it owns sockets, clock and randomness.
#pragma once

#include "core/base/failure.hpp"
#include "core/http/http_message.hpp"

#include <chrono>
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

namespace reauth {

/// Effect: make this request. The flow is resumed with the answer, or with why there is none.
struct fetch {
    http_request request;
    const char* purpose = ""; ///< for logs: "token request", "authorization server metadata" …
};

/// Effect: let this much time pass, then resume.
struct pause {
    std::chrono::milliseconds duration{};
};

/// What a suspended flow wants.
using effect = std::variant<std::monostate, fetch, pause>;

namespace detail {

/// The mailbox between the innermost suspended flow and the driver; every nested flow shares the root's.
struct flow_mailbox {
    effect wanted;
    std::optional<result<http_response>> answer;
    std::coroutine_handle<> innermost;
};

struct flow_promise_base {
    flow_mailbox* mailbox = nullptr;
    std::coroutine_handle<> awaiting;
    std::exception_ptr error;

    struct final_awaiter {
        bool await_ready() noexcept { return false; }
        template<class P>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
            auto next = self.promise().awaiting;
            return next ? next : std::noop_coroutine();
        }
        void await_resume() noexcept {}
    };

    struct fetch_awaiter {
        flow_mailbox& box;
        fetch wanted;
        bool await_ready() noexcept { return false; }
        void await_suspend(std::coroutine_handle<> self) {
            box.innermost = self;
            box.wanted = std::move(wanted);
        }
        result<http_response> await_resume() {
            auto answer = std::move(*box.answer);
            box.answer.reset();
            return answer;
        }
    };

    struct pause_awaiter {
        flow_mailbox& box;
        pause wanted;
        bool await_ready() noexcept { return false; }
        void await_suspend(std::coroutine_handle<> self) {
            box.innermost = self;
            box.wanted = wanted;
        }
        void await_resume() noexcept {}
    };

    std::suspend_always initial_suspend() noexcept { return {}; }
    final_awaiter final_suspend() noexcept { return {}; }
    void unhandled_exception() { error = std::current_exception(); }
};

} // namespace detail

/// A sans-IO coroutine that ends with a T. Inside one, `co_await fetch{…}` gives result<http_response>,
/// `co_await pause{…}` gives nothing and `co_await other_flow` gives the other flow's value.
/// (One co_await per statement, as the whole statement: see docs/architecture.md.)
///
/// Driving it: `f.start()`; then, while `!f.done()`, look at `f.wanted()`, perform it and call
/// `f.resume(answer)` after a fetch or `f.resume()` after a pause; at last `f.value()`.
template<class T>
class [[nodiscard]] flow {
public:
    struct promise_type : detail::flow_promise_base {
        std::optional<T> value;
        flow get_return_object() { return flow{std::coroutine_handle<promise_type>::from_promise(*this)}; }
        template<class U>
        void return_value(U&& v) {
            value.emplace(std::forward<U>(v));
        }
        detail::flow_promise_base::fetch_awaiter await_transform(fetch f) { return {*mailbox, std::move(f)}; }
        detail::flow_promise_base::pause_awaiter await_transform(pause p) { return {*mailbox, p}; }

        template<class U>
        struct nested_awaiter {
            flow<U>& inner;
            detail::flow_mailbox* box;
            bool await_ready() noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) {
                auto& p = inner.handle_.promise();
                p.mailbox = box;
                p.awaiting = self;
                return inner.handle_;
            }
            U await_resume() { return inner.take(); }
        };
        template<class U>
        nested_awaiter<U> await_transform(flow<U>&& inner) {
            return {inner, mailbox};
        }
        template<class U>
        nested_awaiter<U> await_transform(flow<U>& inner) {
            return {inner, mailbox};
        }
    };

    flow(flow&& other) noexcept
        : handle_(std::exchange(other.handle_, {})), box_(std::exchange(other.box_, nullptr)) {}
    flow(const flow&) = delete;
    flow& operator=(flow&&) = delete;
    ~flow() {
        if (handle_)
            handle_.destroy();
        delete box_;
    }

    /// Runs to the first effect or to the end.
    void start() {
        box_ = new detail::flow_mailbox;
        handle_.promise().mailbox = box_;
        handle_.resume();
    }
    bool done() const noexcept { return handle_.done(); }
    /// The effect the flow waits for; valid while !done(). The driver may move from it.
    effect& wanted() noexcept { return box_->wanted; }
    /// Continues after a fetch.
    void resume(result<http_response> answer) {
        box_->answer.emplace(std::move(answer));
        std::exchange(box_->innermost, {}).resume();
    }
    /// Continues after a pause.
    void resume() { std::exchange(box_->innermost, {}).resume(); }
    /// The end value; valid once done().
    T value() { return take(); }

private:
    template<class>
    friend class flow;
    explicit flow(std::coroutine_handle<promise_type> h) : handle_(h) {}
    T take() {
        auto& p = handle_.promise();
        if (p.error)
            std::rethrow_exception(p.error);
        return std::move(*p.value);
    }

    std::coroutine_handle<promise_type> handle_;
    detail::flow_mailbox* box_ = nullptr;
};

} // namespace reauth
