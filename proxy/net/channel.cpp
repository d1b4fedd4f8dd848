// Sockets in Asio's reactor without its per-operation allocations; TLS through memory.
#include "proxy/net/channel.hpp"

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/asio/post.hpp>

#include <openssl/err.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace reauth {
namespace {

using reactor = asio::detail::reactor;
using handler_type = asio::async_result<asio::use_awaitable_t<executor>, void()>::handler_type;

/// Counts the events that this thread has handled: while it stands still, nothing can have been noticed.
thread_local unsigned events_handled = 0;

} // namespace

struct channel::core {
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
        int e = SSL_get_error(ssl, rc);
        auto kind = e == SSL_ERROR_WANT_READ     ? io_result::kind::again_read
                    : e == SSL_ERROR_WANT_WRITE  ? io_result::kind::again_write
                    : e == SSL_ERROR_ZERO_RETURN ? io_result::kind::eof
                                                 : io_result::kind::cut;
        ERR_clear_error();
        return kind;
    }
};

channel::channel(asio::io_context& context, int descriptor) : core_(new core(context, descriptor)) {}

channel& channel::operator=(channel&& other) noexcept {
    if (this != &other) {
        close();
        core_ = std::exchange(other.core_, nullptr);
    }
    return *this;
}

void channel::start_tls(SSL_CTX* context, bool as_server) {
    core_->ssl = SSL_new(context);
    SSL_set_fd(core_->ssl, core_->fd);
    // idle connections give their record buffers back; a moving write buffer is fine, the bytes are the same
    SSL_set_mode(core_->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (as_server)
        SSL_set_accept_state(core_->ssl);
    else
        SSL_set_connect_state(core_->ssl);
}

SSL* channel::tls() const noexcept {
    return core_ ? core_->ssl : nullptr;
}

io_result channel::handshake() {
    int rc = SSL_do_handshake(core_->ssl);
    if (rc == 1)
        return {};
    return {core_->tls_outcome(rc), 0};
}

io_result channel::read(void* bytes, std::size_t size) {
    auto& c = *core_;
    if (c.ssl) {
        int n = SSL_read(c.ssl, bytes, static_cast<int>(size < 1 << 30 ? size : 1 << 30));
        if (n > 0)
            return {io_result::kind::ok, static_cast<std::size_t>(n)};
        return {c.tls_outcome(n), 0};
    }
    if (c.drained)
        return {io_result::kind::again_read, 0};
    iovec iov{bytes, size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &iov;
    message.msg_iovlen = 1;
    if (c.counts) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
    }
    ssize_t n;
    do
        n = ::recvmsg(c.fd, &message, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        if (auto* m = c.counts ? CMSG_FIRSTHDR(&message) : nullptr;
            m && m->cmsg_level == IPPROTO_TCP && m->cmsg_type == TCP_CM_INQ) {
            int left;
            __builtin_memcpy(&left, CMSG_DATA(m), sizeof left);
            c.drained = left == 0;
        }
        return {io_result::kind::ok, static_cast<std::size_t>(n)};
    }
    if (n == 0)
        return {io_result::kind::eof, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        c.drained = true;
        return {io_result::kind::again_read, 0};
    }
    return {io_result::kind::cut, 0};
}

bool channel::has_input() noexcept {
    auto& c = *core_;
    char byte;
    if (c.ssl) {
        int n = SSL_peek(c.ssl, &byte, 1);
        if (n > 0)
            return true;
        auto outcome = c.tls_outcome(n);
        return outcome == io_result::kind::eof || outcome == io_result::kind::cut;
    }
    return ::recv(c.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

io_result channel::write(const iovec* buffers, int count) {
    auto& c = *core_;
    if (c.ssl) {
        std::size_t total = 0;
        for (int i = 0; i < count; ++i) {
            std::size_t done = 0;
            while (done < buffers[i].iov_len) {
                int n = SSL_write(c.ssl, static_cast<const char*>(buffers[i].iov_base) + done,
                                  static_cast<int>(buffers[i].iov_len - done));
                if (n <= 0) {
                    auto kind = c.tls_outcome(n);
                    if (total > 0 && kind != io_result::kind::cut)
                        return {io_result::kind::ok, total};
                    return {kind, 0};
                }
                done += static_cast<std::size_t>(n);
                total += static_cast<std::size_t>(n);
            }
        }
        return {io_result::kind::ok, total};
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(buffers);
    message.msg_iovlen = static_cast<std::size_t>(count);
    ssize_t n;
    do
        n = ::sendmsg(c.fd, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return {io_result::kind::ok, static_cast<std::size_t>(n)};
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return {io_result::kind::again_write, 0};
    return {io_result::kind::cut, 0};
}

asio::awaitable<void, executor> channel::wait(side s) {
    return asio::async_initiate<const asio::use_awaitable_t<executor>&, void()>(
        [c = core_, s](handler_type handler) {
            auto& o = c->op(s);
            if (o.edge || c->stop) {
                // resumed from the loop, never from inside the initiation
                o.edge = false;
                if (s == reading)
                    c->drained = false;
                asio::post(c->context, std::move(handler));
                return;
            }
            o.watcher = nullptr;
            o.waiter.emplace(std::move(handler));
            c->arm(s);
        },
        use_task);
}

void channel::watch(callback f, void* argument) {
    auto& o = core_->read_op;
    o.watcher = f;
    o.argument = argument;
    if (o.edge) {
        o.edge = false;
        core_->drained = false;
        o.watcher = nullptr;
        f(argument);
        return;
    }
    core_->arm(reading);
}

void channel::unwatch() noexcept {
    if (core_)
        core_->read_op.watcher = nullptr;
}

void channel::interrupt() {
    if (!core_)
        return;
    core_->stop = true;
    for (auto s : {reading, writing})
        if (auto& o = core_->op(s); o.waiter) {
            auto handler = std::move(*o.waiter);
            o.waiter.reset();
            asio::post(core_->context, std::move(handler));
        }
}

void channel::clear_interrupt() noexcept {
    if (core_)
        core_->stop = false;
}

bool channel::interrupted() const noexcept {
    return core_ && core_->stop;
}

void channel::park() {
    auto& c = *core_;
    // TLS can't tell from a short read whether the socket is empty: look once here, and trust the edge
    // afterwards
    char byte;
    c.quiet = c.ssl ? read(&byte, 1).is == io_result::kind::again_read : c.drained;
    c.parked_at = events_handled;
    c.arm(reading);
}

bool channel::usable() noexcept {
    auto& c = *core_;
    // taken in the very step that parked it: an event had no chance to be seen, so look
    if (c.quiet && !c.read_op.edge && c.parked_at != events_handled)
        return true;
    c.read_op.edge = false;
    c.drained = false;
    char byte;
    c.quiet = read(&byte, 1).is == io_result::kind::again_read;
    return c.quiet;
}

void channel::shutdown_write() noexcept {
    if (!core_)
        return;
    if (core_->ssl) {
        SSL_shutdown(core_->ssl);
        ERR_clear_error();
    }
    ::shutdown(core_->fd, SHUT_WR);
}

void channel::reset() noexcept {
    if (!core_)
        return;
    linger hard{1, 0};
    ::setsockopt(core_->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    if (core_->ssl)
        SSL_set_quiet_shutdown(core_->ssl, 1);
    close();
}

void channel::close() noexcept {
    auto* c = std::exchange(core_, nullptr);
    if (!c)
        return;
    c->read_op.watcher = nullptr;
    c->read_op.waiter.reset();
    c->write_op.waiter.reset();
    if (c->ssl) {
        SSL_shutdown(c->ssl); // best effort close_notify, so that the peer can tell an end from a cut
        ERR_clear_error();
        SSL_free(c->ssl);
        c->ssl = nullptr;
    }
    int fd = std::exchange(c->fd, -1);
    c->events.deregister_descriptor(fd, c->data, true);
    c->events.cleanup_descriptor_data(c->data);
    ::close(fd);
    c->release();
}

} // namespace reauth
