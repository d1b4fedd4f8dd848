// Advisory locks: a session may take one twice, so what this process holds is kept here too.
#ifdef REAUTH_POSTGRES
#include "proxy/vault/postgres_locks.hpp"

#include "proxy/vault/file_lock.hpp"

namespace reauth {

namespace {

class advisory_lock final : public vault_lock {
public:
    advisory_lock(std::shared_ptr<postgres_locks> locks, std::int64_t number)
        : locks_(std::move(locks)), number_(number) {}
    ~advisory_lock() override { locks_->give_back(number_); }

private:
    std::shared_ptr<postgres_locks> locks_;
    std::int64_t number_;
};

constexpr int first_with_patience = 140000;

} // namespace

std::string postgres_locks::patience_set(bool on) const {
    if (connection_.server_version() < first_with_patience)
        return {};
    return ", set_config('idle_session_timeout', '" + (on ? std::to_string(patience.count()) + "s" : "0") +
           "', false)";
}

/// Never sent again by itself: taken twice in one session it would stay behind.
result<bool> postgres_locks::acquire(std::int64_t number) {
    auto won = connection_.run("SELECT pg_try_advisory_lock($1::bigint)" + patience_set(true),
                               {std::to_string(number)}, postgres_repeat::never);
    if (!won)
        return won.error();
    return won->only() == "t";
}

result<void> postgres_locks::take_again() {
    auto connected = connection_.ready();
    if (!connected)
        return connected;
    if (connection_.session() != session_) {
        session_ = connection_.session();
        lost_ = held_;
    }
    for (auto at = lost_.begin(); at != lost_.end();) {
        auto won = acquire(*at);
        if (!won)
            return won.error();
        at = *won ? lost_.erase(at) : std::next(at);
    }
    return {};
}

result<std::unique_ptr<vault_lock>> postgres_locks::try_lock(const std::string& name) {
    const auto number = lock_number(name);
    auto again = take_again();
    if (!again)
        return again.error();
    if (held_.contains(number))
        return std::unique_ptr<vault_lock>();
    auto won = acquire(number);
    if (!won)
        return won.error();
    heard_ = std::chrono::steady_clock::now();
    if (!*won)
        return std::unique_ptr<vault_lock>();
    held_.insert(number);
    return std::unique_ptr<vault_lock>(std::make_unique<advisory_lock>(shared_from_this(), number));
}

void postgres_locks::give_back(std::int64_t number) {
    held_.erase(number);
    if (lost_.erase(number) > 0 || connection_.session() != session_)
        return; // it went with its session
    // what fails here went with its session too
    (void)connection_.run("SELECT pg_advisory_unlock($1::bigint)" + patience_set(!held_.empty()),
                          {std::to_string(number)}, postgres_repeat::never);
}

result<void> postgres_locks::keep_alive() {
    const auto now = std::chrono::steady_clock::now();
    if (held_.empty() || now - heard_ < heartbeat)
        return {};
    heard_ = now;
    auto alive = connection_.run("SELECT 1", {}, postgres_repeat::never);
    if (!alive && !alive.error().transient)
        return alive.error();
    return take_again();
}

} // namespace reauth
#endif
