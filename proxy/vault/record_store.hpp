// What a vault backend provides: durable rows of sealed bytes, locks that end with their holder, and news of
// what others have written. Backends never see a secret.
#pragma once

#include "core/base/failure.hpp"
#include "proxy/vault/vault_bell.hpp"
#include "proxy/vault/vault_lock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// Milliseconds since the Unix epoch; a vault's clock is wall time because it is shared by processes and
/// restarts. It decides only when a record has expired, never who owns what.
using vault_clock = std::function<std::int64_t()>;
std::int64_t wall_milliseconds();

/// One row of a kind.
struct stored_record {
    std::string key;
    std::string sealed;
};

/// One change of a batch.
struct record_write {
    std::string kind, key;
    std::optional<std::string> sealed;   ///< nothing: erase
    std::optional<std::int64_t> expires; ///< nothing: never
    /// Only if the row is exactly this now (compare-and-set); empty: only if there is none. Nothing: whatever
    /// is there.
    std::optional<std::string> expected;
    bool synced = true; ///< false: it may be lost with the machine, though not with the process
};

/// A row that somebody else may have changed. An empty key: any of the kind.
struct record_change {
    std::string kind, key;
};

/// A backend. Same threading rule and failures as `vault`; expired rows are never returned.
class record_store {
public:
    virtual ~record_store() = default;

    /// A property of the vault as a whole (the key check).
    virtual result<std::optional<std::string>> read_property(const std::string& name) = 0;
    /// Sets a property unless it is set: the first writer wins.
    virtual result<void> add_property(const std::string& name, const std::string& value) = 0;

    virtual result<std::optional<std::string>> get(const std::string& kind, const std::string& key) = 0;
    /// Those whose key begins so, in the order of their keys' bytes; no others are looked at.
    virtual result<std::vector<stored_record>> list(const std::string& kind, const std::string& prefix) = 0;
    /// The last `most` of a kind in the order of their keys' bytes, before `before` where that is not empty;
    /// the last one first.
    virtual result<std::vector<stored_record>> last(const std::string& kind, const std::string& before,
                                                    std::size_t most) = 0;
    /// Erases all of a kind but the last `kept`.
    virtual result<void> keep_last(const std::string& kind, std::size_t kept) = 0;
    virtual result<std::optional<std::string>> take(const std::string& kind, const std::string& key) = 0;
    /// All of it in one transaction, durable when it returns; false: an expectation was not met, and nothing
    /// was changed.
    virtual result<bool> write(const std::vector<record_write>& changes) = 0;

    /// See vault::try_lock and vault::changes.
    virtual result<std::unique_ptr<vault_lock>> try_lock(const std::string& name) = 0;
    virtual result<std::vector<record_change>> changes() = 0;
    virtual vault_bell bell() const { return {}; }
    virtual bool shared() const = 0;
    virtual bool locks_can_be_lost() const = 0;
};

/// The first key behind all that begin with `prefix`; empty: there is none.
std::string behind_prefix(std::string prefix);

/// A fault::vault_unavailable.
failure vault_failure(std::string message, std::string fix = {}, bool transient = false);

} // namespace reauth
