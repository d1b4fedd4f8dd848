// The benchmarks' upstream: one thread, epoll, plain and TLS, as little work as possible. Ends on SIGTERM or
// when its standard input closes.
//   bench_upstream PORT [TLS_PORT CERT KEY]
#include "bench/traffic/upstream_answers.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

namespace reauth::bench {
namespace {

constexpr long event_interval_ns = 10'000'000; // 100 events a second on every event stream

/// One connection of a proxy.
struct peer {
    int fd = -1;
    SSL* tls = nullptr;
    std::string in, out;
    std::size_t sent = 0;
    std::uint64_t body_left = 0;
    answer due;
    bool in_body = false, events = false, wants_write = false;

    explicit peer(int socket) : fd(socket) {}
    peer(const peer&) = delete;
    ~peer() {
        if (tls)
            SSL_free(tls);
        ::close(fd);
    }
};

class upstream {
public:
    void listen(std::uint16_t port, bool secured) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        const int on = 1;
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(fd, 4096) != 0) {
            std::perror("bench_upstream: listen");
            std::exit(1);
        }
        (secured ? tls_listener_ : listener_) = fd;
        watch(fd, EPOLLIN);
    }

    void secure(const char* cert, const char* key) {
        context_ = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(context_, cert) != 1 ||
            SSL_CTX_use_PrivateKey_file(context_, key, SSL_FILETYPE_PEM) != 1) {
            std::fprintf(stderr, "bench_upstream: %s or %s can't be used\n", cert, key);
            std::exit(1);
        }
        SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    }

    void run() {
        timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        const itimerspec every{{0, event_interval_ns}, {0, event_interval_ns}};
        ::timerfd_settime(timer_, 0, &every, nullptr);
        watch(timer_, EPOLLIN);
        watch(STDIN_FILENO, EPOLLIN);
        for (std::vector<epoll_event> ready(512);;) {
            const int n = ::epoll_wait(poll_, ready.data(), static_cast<int>(ready.size()), -1);
            for (int i = 0; i < n; ++i) {
                const int fd = ready[static_cast<std::size_t>(i)].data.fd;
                if (fd == STDIN_FILENO)
                    return;
                if (fd == listener_ || fd == tls_listener_)
                    accept_all(fd);
                else if (fd == timer_)
                    send_events();
                else if (auto found = peers_.find(fd); found != peers_.end() && !serve(found->second))
                    peers_.erase(found);
            }
        }
    }

private:
    void watch(int fd, std::uint32_t what, int how = EPOLL_CTL_ADD) {
        epoll_event e{};
        e.events = what;
        e.data.fd = fd;
        ::epoll_ctl(poll_, how, fd, &e);
    }

    void accept_all(int from) {
        for (int fd; (fd = ::accept4(from, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            peer& p = peers_.try_emplace(fd, fd).first->second;
            if (from == tls_listener_) {
                p.tls = SSL_new(context_);
                SSL_set_fd(p.tls, fd);
                SSL_set_accept_state(p.tls);
            }
            watch(fd, EPOLLIN);
        }
    }

    /// Reads and writes what is possible; false: the connection has ended.
    bool serve(peer& p) {
        static char scratch[256 << 10];
        for (;;) {
            const long n =
                p.tls ? SSL_read(p.tls, scratch, sizeof scratch) : ::recv(p.fd, scratch, sizeof scratch, 0);
            if (n > 0) {
                p.in.append(scratch, static_cast<std::size_t>(n));
                answer_all(p);
                if (p.tls || n == static_cast<long>(sizeof scratch))
                    continue;
                break;
            }
            if (n == 0 && !p.tls)
                return false;
            if (p.tls) {
                const int why = SSL_get_error(p.tls, static_cast<int>(n));
                if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
                    return false;
            } else if (errno != EAGAIN) {
                return false;
            }
            break;
        }
        return flush(p);
    }

    static void answer_all(peer& p) {
        std::size_t used = 0;
        for (request_summary request;;) {
            if (!p.in_body) {
                if (!read_request(std::string_view(p.in).substr(used), request))
                    break;
                p.due = choose(request);
                p.body_left = request.body;
                p.in_body = true;
                used += request.head;
            }
            const auto here = std::min<std::uint64_t>(p.body_left, p.in.size() - used);
            used += here;
            p.body_left -= here;
            if (p.body_left > 0)
                break;
            p.in_body = false;
            p.out += *p.due.bytes;
            p.events = p.due.kind == answer_kind::events;
        }
        p.in.erase(0, used);
    }

    bool flush(peer& p) {
        while (p.sent < p.out.size()) {
            const auto left = p.out.size() - p.sent;
            const long n = p.tls ? SSL_write(p.tls, p.out.data() + p.sent, static_cast<int>(left))
                                 : ::send(p.fd, p.out.data() + p.sent, left, MSG_NOSIGNAL);
            if (n > 0) {
                p.sent += static_cast<std::size_t>(n);
                continue;
            }
            if (p.tls ? SSL_get_error(p.tls, static_cast<int>(n)) != SSL_ERROR_WANT_WRITE : errno != EAGAIN)
                return false;
            if (!p.wants_write)
                watch(p.fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            p.wants_write = true;
            return true;
        }
        p.out.clear();
        p.sent = 0;
        if (p.wants_write)
            watch(p.fd, EPOLLIN, EPOLL_CTL_MOD);
        p.wants_write = false;
        return true;
    }

    void send_events() {
        std::uint64_t ticks = 0;
        if (::read(timer_, &ticks, sizeof ticks) < 0)
            return;
        for (auto& [fd, p] : peers_)
            if (p.events && p.out.empty()) {
                p.out = event_chunk(now_ns());
                flush(p);
            }
    }

    int poll_ = ::epoll_create1(0), listener_ = -1, tls_listener_ = -1, timer_ = -1;
    SSL_CTX* context_ = nullptr;
    std::unordered_map<int, peer> peers_;
};

} // namespace
} // namespace reauth::bench

int main(int argc, char** argv) {
    if (argc != 2 && argc != 5) {
        std::fprintf(stderr, "usage: bench_upstream PORT [TLS_PORT CERT KEY]\n");
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    reauth::bench::upstream server;
    server.listen(static_cast<std::uint16_t>(std::atoi(argv[1])), false);
    if (argc == 5) {
        server.secure(argv[3], argv[4]);
        server.listen(static_cast<std::uint16_t>(std::atoi(argv[2])), true);
    }
    server.run();
}
