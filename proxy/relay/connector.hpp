// Makes one upstream connection: every address of the host in turn, then TLS with SNI and host name check.
#pragma once

#include "core/base/failure.hpp"
#include "proxy/net/channel.hpp"
#include "proxy/relay/routing.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace reauth {

/// One attempt. Unreachable addresses are passed over; the failure names the last trouble.
class connector {
public:
    connector(asio::io_context& context, const route& to)
        : context_(context), to_(to), resolver_(context.get_executor()) {}

    /// fault::upstream_unreachable with the host and the reason, or a connected channel (ALPN: http/1.1).
    task<result<channel>> run();
    void interrupt();

private:
    task<result<std::vector<asio::ip::tcp::endpoint>>> addresses();
    task<result<channel>> tunnel(channel plain);
    task<result<channel>> connect(asio::ip::tcp::endpoint address);
    task<result<channel>> secure(channel plain);
    failure unreachable(const std::string& why) const;

    asio::io_context& context_;
    const route& to_;
    asio::ip::basic_resolver<asio::ip::tcp, executor> resolver_;
    channel* waiting_ = nullptr;
    bool stopped_ = false;
    bool at_upstream_ = false; ///< the way through the outbound proxy is open
};

} // namespace reauth
