// One turn after the other.
#include "proxy/net/event_loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace reauth {
namespace {

constexpr int events_at_once = 256;
constexpr unsigned input = EPOLLIN | EPOLLRDHUP | EPOLLET;

int must(int descriptor, const char* what) {
    if (descriptor < 0)
        throw std::system_error(errno, std::generic_category(), what);
    return descriptor;
}

} // namespace

/// What other threads want done.
class event_loop::mailbox final : public event_target {
public:
    mailbox() : bell(must(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}
    ~mailbox() override { ::close(bell); }

    void put(std::unique_ptr<posted> what) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(what));
        const std::uint64_t one = 1;
        if (waiting_.size() == 1) [[maybe_unused]]
            const auto rung = ::write(bell, &one, sizeof one);
    }
    void on_events(unsigned) override {
        std::uint64_t ignored;
        [[maybe_unused]] const auto heard = ::read(bell, &ignored, sizeof ignored);
        {
            const std::lock_guard lock(mutex_);
            waiting_.swap(taken_);
        }
        for (auto& one : taken_) {
            one->run();
            one.reset();
        }
        taken_.clear();
    }

    const int bell;

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<posted>> waiting_, taken_;
};

/// A coroutine that the loop owns: in a list, from its beginning to its end.
struct event_loop::root {
    explicit root(event_loop& l) noexcept : loop(l), next(l.roots_) {
        if (next)
            next->previous = this;
        loop.roots_ = this;
    }
    root(const root&) = delete;
    ~root() {
        (previous ? previous->next : loop.roots_) = next;
        if (next)
            next->previous = previous;
    }

    event_loop& loop;
    root *previous = nullptr, *next;
};

struct event_loop::rooted {
    struct promise_type : root, frame_pool::allocated {
        promise_type(event_loop& l, loop_task<void>&) noexcept : root(l) {}
        rooted get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept {}
    };
};

event_loop::event_loop()
    : epoll_(must(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")), mail_(std::make_unique<mailbox>()) {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.ptr = static_cast<event_target*>(mail_.get());
    must(::epoll_ctl(epoll_, EPOLL_CTL_ADD, mail_->bell, &e), "epoll_ctl");
}

event_loop::~event_loop() {
    while (roots_) {
        auto& first = static_cast<rooted::promise_type&>(*roots_);
        std::coroutine_handle<rooted::promise_type>::from_promise(first).destroy();
    }
    retired_.clear();
    mail_.reset();
    ::close(epoll_);
}

void event_loop::put(std::unique_ptr<posted> what) {
    mail_->put(std::move(what));
}

void event_loop::finish() {
    post([this] { finished_ = true; });
}

event_loop::rooted event_loop::run_root(event_loop&, loop_task<void> work) {
    co_await work;
}

void event_loop::spawn(loop_task<void> work) {
    run_root(*this, std::move(work));
}

void event_loop::forget(std::coroutine_handle<> who) noexcept {
    for (auto* queue : {&ready_, &going_})
        std::replace(queue->begin(), queue->end(), who, std::coroutine_handle<>());
}

void event_loop::watch(int descriptor, event_target& who) {
    epoll_event e{};
    e.events = input;
    e.data.ptr = &who;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &e);
}

void event_loop::watch_writing_too(int descriptor, event_target& who) {
    epoll_event e{};
    e.events = input | EPOLLOUT;
    e.data.ptr = &who;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &e);
}

void event_loop::retire(int descriptor, std::unique_ptr<event_target> who) {
    ::close(descriptor);
    retired_.push_back(std::move(who));
}

void event_loop::turn(int most_wait) {
    std::array<epoll_event, events_at_once> events;
    const int count = ::epoll_wait(epoll_, events.data(), events_at_once, most_wait);
    deadlines.turn(steady_clock::now());
    for (int i = 0; i < count; ++i) {
        const auto& e = events[static_cast<std::size_t>(i)];
        ++told_;
        static_cast<event_target*>(e.data.ptr)->on_events(e.events);
    }
    while (!ready_.empty()) {
        going_.swap(ready_);
        for (std::size_t i = 0; i < going_.size(); ++i) // forget() may take any of them away
            if (going_[i])
                going_[i].resume();
        going_.clear();
    }
    retired_.clear();
}

void event_loop::run() {
    while (!finished_ || roots_)
        turn(deadlines.wait());
}

} // namespace reauth
