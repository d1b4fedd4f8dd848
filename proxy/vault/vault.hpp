// Where credentials are kept: sealed records with durable writes, and leases that serialise recovery across
// processes.
#pragma once

#include "core/failure.hpp"
#include "core/secret.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// What a record is about; part of its key and bound into its seal.
enum class record_kind { credential, registration, issuer_pin, pending_authorization, idp_session };

/// A record: `key` is not secret (names and issuers; a digest where the natural key is secret), `value` is.
struct vault_record {
    std::string key;
    secret value;
};

/// Storage behind everything that must survive a restart. Calls block briefly and may be made from one thread
/// at a time; every failure is fault::vault_unavailable. Values are sealed (AES-256-GCM, kind and key as
/// associated data) before a backend sees them.
class vault {
public:
    virtual ~vault() = default;
    virtual result<std::optional<secret>> get(record_kind kind, const std::string& key) = 0;
    /// Durable when it returns.
    virtual result<void> put(record_kind kind, const std::string& key, const secret& value,
                             std::optional<std::chrono::system_clock::time_point> expires = {}) = 0;
    virtual result<void> erase(record_kind kind, const std::string& key) = 0;
    /// All records of a kind that have not expired, ordered by key.
    virtual result<std::vector<vault_record>> list(record_kind kind) = 0;
    /// Reads and removes in one step: a one-use record (a pending authorization) is won by one caller only.
    virtual result<std::optional<secret>> take(record_kind kind, const std::string& key) = 0;

    /// Tries to become the only holder of `name` among all processes that share the vault, for at most `ttl`.
    /// true: won. A holder that died is replaced after its ttl.
    virtual result<bool> try_lease(const std::string& name, const std::string& holder,
                                   std::chrono::milliseconds ttl) = 0;
    virtual result<void> release_lease(const std::string& name, const std::string& holder) = 0;
};

} // namespace reauth
