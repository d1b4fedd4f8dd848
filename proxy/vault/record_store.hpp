// What a vault backend provides: durable rows of sealed bytes and leases. Backends never see a secret.
#pragma once

#include "core/failure.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// Milliseconds since the Unix epoch; a vault's clock is wall time because it is shared by processes and
/// restarts.
using vault_clock = std::function<std::int64_t()>;
std::int64_t wall_milliseconds();

/// One row of a kind.
struct stored_record {
    std::string key;
    std::string sealed;
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
    virtual result<void> put(const std::string& kind, const std::string& key, const std::string& sealed,
                             std::optional<std::int64_t> expires) = 0;
    virtual result<void> erase(const std::string& kind, const std::string& key) = 0;
    virtual result<std::vector<stored_record>> list(const std::string& kind) = 0;
    virtual result<std::optional<std::string>> take(const std::string& kind, const std::string& key) = 0;

    virtual result<bool> try_lease(const std::string& name, const std::string& holder,
                                   std::chrono::milliseconds ttl) = 0;
    virtual result<void> release_lease(const std::string& name, const std::string& holder) = 0;
};

/// A fault::vault_unavailable.
failure vault_failure(std::string message, std::string fix = {}, bool transient = false);

} // namespace reauth
