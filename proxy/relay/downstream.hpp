// The client's side of a request: its connection, the memory that its bytes are in, and whether it is still
// there. What an exchange needs of the session that it is served in.
#pragma once

#include "proxy/net/channel.hpp"
#include "proxy/net/wakeup.hpp"
#include "proxy/relay/request_buffers.hpp"
#include "proxy/relay/worker.hpp"

namespace reauth {

/// Lives on one worker; owned by the session.
class downstream {
public:
    downstream(worker& w, channel client, std::string peer)
        : home_(w), client_(std::move(client)), peer_(std::move(peer)), waker_(w.loop) {}
    downstream(const downstream&) = delete;

    worker& home() noexcept { return home_; }
    channel& client() noexcept { return client_; }
    /// Its address without the port; of a Unix socket: its process.
    const std::string& peer() const noexcept { return peer_; }
    /// For whatever is waited for besides I/O.
    wakeup& waker() noexcept { return waker_; }

    /// Null while nothing is in progress.
    lent<request_buffers>& memory() noexcept { return memory_; }
    request_buffers& need_memory() {
        if (!memory_)
            memory_ = lend<request_buffers>();
        return *memory_;
    }
    void release() noexcept { memory_.reset(); }

    /// The client closed, or it was told to: nothing is owed to it any more.
    bool gone() const noexcept { return gone_; }
    /// For who looks again and again.
    const bool& gone_flag() const noexcept { return gone_; }
    void lose() noexcept { gone_ = true; }
    /// Lost, and whoever waits for it or for its upstream is woken.
    void cut();
    /// From now on a closed connection is noticed while the exchange is busy elsewhere; early bytes of the
    /// next request are kept.
    void watch();
    void unwatch() { client_.unwatch(); }
    /// Whom cut() interrupts; null: nobody.
    void serves(void (*interrupt)(void*), void* who) noexcept {
        interrupt_ = interrupt;
        who_ = who;
    }

private:
    static void on_readable(void* self);

    worker& home_;
    channel client_;
    const std::string peer_;
    lent<request_buffers> memory_;
    wakeup waker_;
    bool gone_ = false;
    void (*interrupt_)(void*) = nullptr;
    void* who_ = nullptr;
};

} // namespace reauth
