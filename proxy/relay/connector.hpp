// Makes one upstream connection: the host's addresses raced, then TLS with SNI and host name check.
#pragma once

#include "core/base/failure.hpp"
#include "proxy/net/channel.hpp"
#include "proxy/net/connect_race.hpp"
#include "proxy/relay/routing.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace reauth {

/// One attempt. The failure names the trouble of every address.
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
    task<result<channel>> connect(std::vector<asio::ip::tcp::endpoint> order);
    task<result<channel>> secure(channel plain);
    failure unreachable(const std::string& why) const;

    asio::io_context& context_;
    const route& to_;
    asio::ip::basic_resolver<asio::ip::tcp, executor> resolver_;
    std::shared_ptr<connect_race> race_;
    channel* waiting_ = nullptr;
    bool stopped_ = false;
    bool at_upstream_ = false; ///< the way through the outbound proxy is open
};

} // namespace reauth
