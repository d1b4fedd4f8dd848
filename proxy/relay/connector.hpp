// Makes one upstream connection: the host's addresses raced, then TLS with SNI and host name check.
#pragma once

#include "core/base/failure.hpp"
#include "proxy/net/channel.hpp"
#include "proxy/net/dial.hpp"
#include "proxy/relay/routing.hpp"

namespace reauth {

/// One attempt. The failure names the trouble of every address.
class connector {
public:
    /// `dialing`: where names are resolved and addresses raced.
    connector(event_loop& loop, executor dialing, const route& to)
        : loop_(loop), dialing_(dialing), to_(to) {}

    /// fault::upstream_unreachable with the host and the reason, or a connected channel (ALPN: http/1.1).
    loop_task<result<channel>> run();
    void interrupt();

private:
    loop_task<result<channel>> tunnel(channel plain);
    loop_task<result<channel>> connect_to(const asio::ip::tcp::endpoint& where);
    loop_task<result<channel>> connect();
    loop_task<result<channel>> secure(channel plain);
    failure unreachable(const std::string& why) const;

    event_loop& loop_;
    const executor dialing_;
    const route& to_;
    std::shared_ptr<dial> dial_; ///< where there is a name to be resolved
    channel* waiting_ = nullptr;
    bool stopped_ = false;
    bool at_upstream_ = false; ///< the way through the outbound proxy is open
};

} // namespace reauth
