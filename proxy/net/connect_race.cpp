// Begun by the schedule, ended by whichever connects.
#include "proxy/net/connect_race.hpp"

namespace reauth {
namespace {

void close(const std::shared_ptr<client_socket>& socket) {
    error_code ignored;
    if (socket)
        socket->close(ignored);
}

} // namespace

void connect_race::begin(std::size_t which) {
    auto socket = std::make_shared<client_socket>(ex_);
    attempts_.push_back({socket, std::nullopt});
    socket->async_connect(order_[which], [self = shared_from_this(), which, socket](error_code ec) {
        self->attempts_[which].end = ec;
        if (ec)
            self->schedule_.failed();
        else if (self->winner_ || self->cancelled_)
            close(socket);
        else
            self->winner_ = socket;
        self->bell_.cancel();
    });
}

std::string connect_race::said() const {
    std::string all;
    for (std::size_t i = 0; i < attempts_.size(); ++i) {
        const auto ec = attempts_[i].end.value_or(error_code(asio::error::timed_out));
        all += (all.empty() ? "" : ", ") + in_brackets(order_[i].address()) + ": " + ec.message();
    }
    return all;
}

task<boost::system::result<std::shared_ptr<client_socket>, std::string>> connect_race::run() {
    const auto keep = shared_from_this();
    attempts_.reserve(order_.size());
    while (!winner_ && !cancelled_ && !schedule_.hopeless()) {
        if (const auto which = schedule_.begin(std::chrono::steady_clock::now())) {
            begin(*which);
            continue;
        }
        bell_.expires_at(schedule_.next_at());
        error_code ec;
        auto token = asio::redirect_error(use_task, ec);
        co_await bell_.async_wait(token);
    }
    for (const auto& one : attempts_)
        if (one.socket != winner_)
            close(one.socket);
    if (winner_)
        co_return winner_;
    co_return said();
}

void connect_race::cancel() {
    cancelled_ = true;
    for (const auto& one : attempts_)
        close(one.socket);
    bell_.cancel();
}

} // namespace reauth
