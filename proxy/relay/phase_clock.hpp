// The one deadline of an exchange: whatever phase it is in, what it waits for is interrupted when time is up.
#pragma once

#include "proxy/net/channel.hpp"
#include "proxy/net/deadline.hpp"

namespace reauth {

/// Lives on the worker's thread, as long as the exchange.
class phase_clock {
public:
    explicit phase_clock(deadline_service& service) : deadline_(service, &phase_clock::ring, this) {}

    /// A phase begins that waits for `channel`; it may take so long.
    void start(std::chrono::milliseconds limit, channel& waits_for) {
        start(limit, [](void* c) { static_cast<channel*>(c)->interrupt(); }, &waits_for);
    }
    /// … that waits for anything else: `interrupt(argument)` ends its wait.
    void start(std::chrono::milliseconds limit, void (*interrupt)(void*), void* argument) {
        expired_ = false;
        interrupt_ = interrupt;
        argument_ = argument;
        deadline_.set_after(limit);
    }
    /// The phase is over, in time or not.
    void stop() noexcept { deadline_.clear(); }
    /// Whether the phase that was begun last ran out of time.
    bool expired() const noexcept { return expired_; }

private:
    static void ring(void* self) {
        auto& c = *static_cast<phase_clock*>(self);
        c.expired_ = true;
        c.interrupt_(c.argument_);
    }
    deadline deadline_;
    void (*interrupt_)(void*) = nullptr;
    void* argument_ = nullptr;
    bool expired_ = false;
};

} // namespace reauth
