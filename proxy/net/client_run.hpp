// One fetch under way: its deadline, the socket it holds, and how it is stopped from outside.
#pragma once

#include "core/failure.hpp"
#include "core/http_message.hpp"
#include "proxy/net/task.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

using fetch_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;
using fetch_timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                               asio::wait_traits<std::chrono::steady_clock>, executor>;

/// The addresses of a host name, in the order in which to try them.
using resolve_function = std::function<task<result<std::vector<asio::ip::address>>>(std::string host)>;

/// The system's resolver.
resolve_function system_resolver(executor ex);

/// Shared by who waits for a fetch and who performs it: name resolution cannot be interrupted, so the waiter
/// may leave first.
struct fetch_run {
    fetch_run(executor e, std::chrono::milliseconds timeout)
        : ex(e), deadline(std::chrono::steady_clock::now() + timeout), alarm(e) {}

    executor ex;
    std::chrono::steady_clock::time_point deadline;
    fetch_timer alarm; ///< the waiter sleeps on it; it rings at the deadline, or now when there is an answer
    std::shared_ptr<fetch_socket> socket;
    bool over = false; ///< nobody waits any more
    std::optional<result<http_response>> answer;

    std::chrono::milliseconds left() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(deadline -
                                                                     std::chrono::steady_clock::now());
    }
    void finish(result<http_response> outcome) {
        if (!answer)
            answer.emplace(std::move(outcome));
        alarm.expires_at((std::chrono::steady_clock::time_point::min)());
    }
    void stop() {
        over = true;
        error_code ignored;
        if (socket)
            socket->close(ignored);
    }
};

/// Trouble with a server: fault::authorization_server_unavailable.
inline failure fetch_failure(std::string message, bool transient = true, std::string fix = {}) {
    return failure::of(fault::authorization_server_unavailable, std::move(message), transient,
                       std::move(fix));
}

} // namespace reauth
