// One request and its answer on a connected socket.
#pragma once

#include "core/uri.hpp"
#include "proxy/net/client_run.hpp"

#include <boost/asio/ssl/context.hpp>

namespace reauth {

/// Refuses methods and fields that would break the request's framing. fault::internal.
result<void> check_request(const http_request& request);

/// Sends `request` over run->socket, inside TLS if `tls` is set, and reads the answer of at most `max_body`
/// bytes. Connection: close; interim answers (1xx) are skipped.
task<result<http_response>> exchange(std::shared_ptr<fetch_run> run, http_request request, http_url url,
                                     std::shared_ptr<asio::ssl::context> tls, std::size_t max_body);

} // namespace reauth
