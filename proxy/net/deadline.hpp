// Deadlines without a timer each: setting one costs a store, and nobody wakes before one can be due.
#pragma once

#include <chrono>

namespace reauth {

using steady_clock = std::chrono::steady_clock;

class deadline;

/// All deadlines of a thread, and its clock, which stands still within a turn of its loop.
class deadline_service {
public:
    /// How close together two looks at all deadlines may be: who waits is late by at most that.
    static constexpr std::chrono::milliseconds tick{100};

    steady_clock::time_point now() const noexcept { return now_; }
    /// Milliseconds until one may be due; -1: none is set.
    int wait() const noexcept;
    /// A turn begins: the clock goes on, and those whose time has passed call back.
    void turn(steady_clock::time_point now);

private:
    friend class deadline;
    void add(deadline& d) noexcept;
    void remove(deadline& d) noexcept;
    void expect(steady_clock::time_point at) noexcept {
        if (at < next_) [[unlikely]]
            next_ = at;
    }

    steady_clock::time_point now_ = steady_clock::now(), next_ = steady_clock::time_point::max(), looked_{};
    deadline* first_ = nullptr;
    deadline* cursor_ = nullptr;
};

/// Calls back once when its time has passed (late by at most the tick). Lives on one thread.
class deadline {
public:
    deadline(deadline_service& service, void (*f)(void*), void* argument) noexcept
        : service_(service), f_(f), argument_(argument) {
        service_.add(*this);
    }
    ~deadline() { service_.remove(*this); }
    deadline(const deadline&) = delete;

    void set(steady_clock::time_point at) noexcept {
        at_ = at;
        service_.expect(at);
    }
    void set_after(std::chrono::milliseconds d) noexcept { set(service_.now() + d); }
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

} // namespace reauth
