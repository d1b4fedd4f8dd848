// One connection of http_service; internal to it.
#pragma once

#include "proxy/net/http_service.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <map>

namespace reauth {

using service_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;

/// What the connections of one service share: its handler, its options, and how to close each that is open.
struct service_shared {
    service_handler handler;
    service_options options;
    std::map<const void*, std::function<void()>> connections;
};

/// Serves the accepted socket until it closes, on the socket's executor.
void start_service_connection(service_socket socket, std::shared_ptr<service_shared> shared);

} // namespace reauth
