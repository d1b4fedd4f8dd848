// Rows in a map.
#include "proxy/vault/memory_store.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace reauth {

namespace {

struct row {
    std::string sealed;
    std::optional<std::int64_t> expires;
};

/// Names that are held, shared with the locks themselves.
using names = std::shared_ptr<std::set<std::string>>;

class memory_lock final : public vault_lock {
public:
    memory_lock(names held, std::string name) : held_(std::move(held)), name_(std::move(name)) {}
    ~memory_lock() override { held_->erase(name_); }

private:
    names held_;
    std::string name_;
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

    result<bool> write(const std::vector<record_write>& changes) override {
        std::erase_if(rows_, [this](const auto& entry) { return expired(entry.second); });
        for (const auto& change : changes) {
            const auto found = rows_.find({change.kind, change.key});
            if (change.expected && *change.expected != (found == rows_.end() ? "" : found->second.sealed))
                return false;
        }
        for (const auto& change : changes) {
            if (change.sealed)
                rows_[{change.kind, change.key}] = {*change.sealed, change.expires};
            else
                rows_.erase({change.kind, change.key});
        }
        return true;
    }

    result<std::vector<stored_record>> list(const std::string& kind, const std::string& prefix) override {
        std::vector<stored_record> out;
        for (auto it = rows_.lower_bound({kind, prefix}); it != rows_.end(); ++it) {
            const auto& [key, value] = *it;
            if (key.first != kind || !key.second.starts_with(prefix))
                break;
            if (!expired(value))
                out.push_back({key.second, value.sealed});
        }
        return out;
    }

    result<std::vector<stored_record>> last(const std::string& kind, const std::string& before,
                                            std::size_t most) override {
        auto all = *list(kind, {});
        std::erase_if(all, [&](const auto& r) { return !before.empty() && r.key >= before; });
        std::reverse(all.begin(), all.end());
        if (all.size() > most)
            all.resize(most);
        return all;
    }

    result<void> keep_last(const std::string& kind, std::size_t kept) override {
        auto all = *list(kind, {});
        for (std::size_t i = 0; i + kept < all.size(); ++i)
            rows_.erase({kind, all[i].key});
        return {};
    }

    result<std::optional<std::string>> take(const std::string& kind, const std::string& key) override {
        auto value = get(kind, key);
        rows_.erase({kind, key});
        return value;
    }

    result<std::unique_ptr<vault_lock>> try_lock(const std::string& name) override {
        std::unique_ptr<vault_lock> lock;
        if (locked_->insert(name).second)
            lock = std::make_unique<memory_lock>(locked_, name);
        return lock;
    }
    result<std::vector<record_change>> changes() override { return std::vector<record_change>(); }
    bool shared() const override { return false; }
    bool locks_can_be_lost() const override { return false; }

private:
    bool expired(const row& r) const { return r.expires && *r.expires <= clock_(); }

    vault_clock clock_;
    std::map<std::string, std::string> properties_;
    std::map<std::pair<std::string, std::string>, row> rows_;
    names locked_ = std::make_shared<std::set<std::string>>();
};

} // namespace

std::unique_ptr<record_store> make_memory_store(vault_clock clock) {
    return std::make_unique<memory_store>(std::move(clock));
}

} // namespace reauth
