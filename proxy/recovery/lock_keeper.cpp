// Locks taken and given back. Who holds one lives: it is asked for again until it is free.
#include "proxy/recovery/lock_keeper.hpp"

#include "proxy/log/log.hpp"
#include "proxy/recovery/flow_driver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr std::chrono::milliseconds poll{20};

} // namespace

failure lock_keeper::not_won(const std::string& name) const {
    const auto ours = locks_.lower_bound({name, 0});
    const bool here = ours != locks_.end() && ours->first.first == name;
    return failure::passing(
        fault::vault_unavailable,
        here ? "what was obtained last is not stored yet, and nothing is renewed before that"
             : "another process recovers this credential and does not come to an end",
        here ? "see the log for what is wrong with the vault" : "try again");
}

task<result<void>> lock_keeper::take(std::string name, life::work_id work,
                                     std::chrono::milliseconds patience) {
    const auto give_up = std::chrono::steady_clock::now() + patience;
    for (;;) {
        auto attempt = [&] { return store_.records().try_lock(name); };
        auto won = co_await thread_.run(attempt);
        if (won && *won) {
            locks_[{name, work}] = std::move(*won);
            co_return result<void>{};
        }
        const bool over = stopped_ || std::chrono::steady_clock::now() >= give_up;
        if (!won && (over || !won.error().transient)) {
            auto why = won.error();
            log_event(log_level::error, "vault", {{"message", why.describe()}});
            why.transient = true;
            co_return why;
        }
        if (over)
            co_return not_won(name);
        loop_timer timer(ex_, poll);
        error_code ec;
        auto token = asio::redirect_error(use_task, ec);
        co_await timer.async_wait(token);
    }
}

void lock_keeper::give_back(const std::string& name, life::work_id work) {
    if (auto node = locks_.extract({name, work}))
        asio::co_spawn(ex_, release(std::move(node.mapped())), asio::detached);
}

task<void> lock_keeper::release(std::unique_ptr<vault_lock> lock) {
    auto free = [&] {
        lock.reset();
        return true;
    };
    co_await thread_.run(free);
}

} // namespace reauth
