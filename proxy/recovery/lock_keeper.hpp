// The locks that lives hold while they recover: one recovery of a credential at a time among all processes
// that share the vault.
#pragma once

#include "policy/life/life_events.hpp"
#include "proxy/recovery/vault_thread.hpp"
#include "proxy/vault/credential_store.hpp"

#include <map>

namespace reauth {

/// Locks of the vault, kept until they are given back. Control thread only; must outlive its coroutines.
class lock_keeper {
public:
    lock_keeper(executor ex, vault_thread& thread, credential_store& store)
        : ex_(ex), thread_(thread), store_(store) {}

    /// Waits for `name`, at most `patience`; trouble of the vault that passes is waited for too.
    /// fault::vault_unavailable, transient: it was not won, or the vault failed.
    task<result<void>> take(std::string name, life::work_id work, std::chrono::milliseconds patience);
    void give_back(const std::string& name, life::work_id work);
    /// Whoever waits gives up.
    void stop() noexcept { stopped_ = true; }
    std::size_t held() const noexcept { return locks_.size(); }

private:
    failure not_won(const std::string& name) const;
    task<void> release(std::unique_ptr<vault_lock> lock);

    executor ex_;
    vault_thread& thread_;
    credential_store& store_;
    std::map<std::pair<std::string, life::work_id>, std::unique_ptr<vault_lock>> locks_;
    bool stopped_ = false;
};

} // namespace reauth
