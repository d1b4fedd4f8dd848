// Resolve, connect, handshake.
#include "proxy/relay/connector.hpp"

#include <boost/asio/ip/address.hpp>

#include "proxy/net/tls.hpp"

#include <cstring>
#include <sys/socket.h>

namespace reauth {

void connector::interrupt() {
    stopped_ = true;
    resolver_.cancel();
    if (waiting_)
        waiting_->interrupt();
}

failure connector::unreachable(const std::string& why) const {
    return {fault::upstream_unreachable,
            "upstream " + to_.upstream->name + " (" + to_.authority + ") can't be reached: " + why,
            "check its url, and that it runs", "", true};
}

task<result<channel>> connector::connect(asio::ip::tcp::endpoint address) {
    int fd = ::socket(address.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        co_return unreachable(std::strerror(errno));
    int rc = ::connect(fd, address.data(), static_cast<socklen_t>(address.size()));
    int error = rc == 0 ? 0 : errno;
    channel made(context_, fd);
    made.notice_silence();
    if (rc != 0 && error != EINPROGRESS)
        co_return unreachable(std::strerror(error));
    while (error == EINPROGRESS) {
        waiting_ = &made;
        co_await made.wait(channel::writing);
        waiting_ = nullptr;
        if (stopped_)
            co_return unreachable("no answer in time");
        socklen_t size = sizeof error;
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        sockaddr_storage peer;
        socklen_t peer_size = sizeof peer;
        // readiness may be spurious: connected is what getpeername says
        if (error == 0 && ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0)
            error = EINPROGRESS;
    }
    if (error != 0)
        co_return unreachable(std::strerror(error));
    co_return std::move(made);
}

task<result<channel>> connector::secure(channel plain) {
    plain.start_tls(to_.tls_context->native_handle(), false);
    auto* ssl = plain.tls();
    auto expected = expect_tls_peer(ssl, to_.host);
    if (!expected)
        co_return expected.error();
    for (;;) {
        auto r = plain.handshake();
        if (r.is == io_result::kind::ok)
            co_return std::move(plain);
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut) {
            auto verified = SSL_get_verify_result(ssl);
            auto why = unreachable(describe_tls_failure(ssl, error_code{}));
            if (verified != X509_V_OK)
                why.fix = "if it is signed by a private CA, name that with tls.ca_file of the upstream";
            co_return why;
        }
        waiting_ = &plain;
        co_await plain.wait(r.is);
        waiting_ = nullptr;
        if (stopped_)
            co_return unreachable("the TLS handshake took too long");
    }
}

task<result<channel>> connector::run() {
    std::vector<asio::ip::tcp::endpoint> addresses;
    error_code ec;
    auto literal = asio::ip::make_address(to_.host, ec);
    if (!ec) {
        addresses.emplace_back(literal, static_cast<unsigned short>(std::stoi(to_.port)));
    } else {
        auto token = asio::redirect_error(use_task, ec);
        auto found = co_await resolver_.async_resolve(to_.host, to_.port,
                                                      asio::ip::tcp::resolver::numeric_service, token);
        if (ec || stopped_)
            co_return unreachable(stopped_ ? "its name was not resolved in time"
                                           : "its name can't be resolved (" + ec.message() + ")");
        for (const auto& entry : found)
            addresses.push_back(entry.endpoint());
    }
    result<channel> last = unreachable("it has no address");
    for (const auto& address : addresses) {
        last = co_await connect(address);
        if (last.has_value() || stopped_)
            break;
    }
    if (!last.has_value() || !to_.tls)
        co_return std::move(last);
    auto plain = std::move(*last);
    co_return co_await secure(std::move(plain));
}

} // namespace reauth
