// The Asio vocabulary of this program: one executor type, one coroutine type.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace reauth {

namespace asio = boost::asio;
using boost::system::error_code;

/// The concrete executor: no type erasure on the hot path.
using executor = asio::io_context::executor_type;

/// A coroutine that runs on one io_context. One co_await per statement, as the whole statement.
template<class T = void>
using task = asio::awaitable<T, executor>;

/// The timer that goes with them.
using loop_timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                              asio::wait_traits<std::chrono::steady_clock>, executor>;

/// Completion token for `co_await`.
inline constexpr asio::use_awaitable_t<executor> use_task{};

} // namespace reauth
