// Locks by name in PostgreSQL: advisory locks of one session, which the server ends with their holder.
#pragma once

#include "proxy/vault/postgres_connection.hpp"
#include "proxy/vault/vault_lock.hpp"

#include <chrono>
#include <memory>
#include <set>
#include <string>

namespace reauth {

/// A connection that does nothing else. While locks are held the server ends it when it hears nothing for
/// `patience` (PostgreSQL 14 and later): a holder that was stopped or cut off does not block the others for
/// long. Whoever it was can't store any more what others have stored since (vault::write).
class postgres_locks : public std::enable_shared_from_this<postgres_locks> {
public:
    static constexpr std::chrono::seconds patience{15}, heartbeat{2};

    explicit postgres_locks(const secret& dsn) : connection_(dsn, {}) {}

    result<std::unique_ptr<vault_lock>> try_lock(const std::string& name);
    void give_back(std::int64_t number);
    /// Tells the server that we live, and takes again what a lost connection has cost, where nobody else has
    /// taken it. Call it about once a second.
    result<void> keep_alive();

private:
    result<bool> acquire(std::int64_t number);
    result<void> take_again();
    std::string patience_set(bool on) const;

    postgres_connection connection_;
    std::set<std::int64_t> held_, lost_;
    std::uint64_t session_ = 0; ///< in which `held_` was taken
    std::chrono::steady_clock::time_point heard_{};
};

} // namespace reauth
