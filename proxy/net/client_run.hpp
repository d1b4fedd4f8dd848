// One outbound request under way: its deadline, the socket it holds, and how it is stopped from outside.
#pragma once

#include "core/base/failure.hpp"
#include "proxy/net/task.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace reauth {

/// TCP, or any other stream: who is at its other end was settled when it was connected.
using client_socket = asio::basic_stream_socket<asio::generic::stream_protocol, executor>;

/// Shared by who waits for an answer and who performs it: name resolution cannot be interrupted, so the
/// waiter may leave first.
struct client_run {
    client_run(executor e, std::chrono::steady_clock::time_point until) : ex(e), deadline(until), alarm(e) {}

    executor ex;
    std::chrono::steady_clock::time_point deadline;
    loop_timer alarm; ///< the waiter sleeps on it; it rings at the deadline, or now when there is an answer
    std::shared_ptr<client_socket> socket;
    std::function<void()> cancel; ///< what is under way before there is a socket
    bool over = false;            ///< nobody waits any more
    bool keep = false;            ///< the connection may serve another request: http_stream::reuse()

    std::chrono::milliseconds left() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(deadline -
                                                                     std::chrono::steady_clock::now());
    }
    /// There is an answer.
    void ring() { alarm.expires_at((std::chrono::steady_clock::time_point::min)()); }
    void stop() {
        over = true;
        error_code ignored;
        if (cancel)
            cancel();
        if (socket)
            socket->close(ignored);
    }
};

/// The server can't be reached: trying again later may work.
inline failure unreachable_failure(std::string message, std::string fix = {}) {
    return failure::passing(fault::upstream_unreachable, std::move(message), std::move(fix));
}

} // namespace reauth
