// Leases taken, extended and given back.
#include "proxy/recovery/lock_keeper.hpp"

#include "proxy/log.hpp"
#include "proxy/recovery/lease.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {

task<result<void>> lock_keeper::take(std::string name, life::work_id work, std::chrono::milliseconds ttl) {
    auto won = co_await win_lease(ex_, thread_, store_, name, holder_of(work), ttl);
    if (!won)
        co_return won.error();
    locks_[{name, work}] = {ttl, std::chrono::steady_clock::now()};
    co_return result<void>{};
}

void lock_keeper::give_back(const std::string& name, life::work_id work) {
    locks_.erase({name, work});
    asio::co_spawn(ex_, release_one(name, work), asio::detached);
}

void lock_keeper::extend() {
    const auto now = std::chrono::steady_clock::now();
    for (auto& [key, kept] : locks_)
        if (now - kept.extended >= kept.ttl / 3) {
            kept.extended = now;
            asio::co_spawn(ex_, extend_one(key.first, key.second, kept.ttl), asio::detached);
        }
}

task<void> lock_keeper::extend_one(std::string name, life::work_id work, std::chrono::milliseconds ttl) {
    const auto holder = holder_of(work);
    auto again = [&] { return store_.try_lease(name, holder, ttl); };
    auto extended = co_await thread_.run(again);
    if (!extended)
        log_event(log_level::warn, "vault", {{"message", extended.error().describe()}});
    else if (!locks_.contains({name, work})) // given back meanwhile
        co_await give_back_lease(thread_, store_, name, holder);
}

task<void> lock_keeper::release_one(std::string name, life::work_id work) {
    co_await give_back_lease(thread_, store_, name, holder_of(work));
}

} // namespace reauth
