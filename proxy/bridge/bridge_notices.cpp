// What wants no answer: notifications, and the client's answers to the server's requests, sent one after the
// other.
#include "proxy/bridge/bridge.hpp"

#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

/// What may come with a 202.
constexpr std::size_t most_of_an_acceptance = 64 * 1024;
constexpr std::chrono::seconds patience_for_the_stream{1};

} // namespace

void bridge::post_later(held_line line, bool initialized) {
    if (initialized) {
        initialized_ = line.text;
        blocked_ = true; // what follows relies on it
    }
    notices_.push_back(std::move(line));
    if (!std::exchange(posting_, true))
        asio::co_spawn(ex_, post_in_turn(shared_from_this()), asio::detached);
}

task<void> bridge::post_in_turn(self_ptr self) {
    auto& b = *self;
    while (!b.notices_.empty() && !b.dropped_) {
        auto now = std::move(b.notices_.front());
        b.notices_.pop_front();
        const bool initialized = now.text == b.initialized_;
        const bool taken = co_await b.post_notice(std::move(now.text), initialized);
        if (now.done)
            now.done();
        if (!initialized)
            continue;
        if (taken && !b.speaks_old_ && !b.ending_) {
            b.session_.listens = true;
            asio::co_spawn(b.ex_, listen(self, b.session_.epoch), asio::detached);
            co_await b.await_stream();
        }
        b.release();
    }
    b.posting_ = false;
    b.changed_.tell();
}

/// What a server asks while it works on the first call comes by the session's stream, and is lost where that
/// is not open: the call waits for it, but not for a server that does not say whether it has one.
task<void> bridge::await_stream() {
    const auto epoch = session_.epoch;
    const auto until = std::chrono::steady_clock::now() + patience_for_the_stream;
    loop_timer alarm(ex_, until);
    alarm.async_wait([self = shared_from_this()](error_code cancelled) {
        if (!cancelled)
            self->changed_.tell();
    });
    while (!session_.heard && session_.epoch == epoch && !dropped_ &&
           std::chrono::steady_clock::now() < until)
        co_await changed_.next();
}

/// A notification, or the client's answer to a request of the server. Whether it was taken.
task<bool> bridge::post_notice(std::string text, bool initialized) {
    client_call notice;
    notice.line = std::move(text);
    for (int attempt = 0; attempt < 2 && !dropped_; ++attempt) {
        while (renewing_)
            co_await changed_.next();
        const auto epoch = session_.epoch;
        const bool in_session = speaks_old_ || !session_.id.empty();
        auto request = request_for(notice);
        auto run = link_.begin();
        notice_run_ = run;
        auto answer = co_await link_.open(std::move(run), std::move(request), endpoint_);
        const auto status = answer ? (*answer)->head().status : 0u;
        if (status >= 200 && status < 300) {
            const auto rest = co_await read_whole(**answer, most_of_an_acceptance);
            link_.give_back(std::move(*answer));
            co_return true;
        }
        const bool lost = status == 404 && attempt == 0 && in_session && !initialized;
        if (!lost) {
            log_event(
                log_level::warn, "notification not taken",
                {{"upstream", upstream_},
                 {"message", answer ? "HTTP status " + std::to_string(status) : answer.error().describe()}});
            co_return false;
        }
        link_.give_back(std::move(*answer));
        const auto renewed = co_await renew(epoch);
        if (!renewed)
            co_return false;
    }
    co_return false;
}

} // namespace reauth
