// Leases: one recovery at a time among all processes that share the vault.
#include "proxy/recovery/lease.hpp"

#include "proxy/log.hpp"
#include "proxy/recovery/flow_driver.hpp"

namespace reauth {
namespace {

constexpr std::chrono::milliseconds poll{50};

} // namespace

task<result<void>> win_lease(executor ex, vault_thread& thread, credential_store& store, std::string name,
                             std::string holder, std::chrono::milliseconds ttl) {
    for (auto waited = std::chrono::milliseconds(0); waited < 2 * ttl; waited += poll) {
        auto attempt = [&] { return store.try_lease(name, holder, ttl); };
        auto won = co_await thread.run(attempt);
        if (!won) {
            auto why = won.error();
            log_event(log_level::error, "vault", {{"message", why.describe()}});
            why.transient = true;
            co_return why;
        }
        if (*won)
            co_return result<void>{};
        control_timer timer(ex, poll);
        error_code ec;
        auto token = asio::redirect_error(use_task, ec);
        co_await timer.async_wait(token);
    }
    failure held{fault::vault_unavailable,
                 "another process holds the lock \"" + name + "\" and does not give it back",
                 "try again",
                 {},
                 true};
    co_return held;
}

task<void> give_back_lease(vault_thread& thread, credential_store& store, std::string name,
                           std::string holder) {
    auto release = [&] { return store.release_lease(name, holder); };
    auto released = co_await thread.run(release);
    if (!released)
        log_event(log_level::warn, "vault", {{"message", released.error().describe()}});
}

} // namespace reauth
