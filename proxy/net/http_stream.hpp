// An answer whose body is read as it comes.
#pragma once

#include "core/http/http_message.hpp"
#include "core/text/uri.hpp"
#include "proxy/net/client_run.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>

namespace reauth {

/// Used from its executor only; whoever holds it may let it go at any time that nothing is read.
class http_stream {
public:
    virtual ~http_stream() = default;
    /// Status and fields; its body is empty.
    const http_response& head() const noexcept { return head_; }
    /// The next bytes of the body, its transfer coding taken off; empty: that was all.
    /// fault::upstream_timeout if nothing came until then, upstream_malformed.
    virtual task<result<std::string>> read(std::chrono::steady_clock::time_point until) = 0;
    /// The connection, for another request, where it was asked to be kept, the server keeps it and the answer
    /// was read to its end; else nullptr. Nothing can be read here any more.
    virtual std::shared_ptr<client_socket> reuse() { return nullptr; }

protected:
    http_response head_;
};

/// Refuses methods and fields that would break the request's framing. fault::internal.
result<void> check_request(const http_request& request);

/// Sends `request` over run->socket, inside TLS if `tls` is set, and reads the answer's head. Connection:
/// close, unless run->keep (without TLS); interim answers (1xx) are skipped.
task<result<std::unique_ptr<http_stream>>> begin_exchange(std::shared_ptr<client_run> run,
                                                          http_request request, http_url url,
                                                          std::shared_ptr<asio::ssl::context> tls);

} // namespace reauth
