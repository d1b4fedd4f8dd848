// A thing one coroutine waits for and anybody on its thread can wake: level-triggered, one waiter.
#pragma once

#include "proxy/net/event_loop.hpp"

namespace reauth {

/// A coroutine that waits to be resumed once; it may be destroyed while it waits. At most one waits at a
/// slot.
class waiting_place {
public:
    bool taken() const noexcept { return static_cast<bool>(who_); }
    /// Of the one that waits; the place is free then.
    std::coroutine_handle<> leave() noexcept { return std::exchange(who_, {}); }

    /// Waits in its place until it is resumed.
    class wait {
    public:
        wait(event_loop& loop, waiting_place& place, bool ready) noexcept
            : loop_(loop), place_(&place), ready_(ready) {}
        wait(const wait&) = delete;
        /// Destroyed while suspended: neither its place nor the loop knows it any more.
        ~wait() {
            if (!me_)
                return;
            if (place_->who_ == me_)
                place_->who_ = {};
            else
                loop_.forget(me_);
        }
        bool await_ready() const noexcept { return ready_; }
        void await_suspend(std::coroutine_handle<> me) noexcept {
            me_ = me;
            place_->who_ = me;
        }
        void await_resume() noexcept { me_ = {}; }

    private:
        event_loop& loop_;
        waiting_place* place_;
        std::coroutine_handle<> me_;
        bool ready_;
    };

private:
    std::coroutine_handle<> who_;
};

class wakeup {
public:
    explicit wakeup(event_loop& loop) noexcept : loop_(loop) {}

    /// Returns at once if notify() came since the last wait.
    waiting_place::wait wait() noexcept { return {loop_, place_, std::exchange(notified_, false)}; }

    /// Call on the waiter's thread. Wakes from the loop itself, so it is safe from anywhere in that thread's
    /// code.
    void notify() {
        if (place_.taken())
            loop_.resume_soon(place_.leave());
        else
            notified_ = true;
    }

private:
    event_loop& loop_;
    waiting_place place_;
    bool notified_ = false;
};

} // namespace reauth
