// A lock among all processes that share a vault.
#pragma once

namespace reauth {

/// Held until it is destroyed, or its process ends: no clock decides about it. Destroy it on the vault's
/// thread.
class vault_lock {
public:
    virtual ~vault_lock() = default;
};

} // namespace reauth
