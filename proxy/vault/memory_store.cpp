// Rows in a map.
#include "proxy/vault/memory_store.hpp"

#include <map>
#include <utility>

namespace reauth {

namespace {

struct row {
    std::string sealed;
    std::optional<std::int64_t> expires;
};

struct lease {
    std::string holder;
    std::int64_t until = 0;
};

class memory_store final : public record_store {
public:
    explicit memory_store(vault_clock clock) : clock_(std::move(clock)) {}

    result<std::optional<std::string>> read_property(const std::string& name) override {
        const auto found = properties_.find(name);
        return found == properties_.end() ? std::optional<std::string>() : std::optional(found->second);
    }

    result<void> add_property(const std::string& name, const std::string& value) override {
        properties_.emplace(name, value);
        return {};
    }

    result<std::optional<std::string>> get(const std::string& kind, const std::string& key) override {
        const auto found = rows_.find({kind, key});
        return found == rows_.end() || expired(found->second) ? std::optional<std::string>()
                                                              : std::optional(found->second.sealed);
    }

    result<void> put(const std::string& kind, const std::string& key, const std::string& sealed,
                     std::optional<std::int64_t> expires) override {
        std::erase_if(rows_, [this](const auto& entry) { return expired(entry.second); });
        rows_[{kind, key}] = {sealed, expires};
        return {};
    }

    result<void> erase(const std::string& kind, const std::string& key) override {
        rows_.erase({kind, key});
        return {};
    }

    result<std::vector<stored_record>> list(const std::string& kind) override {
        std::vector<stored_record> out;
        for (const auto& [key, value] : rows_)
            if (key.first == kind && !expired(value))
                out.push_back({key.second, value.sealed});
        return out;
    }

    result<std::optional<std::string>> take(const std::string& kind, const std::string& key) override {
        auto value = get(kind, key);
        rows_.erase({kind, key});
        return value;
    }

    result<bool> try_lease(const std::string& name, const std::string& holder,
                           std::chrono::milliseconds ttl) override {
        const auto now = clock_();
        auto& held = leases_[name];
        if (held.until > now && held.holder != holder)
            return false;
        held = {holder, now + ttl.count()};
        return true;
    }

    result<void> release_lease(const std::string& name, const std::string& holder) override {
        const auto found = leases_.find(name);
        if (found != leases_.end() && found->second.holder == holder)
            leases_.erase(found);
        return {};
    }

private:
    bool expired(const row& r) const { return r.expires && *r.expires <= clock_(); }

    vault_clock clock_;
    std::map<std::string, std::string> properties_;
    std::map<std::pair<std::string, std::string>, row> rows_;
    std::map<std::string, lease> leases_;
};

} // namespace

std::unique_ptr<record_store> make_memory_store(vault_clock clock) {
    return std::make_unique<memory_store>(std::move(clock));
}

} // namespace reauth
