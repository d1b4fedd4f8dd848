// Load in a closed loop: every connection sends its next request when the answer to the last has come.
#include "bench/traffic/closed_loop.hpp"

#include "bench/traffic/clock.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string_view>
#include <strings.h>

namespace reauth::bench {

namespace {

/// Size of the whole answer, or 0 while the head is incomplete. Chunked answers end with the last chunk: size
/// npos.
std::size_t whole_size(std::string_view in, unsigned& status) {
    const auto end = in.find("\r\n\r\n");
    if (end == std::string_view::npos)
        return 0;
    status = static_cast<unsigned>(std::strtoul(std::string(in.substr(9, 3)).c_str(), nullptr, 10));
    for (std::size_t at = in.find("\r\n") + 2; at < end; at = in.find("\r\n", at) + 2) {
        if (::strncasecmp(in.data() + at, "content-length:", 15) == 0)
            return end + 4 + std::strtoull(in.data() + at + 15, nullptr, 10);
        if (::strncasecmp(in.data() + at, "transfer-encoding:", 18) == 0)
            return std::string_view::npos;
    }
    return end + 4;
}

bool complete(std::string_view in, std::size_t expected) {
    if (expected == std::string_view::npos)
        return in.size() >= 5 && in.substr(in.size() - 5) == "0\r\n\r\n";
    return expected > 0 && in.size() >= expected;
}

} // namespace

double loop_outcome::quantile_us(double p) const {
    if (latencies.empty())
        return 0;
    auto sorted = latencies;
    const auto at =
        std::min(sorted.size() - 1, static_cast<std::size_t>(p * static_cast<double>(sorted.size())));
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end());
    return static_cast<double>(sorted[at]) / 1000;
}

int connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
        throw std::runtime_error("nobody listens on 127.0.0.1:" + std::to_string(port));
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

namespace {

/// What a caller shows: BENCH_AUTHORIZATION of the environment.
std::string caller_line() {
    const char* shown = std::getenv("BENCH_AUTHORIZATION");
    return shown ? "Authorization: " + std::string(shown) + "\r\n" : std::string();
}

} // namespace

std::string post_request(std::uint16_t port, const std::string& path, std::size_t body,
                         const std::string& more_fields) {
    const std::string head =
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":")";
    const std::string tail = R"("}}})";
    const std::string text =
        head + std::string(std::max(body, head.size() + tail.size()) - head.size() - tail.size(), 'x') + tail;
    return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
           "\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
           "User-Agent: node\r\nMCP-Protocol-Version: 2025-06-18\r\n" +
           more_fields + caller_line() + "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
}

std::string stream_request(std::uint16_t port, const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
           "\r\nAccept: text/event-stream\r\nUser-Agent: node\r\n\r\n";
}

closed_loop::closed_loop(std::uint16_t port, std::string request, unsigned connections)
    : request_(std::move(request)), connections_(connections), open_(connections), poll_(::epoll_create1(0)) {
    for (std::size_t i = 0; i < connections_.size(); ++i) {
        connections_[i].fd = connect_to(port);
        epoll_event e{};
        e.events = EPOLLIN;
        e.data.u64 = i;
        ::epoll_ctl(poll_, EPOLL_CTL_ADD, connections_[i].fd, &e);
    }
}

closed_loop::~closed_loop() {
    for (const auto& c : connections_)
        ::close(c.fd);
    ::close(poll_);
}

void closed_loop::send_one(connection& c, loop_outcome& into) {
    c.in.clear();
    c.expected = 0;
    c.busy = true;
    c.started = now();
    for (std::size_t sent = 0; sent < request_.size();) {
        const auto n = ::send(c.fd, request_.data() + sent, request_.size() - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += static_cast<std::size_t>(n);
        else if (errno != EAGAIN) {
            ++into.errors;
            c.busy = false;
            return;
        }
    }
}

/// True when the answer is whole, or the connection is gone.
bool closed_loop::receive(connection& c, loop_outcome& into) {
    static thread_local char scratch[128 << 10];
    const auto n = ::recv(c.fd, scratch, sizeof scratch, 0);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0) {
        if (c.busy)
            ++into.errors;
        --open_;
        ::epoll_ctl(poll_, EPOLL_CTL_DEL, c.fd, nullptr);
        c.busy = false;
        return true;
    }
    c.in.append(scratch, static_cast<std::size_t>(n));
    if (c.expected == 0)
        c.expected = whole_size(c.in, c.status);
    if (!complete(c.in, c.expected))
        return false;
    if (c.status / 100 != 2 && ++into.errors == 1)
        into.first_error = c.in.substr(0, 400);
    into.latencies.push_back(now() - c.started);
    c.busy = false;
    return true;
}

loop_outcome closed_loop::run(std::uint64_t count, double limit, double per_second) {
    loop_outcome out;
    out.latencies.reserve(std::min<std::uint64_t>(count, 4'000'000));
    const auto start = now();
    const auto end = start + static_cast<std::uint64_t>(limit * 1e9);
    std::uint64_t sent = 0, finished = 0;
    const auto allowed = [&] {
        return per_second <= 0
                   ? count
                   : std::min(count, 1 + static_cast<std::uint64_t>(static_cast<double>(now() - start) / 1e9 *
                                                                    per_second));
    };
    const auto start_idle = [&] {
        const auto may = allowed();
        for (auto& c : connections_) {
            if (sent >= may)
                break;
            if (!c.busy && open_ > 0) {
                ++sent;
                send_one(c, out);
                finished += c.busy ? 0 : 1;
            }
        }
    };
    start_idle();
    std::vector<epoll_event> ready(256);
    while (finished < count && open_ > 0 && now() < end) {
        const int n =
            ::epoll_wait(poll_, ready.data(), static_cast<int>(ready.size()), per_second > 0 ? 1 : 100);
        for (int i = 0; i < n; ++i) {
            auto& c = connections_[ready[static_cast<std::size_t>(i)].data.u64];
            const bool was_busy = c.busy;
            if (!receive(c, out) || !was_busy)
                continue;
            ++finished;
            if (per_second <= 0 && sent < count) {
                ++sent;
                send_one(c, out);
            }
        }
        if (per_second > 0)
            start_idle();
    }
    out.seconds = static_cast<double>(now() - start) / 1e9;
    out.errors += sent > finished ? sent - finished : 0;
    return out;
}

} // namespace reauth::bench
