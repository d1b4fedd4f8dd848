// One connection of http_service; internal to it.
#pragma once

#include "proxy/net/http_service.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <map>
#include <string>

namespace reauth {

using service_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;

/// A connection as its service sees it.
struct open_connection {
    std::function<void()> close;
    std::string peer;             ///< its address without the port
    std::uint64_t idle_since = 0; ///< by `service_shared::turns`; 0: a request is being answered
};

/// What the connections of one service share: its handler, its options, and how to close each that is open.
struct service_shared {
    service_handler handler;
    service_options options;
    std::uint64_t turns = 0; ///< counts connections that went idle
    std::map<const void*, open_connection> connections;

    /// Whether another connection of `peer` may be taken, at the price of one that is idle.
    bool make_room(const std::string& peer);
};

/// Serves the accepted socket until it closes, on the socket's executor.
void start_service_connection(service_socket socket, std::shared_ptr<service_shared> shared);

} // namespace reauth
