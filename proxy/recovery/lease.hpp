// Leases: one recovery at a time among all processes that share the vault.
#pragma once

#include "proxy/recovery/vault_thread.hpp"
#include "proxy/vault/credential_store.hpp"

namespace reauth {

/// Waits until `holder` holds the lease `name`, at most twice `ttl`: a holder that died is replaced after its
/// ttl. fault::vault_unavailable, transient: it was not won, or the vault failed.
task<result<void>> win_lease(executor ex, vault_thread& thread, credential_store& store, std::string name,
                             std::string holder, std::chrono::milliseconds ttl);

/// Gives it back; trouble is logged, since the lease ends by itself.
task<void> give_back_lease(vault_thread& thread, credential_store& store, std::string name,
                           std::string holder);

} // namespace reauth
