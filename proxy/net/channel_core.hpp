// What a channel owns: a descriptor registered with Asio's own reactor for life, and one embedded operation a
// direction. Part of channel.cpp, in a file of its own.
#pragma once

#include "proxy/net/channel.hpp"

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>

#include <openssl/err.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <optional>
#include <utility>

#include <boost/version.hpp>

// Asio's reactor is no public interface. At another version: docs/architecture.md, "Upgrading Boost".
static_assert(BOOST_VERSION / 100 == 1081,
              "channel stands on asio::detail of Boost 1.81: read docs/architecture.md, "
              "Upgrading Boost, then change this number");

namespace reauth {

struct channel::core {
    using reactor = asio::detail::reactor;
    using handler_type = asio::async_result<asio::use_awaitable_t<executor>, void()>::handler_type;

    /// Counts the events that this thread has handled: while it stands still, nothing can have been noticed.
    static inline constinit thread_local unsigned events_handled = 0;

    /// Completes at readiness and tells the reactor that the edge is used up, so that starting it again costs
    /// nothing.
    struct wait_op : asio::detail::reactor_op {
        core* owner;
        side which;
        bool armed = false;
        bool edge = false; ///< became ready while nobody waited
        std::optional<handler_type> waiter;
        callback watcher = nullptr;
        void* argument = nullptr;

        wait_op(core* c, side s)
            : reactor_op(
                  error_code{}, [](reactor_op*) { return done_and_exhausted; }, &wait_op::complete),
              owner(c), which(s) {}

        static void complete(void* scheduler, asio::detail::operation* base, const error_code&, std::size_t) {
            auto* op = static_cast<wait_op*>(base);
            op->armed = false;
            ++events_handled;
            auto* c = op->owner;
            if (c->fd < 0 || !scheduler) {
                c->release();
                return;
            }
            if (op->which == reading)
                c->drained = false;
            op->fire(true);
        }

        void fire(bool ready) {
            if (waiter) {
                auto h = std::move(*waiter);
                waiter.reset();
                std::move(h)();
            } else if (watcher && ready) {
                auto f = std::exchange(watcher, nullptr);
                f(argument);
            } else if (ready) {
                edge = true;
            }
        }
    };

    asio::io_context& context;
    reactor& events;
    reactor::per_descriptor_data data{};
    int fd;
    unsigned parked_at = 0; ///< events_handled then
    bool drained = false, counts = false, stop = false, quiet = false;
    SSL* ssl = nullptr;
    wait_op read_op{this, reading}, write_op{this, writing};

    core(asio::io_context& ctx, int descriptor)
        : context(ctx), events(asio::use_service<reactor>(ctx)), fd(descriptor) {
        events.init_task();
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        counts = ::setsockopt(fd, IPPROTO_TCP, TCP_INQ, &on, sizeof on) == 0;
        events.register_descriptor(fd, data);
    }

    wait_op& op(side s) { return s == reading ? read_op : write_op; }

    void arm(side s) {
        auto& o = op(s);
        if (o.armed)
            return;
        o.armed = true;
        o.ec_ = {};
        context.get_executor(); // the scheduler counts the op as work itself
        events.start_op(s == reading ? reactor::read_op : reactor::write_op, fd, data, &o, false, true);
    }

    void release() {
        if (fd < 0 && !read_op.armed && !write_op.armed)
            delete this;
    }

    io_result::kind tls_outcome(int rc) {
        const int e = SSL_get_error(ssl, rc);
        auto kind = e == SSL_ERROR_WANT_READ     ? io_result::kind::again_read
                    : e == SSL_ERROR_WANT_WRITE  ? io_result::kind::again_write
                    : e == SSL_ERROR_ZERO_RETURN ? io_result::kind::eof
                                                 : io_result::kind::cut;
        ERR_clear_error();
        return kind;
    }
};

} // namespace reauth
