// The loop of a data path's thread: epoll (edge-triggered), deadlines, coroutines to go on with, and what
// other threads have posted. Asio is not in it.
#pragma once

#include "proxy/net/deadline.hpp"
#include "proxy/net/loop_task.hpp"

#include <coroutine>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace reauth {

/// What a loop tells of a descriptor's events.
class event_target {
public:
    virtual ~event_target() = default;
    /// `events`: of epoll(7), EPOLLIN and so on.
    virtual void on_events(unsigned events) = 0;
};

/// Used on the thread that runs it, but for post() and finish().
class event_loop {
public:
    event_loop();
    /// Coroutines that have not ended are cancelled, what was posted is forgotten.
    ~event_loop();
    event_loop(const event_loop&) = delete;

    /// Until finish() was called and all coroutines have ended.
    void run();
    void finish();
    /// One turn with what is there, without waiting.
    void poll() { turn(0); }

    /// Runs f on the loop's thread, in the order of the calls. From any thread.
    template<class F>
    void post(F f) {
        put(std::make_unique<posted_call<F>>(std::move(f)));
    }
    /// Begins at once; the loop owns it. An exception ends it, and nothing else.
    void spawn(loop_task<void> work);
    /// Goes on in this turn, from the loop itself.
    void resume_soon(std::coroutine_handle<> who) { ready_.push_back(who); }
    /// … unless it is not there any more.
    void forget(std::coroutine_handle<> who) noexcept;

    /// Watches for input and hang-up, edge-triggered.
    void watch(int descriptor, event_target& who);
    /// … and for room to write.
    void watch_writing_too(int descriptor, event_target& who);
    /// Closes the descriptor, and ends its target when nothing in this turn can speak of it any more.
    void retire(int descriptor, std::unique_ptr<event_target> who);
    /// Counts the events that were told: while it stands still, nothing can have been noticed.
    unsigned told() const noexcept { return told_; }

    deadline_service deadlines;
    steady_clock::time_point now() const noexcept { return deadlines.now(); }

private:
    struct posted {
        virtual ~posted() = default;
        virtual void run() = 0;
    };
    template<class F>
    struct posted_call final : posted {
        explicit posted_call(F&& given) : f(std::move(given)) {}
        void run() override { f(); }
        F f;
    };
    class mailbox;
    struct root;
    struct rooted;

    void put(std::unique_ptr<posted> what);
    void turn(int most_wait);
    static rooted run_root(event_loop& loop, loop_task<void> work);

    int epoll_;
    std::unique_ptr<mailbox> mail_;
    std::vector<std::coroutine_handle<>> ready_, going_;
    std::vector<std::unique_ptr<event_target>> retired_;
    root* roots_ = nullptr;
    unsigned told_ = 0;
    bool finished_ = false;
};

} // namespace reauth
