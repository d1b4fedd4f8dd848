// Drives a sans-IO flow with the real network and the real clock.
#pragma once

#include "policy/flow.hpp"
#include "proxy/recovery/fetcher.hpp"

#include <boost/asio/steady_timer.hpp>

namespace reauth {

using control_timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                                 asio::wait_traits<std::chrono::steady_clock>, executor>;

/// Performs every effect of `f` until it ends.
template<class T>
task<T> drive(executor ex, fetcher& network, fetch_options options, flow<T> f) {
    f.start();
    while (!f.done()) {
        if (auto* wanted = std::get_if<fetch>(&f.wanted())) {
            auto request = std::move(wanted->request);
            auto answer = co_await network.fetch(std::move(request), options);
            f.resume(std::move(answer));
        } else if (auto* rest = std::get_if<pause>(&f.wanted())) {
            control_timer timer(ex, rest->duration);
            error_code ec;
            auto token = asio::redirect_error(use_task, ec);
            co_await timer.async_wait(token);
            f.resume();
        }
    }
    co_return f.value();
}

} // namespace reauth
