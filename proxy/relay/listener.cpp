// The accept loop, and its pause when descriptors run out.
#include "proxy/relay/listener.hpp"

#include "proxy/log/log.hpp"
#include "proxy/net/owned_descriptor.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace reauth {
namespace {

failure cannot_listen(const endpoint_config& where, int error) {
    failure f = failure::permanent(fault::invalid_configuration,
                                   "cannot listen on " + where.to_string() + ": " + std::strerror(error));
    if (error == EADDRINUSE)
        f.fix = "something else listens there: stop it, or choose another `listen`";
    return f;
}

/// A socket file that nobody listens on is a leftover of a process that died.
bool remove_stale(const sockaddr_un& address) {
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool alive = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const bool refused = !alive && errno == ECONNREFUSED;
    ::close(probe);
    return refused && ::unlink(address.sun_path) == 0;
}

/// The address without the port; of a Unix socket: the process at its other end.
std::string peer_name(const sockaddr_storage& from, int fd) {
    char text[INET6_ADDRSTRLEN] = "";
    if (from.ss_family == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(from).sin_addr, text, sizeof text);
    } else if (from.ss_family == AF_INET6) {
        const auto& address = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&address))
            ::inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
        else
            ::inet_ntop(AF_INET6, &address, text, sizeof text);
    } else {
        ucred who{};
        socklen_t size = sizeof who;
        ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size);
        return "unix:" + std::to_string(who.pid);
    }
    return text;
}

} // namespace

listener::listener(std::vector<worker*> workers, listener_identity identity,
                   std::shared_ptr<asio::ssl::context> tls)
    : workers_(std::move(workers)), loop_(workers_.front()->loop), identity_(std::move(identity)),
      tls_(std::move(tls)),
      pause_(loop_.deadlines, [](void* self) { static_cast<listener*>(self)->accept(); }, this) {}

listener::~listener() {
    close();
}

result<std::uint16_t> listener::open(const endpoint_config& where) {
    std::uint16_t port = 0;
    if (!where.unix_path.empty()) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (where.unix_path.size() >= sizeof address.sun_path)
            return cannot_listen(where, ENAMETOOLONG);
        std::memcpy(address.sun_path, where.unix_path.c_str(), where.unix_path.size() + 1);
        descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        auto old = ::umask(0177);
        int rc = ::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        if (rc != 0 && errno == EADDRINUSE && remove_stale(address))
            rc = ::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        const int error = errno;
        ::umask(old);
        if (rc != 0)
            return cannot_listen(where, error);
        unix_path_ = where.unix_path;
    } else {
        error_code ec;
        auto ip = asio::ip::make_address(where.host == "localhost" ? "127.0.0.1" : where.host, ec);
        if (ec)
            return failure::permanent(fault::invalid_configuration,
                                      "cannot listen on " + where.to_string() + ": not an IP address",
                                      "write an address like 127.0.0.1");
        asio::ip::tcp::endpoint address(ip, where.port);
        descriptor_ = ::socket(address.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int on = 1;
        ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (::bind(descriptor_, address.data(), static_cast<socklen_t>(address.size())) != 0)
            return cannot_listen(where, errno);
        socklen_t size = static_cast<socklen_t>(address.capacity());
        ::getsockname(descriptor_, address.data(), &size);
        port = address.port();
        identity_.any_address = ip.is_unspecified();
    }
    if (::listen(descriptor_, 4096) != 0)
        return cannot_listen(where, errno);
    identity_.port = port;
    events_ = std::make_unique<channel>(loop_, descriptor_);
    wait();
    return port;
}

void listener::wait() {
    events_->watch([](void* self) { static_cast<listener*>(self)->accept(); }, this);
}

void listener::accept() {
    if (closed_)
        return;
    for (;;) {
        sockaddr_storage from{};
        socklen_t from_size = sizeof from;
        const int fd = ::accept4(descriptor_, reinterpret_cast<sockaddr*>(&from), &from_size,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) {
                // out of descriptors: a pause, or this loop would eat the core
                log_event(log_level::error, "accept failed", {{"message", std::strerror(errno)}});
                pause_.set_after(std::chrono::milliseconds(100));
                return;
            }
            break;
        }
        auto& w = *workers_[turn_++ % workers_.size()];
        auto peer = peer_name(from, fd);
        auto* tls = tls_ ? tls_->native_handle() : nullptr;
        if (&w.loop == &loop_)
            w.adopt(channel(w.loop, fd), tls, identity_, std::move(peer));
        else
            w.post([&w, owned = owned_descriptor(fd), tls, this, p = std::move(peer)]() mutable {
                w.adopt(channel(w.loop, owned.release()), tls, identity_, std::move(p));
            });
    }
    wait();
}

void listener::close() {
    if (closed_)
        return;
    closed_ = true;
    pause_.clear();
    if (events_)
        events_->close();
    else if (descriptor_ >= 0)
        ::close(descriptor_);
    if (!unix_path_.empty())
        ::unlink(unix_path_.c_str());
}

} // namespace reauth
