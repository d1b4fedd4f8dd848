// Sockets in Asio's reactor without its per-operation allocations; TLS on the descriptor itself.
#include "proxy/net/channel_core.hpp"

#include <boost/asio/post.hpp>

#include <sys/uio.h>
#include <unistd.h>

namespace reauth {
namespace {

constexpr int silence_before_probe_s = 30, probe_interval_s = 10, probes = 3, unheard_ms = 60'000;

} // namespace

channel::channel(asio::io_context& context, int descriptor) : core_(new core(context, descriptor)) {}

channel& channel::operator=(channel&& other) noexcept {
    if (this != &other) {
        close();
        core_ = std::exchange(other.core_, nullptr);
    }
    return *this;
}

void channel::notice_silence() noexcept {
    const auto set = [this](int level, int option, int value) {
        ::setsockopt(core_->fd, level, option, &value, sizeof value);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, silence_before_probe_s);
    set(IPPROTO_TCP, TCP_KEEPINTVL, probe_interval_s);
    set(IPPROTO_TCP, TCP_KEEPCNT, probes);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, unheard_ms);
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
    const int rc = SSL_do_handshake(core_->ssl);
    if (rc == 1)
        return {};
    return {core_->tls_outcome(rc), 0};
}

io_result channel::read(void* bytes, std::size_t size) {
    auto& c = *core_;
    if (c.ssl) {
        const int n = SSL_read(c.ssl, bytes, static_cast<int>(size < 1 << 30 ? size : 1 << 30));
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

void channel::look_again() noexcept {
    if (core_)
        core_->drained = false;
}

bool channel::has_input() noexcept {
    auto& c = *core_;
    char byte;
    if (c.ssl) {
        const int n = SSL_peek(c.ssl, &byte, 1);
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
                const int n = SSL_write(c.ssl, static_cast<const char*>(buffers[i].iov_base) + done,
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
        [c = core_, s](core::handler_type handler) {
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
    c.parked_at = core::events_handled;
    c.arm(reading);
}

bool channel::usable() noexcept {
    auto& c = *core_;
    // taken in the very step that parked it: an event had no chance to be seen, so look
    if (c.quiet && !c.read_op.edge && c.parked_at != core::events_handled)
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
    const int fd = std::exchange(c->fd, -1);
    c->events.deregister_descriptor(fd, c->data, true);
    c->events.cleanup_descriptor_data(c->data);
    ::close(fd);
    c->release();
}

} // namespace reauth
