// Deadlines without a timer each: one coarse tick a thread looks at all of them, so setting one costs a
// store.
#pragma once

#include "proxy/net/task.hpp"

#include <chrono>

namespace reauth {

using steady_clock = std::chrono::steady_clock;

class deadline_service;

/// Calls back once when its time has passed (late by at most the tick). Lives on one thread.
class deadline {
public:
    deadline(deadline_service& service, void (*f)(void*), void* argument);
    ~deadline();
    deadline(const deadline&) = delete;

    void set(steady_clock::time_point at) noexcept { at_ = at; }
    void set_after(std::chrono::milliseconds d) noexcept { at_ = steady_clock::now() + d; }
    void clear() noexcept { at_ = steady_clock::time_point::max(); }

private:
    friend class deadline_service;
    deadline_service& service_;
    void (*f_)(void*);
    void* argument_;
    steady_clock::time_point at_ = steady_clock::time_point::max();
    deadline* previous_ = nullptr;
    deadline* next_ = nullptr;
};

/// All deadlines of a thread. Ticks while there are any.
class deadline_service {
public:
    explicit deadline_service(executor ex, std::chrono::milliseconds tick = std::chrono::milliseconds(100))
        : timer_(ex), tick_(tick) {}
    void stop();

private:
    friend class deadline;
    void add(deadline& d);
    void remove(deadline& d) noexcept;
    void arm();
    void run();

    loop_timer timer_;
    std::chrono::milliseconds tick_;
    deadline* first_ = nullptr;
    deadline* cursor_ = nullptr;
    bool armed_ = false, stopped_ = false;
};

} // namespace reauth
