// Sockets on the loop's epoll; TLS on the descriptor itself.
#include "proxy/net/channel.hpp"

#include "proxy/net/stream_socket.hpp"

#include <openssl/err.h>

#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace reauth {
namespace {

constexpr int silence_before_probe_s = 30, probe_interval_s = 10, probes = 3, unheard_ms = 60'000;

constexpr unsigned ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

ssize_t gather(int fd, const iovec* buffers, int count) noexcept {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(buffers);
    message.msg_iovlen = static_cast<std::size_t>(count);
    return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

} // namespace

struct channel::core final : event_target, stream_socket, frame_pool::allocated {
    struct direction {
        waiting_place waiter;
        bool edge = false; ///< became ready while nobody waited
    };

    core(event_loop& l, int descriptor) : stream_socket{descriptor}, loop(l) {
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        loop.watch(fd, *this);
    }

    void on_events(unsigned events) override {
        if (fd < 0)
            return; // closed in this very turn
        ended = ended || (events & ends) != 0;
        if (events & (EPOLLIN | ends)) {
            drained = false;
            fire(in);
        }
        if (fd >= 0 && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)))
            fire(out);
    }

    void fire(direction& d) {
        if (d.waiter.taken()) {
            d.waiter.leave().resume();
        } else if (&d == &in && watcher) {
            std::exchange(watcher, nullptr)(argument);
        } else {
            d.edge = true;
        }
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

    event_loop& loop;
    SSL* ssl = nullptr;
    direction in, out;
    callback watcher = nullptr;
    void* argument = nullptr;
    unsigned parked_at = 0; ///< event_loop::told then
    bool stop = false, quiet = false, writes_watched = false;
};

channel::channel(event_loop& loop, int descriptor) : core_(new core(loop, descriptor)) {}

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
    auto* bio = make_bio(*core_);
    SSL_set_bio(core_->ssl, bio, bio);
    SSL_set_read_ahead(core_->ssl, 1); // a record in one read
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
    if (c.ssl && !(c.drained && SSL_has_pending(c.ssl) == 0)) {
        const int n = SSL_read(c.ssl, bytes, static_cast<int>(size < 1 << 30 ? size : 1 << 30));
        if (c.drained)
            c.in.edge = false;
        return n > 0 ? io_result{io_result::kind::ok, static_cast<std::size_t>(n)}
                     : io_result{c.tls_outcome(n), 0};
    }
    const auto n = c.stream_socket::read(bytes, size);
    if (c.drained)
        c.in.edge = false;
    if (n > 0)
        return {io_result::kind::ok, static_cast<std::size_t>(n)};
    if (n == 0)
        return {io_result::kind::eof, 0};
    return {errno == EAGAIN ? io_result::kind::again_read : io_result::kind::cut, 0};
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
    ssize_t n;
    do
        n = count == 1 ? ::send(c.fd, buffers->iov_base, buffers->iov_len, MSG_NOSIGNAL)
                       : gather(c.fd, buffers, count);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return {io_result::kind::ok, static_cast<std::size_t>(n)};
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return {io_result::kind::again_write, 0};
    return {io_result::kind::cut, 0};
}

waiting_place::wait channel::wait(side s) {
    auto& c = *core_;
    auto& d = s == reading ? c.in : c.out;
    if (s == writing && !c.writes_watched) {
        c.writes_watched = true;
        c.loop.watch_writing_too(c.fd, c);
    }
    const bool ready = std::exchange(d.edge, false);
    if (ready && s == reading)
        c.drained = false;
    return {c.loop, d.waiter, ready || c.stop};
}

void channel::watch(callback f, void* argument) {
    auto& c = *core_;
    if (c.in.edge) {
        c.in.edge = false;
        c.drained = false;
        f(argument);
        return;
    }
    c.watcher = f;
    c.argument = argument;
}

void channel::unwatch() noexcept {
    if (core_)
        core_->watcher = nullptr;
}

void channel::interrupt() {
    if (!core_)
        return;
    core_->stop = true;
    for (auto* d : {&core_->in, &core_->out})
        if (d->waiter.taken())
            core_->loop.resume_soon(d->waiter.leave());
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
    c.quiet = c.drained && (!c.ssl || SSL_has_pending(c.ssl) == 0);
    c.in.edge = false;
    c.parked_at = c.loop.told();
}

bool channel::usable() noexcept {
    auto& c = *core_;
    // taken in the very step that parked it: an event had no chance to be seen, so look
    if (c.quiet && !c.in.edge && c.parked_at != c.loop.told())
        return true;
    c.in.edge = false;
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
    c->watcher = nullptr;
    for (auto* d : {&c->in, &c->out})
        if (d->waiter.taken())
            c->loop.resume_soon(d->waiter.leave());
    if (c->ssl) {
        SSL_shutdown(c->ssl); // best effort close_notify, so that the peer can tell an end from a cut
        ERR_clear_error();
        SSL_free(c->ssl);
        c->ssl = nullptr;
    }
    c->loop.retire(std::exchange(c->fd, -1), std::unique_ptr<event_target>(c));
}

} // namespace reauth
