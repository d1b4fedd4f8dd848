// The locks that lives hold while they recover: one recovery of a credential at a time among all processes
// that share the vault.
#pragma once

#include "policy/life_events.hpp"
#include "proxy/recovery/vault_thread.hpp"
#include "proxy/vault/credential_store.hpp"

#include <map>

namespace reauth {

/// Leases in the vault, kept alive for as long as a lock is held. Control thread only; must outlive its
/// coroutines.
class lock_keeper {
public:
    lock_keeper(executor ex, vault_thread& thread, credential_store& store, std::string holder)
        : ex_(ex), thread_(thread), store_(store), holder_(std::move(holder)) {}

    /// Waits for `name`, at most twice `ttl` (a holder that died is replaced after its ttl).
    /// fault::vault_unavailable, transient: it was not won, or the vault failed.
    task<result<void>> take(std::string name, life::work_id work, std::chrono::milliseconds ttl);
    void give_back(const std::string& name, life::work_id work);
    /// Extends what is held; call it every second or so.
    void extend();
    std::size_t held() const noexcept { return locks_.size(); }

private:
    struct lock {
        std::chrono::milliseconds ttl;
        std::chrono::steady_clock::time_point extended;
    };
    std::string holder_of(life::work_id work) const { return holder_ + "." + std::to_string(work); }
    task<void> extend_one(std::string name, life::work_id work, std::chrono::milliseconds ttl);
    task<void> release_one(std::string name, life::work_id work);

    executor ex_;
    vault_thread& thread_;
    credential_store& store_;
    std::string holder_;
    std::map<std::pair<std::string, life::work_id>, lock> locks_;
};

} // namespace reauth
