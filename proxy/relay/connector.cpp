// Connect, handshake.
#include "proxy/relay/connector.hpp"

#include "proxy/net/channel_io.hpp"
#include "proxy/net/tls.hpp"

#include <cerrno>
#include <system_error>

#include <sys/socket.h>

namespace reauth {

namespace {

dial_target target_of(const route& to) {
    if (to.proxy)
        return {to.proxy->host, std::to_string(to.proxy->port), to.upstream->prefer == address_family::ipv4};
    return {to.host, to.port, to.upstream->prefer == address_family::ipv4};
}

} // namespace

void connector::interrupt() {
    stopped_ = true;
    if (dial_)
        dial_->cancel();
    if (waiting_)
        waiting_->interrupt();
}

failure connector::unreachable(const std::string& why) const {
    if (to_.proxy && !at_upstream_)
        return failure::passing(fault::upstream_unreachable,
                                "the outbound proxy " + to_.proxy->host + ":" +
                                    std::to_string(to_.proxy->port) + ", by which upstream " +
                                    to_.upstream->name + " is reached, can't be used: " + why,
                                "HTTPS_PROXY names it: correct that, or add " + to_.host + " to NO_PROXY");
    return failure::passing(fault::upstream_unreachable,
                            "upstream " + to_.upstream->name + " (" + to_.authority +
                                ") can't be reached: " + why,
                            "check its url, and that it runs");
}

/// To the one address that there is: nothing is resolved, and nobody to race with.
loop_task<result<channel>> connector::connect_to(const asio::ip::tcp::endpoint& where) {
    const int fd = ::socket(where.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        co_return unreachable(std::generic_category().message(errno));
    int trouble = ::connect(fd, where.data(), static_cast<socklen_t>(where.size())) == 0 ? 0 : errno;
    channel connected(loop_,
                      fd); // not before: epoll takes a socket that was never connected for a broken one
    if (trouble == EINPROGRESS && !stopped_) {
        waiting_ = &connected;
        co_await connected.wait(channel::writing);
        waiting_ = nullptr;
        socklen_t size = sizeof trouble;
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &trouble, &size);
    }
    if (stopped_)
        co_return unreachable("no answer in time");
    if (trouble != 0)
        co_return unreachable(in_brackets(where.address()) + ": " + std::generic_category().message(trouble));
    connected.notice_silence();
    co_return std::move(connected);
}

loop_task<result<channel>> connector::connect() {
    const auto target = target_of(to_);
    error_code no_literal;
    const auto address = asio::ip::make_address(target.host, no_literal);
    if (!no_literal) {
        const asio::ip::tcp::endpoint where(address, static_cast<unsigned short>(std::stoi(target.port)));
        co_return co_await connect_to(where);
    }
    dial_ = std::make_shared<dial>(loop_, dialing_, target);
    auto made = co_await dial_->run();
    if (!made)
        co_return unreachable(made.error());
    channel connected(loop_, made->release());
    connected.notice_silence();
    co_return std::move(connected);
}

loop_task<result<channel>> connector::secure(channel plain) {
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
            else if (wants_client_certificate(ssl))
                why.fix = client_certificate_advice;
            co_return why;
        }
        waiting_ = &plain;
        co_await plain.wait(r.is);
        waiting_ = nullptr;
        if (stopped_)
            co_return unreachable("the TLS handshake took too long");
    }
}

/// CONNECT; whatever the proxy says, TLS with the upstream comes after it.
loop_task<result<channel>> connector::tunnel(channel plain) {
    const auto& proxy = *to_.proxy;
    const auto asked = connect_request(proxy, to_.host, static_cast<std::uint16_t>(std::stoi(to_.port)));
    const write_job job{asked.reveal(), {}};
    waiting_ = &plain;
    auto sent = co_await write_rest(plain, job);
    std::string head;
    char bytes[1024];
    while (sent && !stopped_) {
        auto r = plain.read(bytes, sizeof bytes);
        if (r.is == io_result::kind::ok) {
            head.append(bytes, r.n);
            if (auto said = read_connect_answer(head, proxy)) {
                waiting_ = nullptr;
                if (*said)
                    co_return std::move(plain);
                auto why = unreachable(said->error().message);
                why.fix = said->error().fix;
                co_return why;
            }
            plain.look_again();
            continue;
        }
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut)
            break;
        co_await plain.wait(r.is);
    }
    waiting_ = nullptr;
    co_return unreachable(stopped_ ? "it did not answer in time" : "it closed the connection");
}

loop_task<result<channel>> connector::run() {
    auto last = co_await connect();
    if (last.has_value() && to_.proxy) {
        auto straight = std::move(*last);
        last = co_await tunnel(std::move(straight));
    }
    at_upstream_ = true;
    if (!last.has_value() || !to_.tls)
        co_return std::move(last);
    auto plain = std::move(*last);
    co_return co_await secure(std::move(plain));
}

} // namespace reauth
