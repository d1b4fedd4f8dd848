// A TCP connection for an event_loop, made where Asio runs: names are resolved and attempts raced there.
#pragma once

#include "proxy/net/connect_race.hpp"
#include "proxy/net/owned_descriptor.hpp"
#include "proxy/net/wakeup.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// Where to.
struct dial_target {
    std::string host; ///< a name
    std::string port;
    bool prefer_ipv4 = false;
};

/// One call. Shared by who waits for it, on its loop, and the work on Asio's thread.
class dial : public std::enable_shared_from_this<dial> {
public:
    /// A connected descriptor, or why there is none, in words.
    using end = boost::system::result<owned_descriptor, std::string>;

    dial(event_loop& loop, executor where, dial_target target)
        : loop_(loop), bell_(loop), where_(where), target_(std::move(target)), resolver_(where) {}

    /// Once, on the loop.
    loop_task<end> run();
    /// From the loop: run() ends soon, with a failure.
    void cancel();

private:
    static task<void> work(std::shared_ptr<dial> self);
    task<end> connect();
    task<std::optional<std::string>> resolve();

    // the loop's side
    event_loop& loop_;
    wakeup bell_;
    std::optional<end> end_;
    // Asio's side
    executor where_;
    const dial_target target_;
    asio::ip::basic_resolver<asio::ip::tcp, executor> resolver_;
    std::vector<asio::ip::tcp::endpoint> order_;
    std::shared_ptr<connect_race> race_;
    bool cancelled_ = false;
};

} // namespace reauth
