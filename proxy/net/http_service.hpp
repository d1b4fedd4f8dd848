// A small HTTP/1.1 server for pages, APIs, metrics and the demo's servers. Not the data path: that is
// proxy/relay.
#pragma once

#include "core/base/failure.hpp"
#include "core/http/http_message.hpp"
#include "proxy/net/task.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace boost::asio::ssl {
class context;
}

namespace reauth {

/// A request, read whole (at most service_options::max_body).
struct service_request {
    std::string method;
    std::string target; ///< as sent: path and query
    std::string path;   ///< without the query, not decoded
    std::string query;  ///< without '?', not decoded
    std::vector<header_field> headers;
    std::string body;
    std::optional<std::string_view>
    header(std::string_view name) const; ///< first of that name, case-insensitive
};

struct service_response {
    unsigned status = 200;
    std::vector<header_field> headers;
    std::string body;
};

/// One request and its answer: exactly one of respond() or begin_stream() is used.
class service_exchange {
public:
    virtual ~service_exchange() = default;
    virtual const service_request& request() const = 0;
    virtual task<void> respond(service_response response) = 0;
    /// Sends the head of a chunked answer; then write() any number of times. The stream ends when the handler
    /// returns.
    virtual task<void> begin_stream(service_response head) = 0;
    /// false: the peer has gone.
    virtual task<bool> write(std::string bytes) = 0;
    /// Cuts the connection without ending the answer (for faults in tests).
    virtual void abort() = 0;
    virtual bool peer_gone() const = 0;
    /// Called once, on the executor, when the peer closes while the handler waits for something else.
    virtual void on_peer_gone(std::function<void()> wake) = 0;
};

using service_handler = std::function<task<void>(service_exchange&)>;

struct service_options {
    std::shared_ptr<asio::ssl::context> tls; ///< null: plain
    std::size_t max_body = 1 << 20;
    std::chrono::milliseconds idle_timeout{60'000}; ///< for a whole head, a whole body, and each write
    /// Beyond these the connection that has been idle longest (of the same peer, for the latter) gives way; a
    /// new one is closed at once where none is idle.
    std::size_t max_connections = 1024, max_per_peer = 1024;
};

/// Listens and serves each connection with `handler` on `ex`; an exception from a handler is answered 500.
class http_service {
public:
    http_service(executor ex, service_handler handler, service_options options = {});
    ~http_service();
    http_service(const http_service&) = delete;
    /// Binds (port 0: any free port) and starts accepting; the bound port, or why not
    /// (the failure names the address and, if it is taken, says so).
    result<std::uint16_t> listen(const std::string& host, std::uint16_t port);
    /// Stops accepting and closes every connection: at once on the executor's thread, else as soon as it
    /// runs. A handler that is still suspended finds its peer gone; what it refers to must outlive it.
    void stop();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace reauth
