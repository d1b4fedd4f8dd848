// Work of a life, written top to bottom: it emits an action, waits for the event that tells of its end, and
// goes on. Nobody but its owner resumes it, and destroying it is how it is cancelled.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

namespace reauth {

template<class E>
struct awaited_event {};
/// `co_await next<E>` inside one: suspended until its owner gives it an E.
template<class E>
inline constexpr awaited_event<E> next{};

/// A coroutine that ends with an End and waits for Events, one at a time. (One co_await per statement: see
/// docs/architecture.md.)
template<class End, class... Events>
class [[nodiscard]] routine {
public:
    struct promise_type {
        std::variant<std::monostate, Events...> mail;
        std::size_t awaited = 0; ///< index of the event in `mail`; 0: none
        std::optional<End> end;
        std::exception_ptr error;

        template<class E>
        struct awaiter {
            promise_type& self;
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<>) noexcept { self.awaited = index_of<E>(); }
            E await_resume() {
                E got = std::get<E>(std::move(self.mail));
                self.mail = std::monostate();
                return got;
            }
        };
        routine get_return_object() {
            return routine(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_value(End e) { end.emplace(std::move(e)); }
        void unhandled_exception() { error = std::current_exception(); }
        template<class E>
        awaiter<E> await_transform(awaited_event<E>) noexcept {
            return {*this};
        }
    };

    routine(routine&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    routine& operator=(routine&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~routine() {
        if (handle_)
            handle_.destroy();
    }

    void start() { handle_.resume(); }
    template<class E>
    bool waits_for() const noexcept {
        return !handle_.done() && handle_.promise().awaited == index_of<E>();
    }
    /// Only where it waits for that.
    template<class E>
    void give(E e) {
        handle_.promise().awaited = 0;
        handle_.promise().mail = std::move(e);
        handle_.resume();
    }
    bool done() const noexcept { return handle_.done(); }
    /// Valid once done().
    End take() {
        if (handle_.promise().error)
            std::rethrow_exception(handle_.promise().error);
        return std::move(*handle_.promise().end);
    }

private:
    explicit routine(std::coroutine_handle<promise_type> h) noexcept : handle_(h) {}
    template<class E>
    static constexpr std::size_t index_of() noexcept {
        return std::variant<std::monostate, Events...>(std::in_place_type<E>).index();
    }
    std::coroutine_handle<promise_type> handle_;
};

} // namespace reauth
