// Two threads, one after the other.
#include "proxy/net/dial.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

namespace reauth {

loop_task<dial::end> dial::run() {
    const auto self = shared_from_this();
    asio::co_spawn(where_, work(self), asio::detached);
    while (!end_)
        co_await bell_.wait();
    co_return std::move(*end_);
}

void dial::cancel() {
    asio::post(where_, [self = shared_from_this()] {
        self->cancelled_ = true;
        self->resolver_.cancel();
        if (self->race_)
            self->race_->cancel();
    });
}

task<void> dial::work(std::shared_ptr<dial> self) {
    std::optional<end> made;
    try {
        auto connected = co_await self->connect();
        made.emplace(std::move(connected));
    } catch (const std::exception& e) {
        made.emplace(std::string(e.what()));
    }
    auto& loop = self->loop_;
    loop.post([self = std::move(self), made = std::move(made)]() mutable {
        self->end_ = std::move(made);
        self->bell_.notify();
    });
}

/// In the order in which they are tried; else why there are none.
task<std::optional<std::string>> dial::resolve() {
    error_code ec;
    const auto number = static_cast<unsigned short>(std::stoi(target_.port));
    auto token = asio::redirect_error(use_task, ec);
    constexpr auto flags = asio::ip::tcp::resolver::numeric_service;
    const auto resolved = co_await resolver_.async_resolve(target_.host, target_.port, flags, token);
    if (cancelled_)
        co_return "its name was not resolved in time";
    if (ec)
        co_return "its name can't be resolved (" + ec.message() + ")";
    std::vector<asio::ip::address> found;
    for (const auto& entry : resolved)
        found.push_back(entry.endpoint().address());
    for (const auto& address : plan_addresses(std::move(found), target_.prefer_ipv4))
        order_.emplace_back(address, number);
    co_return std::nullopt;
}

task<dial::end> dial::connect() {
    auto trouble = co_await resolve();
    if (trouble)
        co_return std::move(*trouble);
    if (cancelled_)
        co_return std::string("no answer in time");
    race_ = std::make_shared<connect_race>(where_, std::move(order_));
    auto made = co_await race_->run();
    race_.reset();
    if (!made)
        co_return cancelled_ ? std::string("no answer in time") : made.error();
    error_code ec;
    owned_descriptor connected((*made)->release(ec));
    if (ec)
        co_return ec.message();
    co_return std::move(connected);
}

} // namespace reauth
