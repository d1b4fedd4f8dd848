// Binds each value to its kind and key, and the vault to its key.
#include "proxy/vault/sealed_vault.hpp"

#include <utility>

namespace reauth {

namespace {

const std::string key_check = "key_check";
constexpr std::string_view key_check_value = "mcp-reauth";

std::optional<record_kind> kind_of(std::string_view word) {
    for (const auto kind :
         {record_kind::credential, record_kind::registration, record_kind::issuer_pin,
          record_kind::pending_authorization, record_kind::idp_session, record_kind::approval,
          record_kind::flight, record_kind::page_link, record_kind::rule, record_kind::retired,
          record_kind::postponed, record_kind::identity_end, record_kind::heard_event, record_kind::timeline,
          record_kind::audit_head})
        if (to_string(kind) == word)
            return kind;
    return std::nullopt;
}

class sealed_vault final : public vault {
public:
    sealed_vault(std::unique_ptr<record_store> store, sealer seal)
        : store_(std::move(store)), seal_(std::move(seal)) {}

    result<vault_read> read(record_kind kind, const std::string& key) override {
        auto sealed = store_->get(word(kind), key);
        if (!sealed)
            return sealed.error();
        vault_read out;
        auto value = opened(kind, key, *sealed);
        if (!value)
            return value.error();
        out.value = std::move(*value);
        out.version = sealed->value_or(std::string()); // its nonce makes every state another one
        return out;
    }

    result<bool> write(std::vector<vault_write> changes) override {
        std::vector<record_write> rows;
        for (auto& change : changes) {
            record_write row{word(change.kind), change.key, {}, {}, std::move(change.expected), true};
            if (change.value) {
                auto sealed = seal_.seal(change.value->reveal(), associated(change.kind, change.key));
                if (!sealed)
                    return sealed.error();
                row.sealed = std::move(*sealed);
            }
            if (change.expires)
                row.expires =
                    std::chrono::duration_cast<std::chrono::milliseconds>(change.expires->time_since_epoch())
                        .count();
            // who is under way ends with the machine; and no request waits for a record's disk
            row.synced = change.kind != record_kind::flight && change.kind != record_kind::timeline &&
                         change.kind != record_kind::audit_head;
            rows.push_back(std::move(row));
        }
        return store_->write(rows);
    }

    using vault::list;
    result<std::vector<vault_record>> list(record_kind kind, const std::string& prefix) override {
        return all_opened(kind, store_->list(word(kind), prefix));
    }

    result<std::vector<vault_record>> last(record_kind kind, const std::string& before,
                                           std::size_t most) override {
        return all_opened(kind, store_->last(word(kind), before, most));
    }
    result<void> keep_last(record_kind kind, std::size_t kept) override {
        return store_->keep_last(word(kind), kept);
    }

    result<std::optional<secret>> take(record_kind kind, const std::string& key) override {
        auto sealed = store_->take(word(kind), key);
        if (!sealed)
            return sealed.error();
        return opened(kind, key, *sealed);
    }

    result<std::unique_ptr<vault_lock>> try_lock(const std::string& name) override {
        return store_->try_lock(name);
    }

    result<std::vector<vault_change>> changes() override {
        auto rows = store_->changes();
        if (!rows)
            return rows.error();
        std::vector<vault_change> out;
        for (auto& row : *rows)
            if (const auto kind = kind_of(row.kind))
                out.push_back({*kind, std::move(row.key)});
        return out;
    }

    vault_bell bell() const override { return store_->bell(); }
    bool shared() const override { return store_->shared(); }
    bool locks_can_be_lost() const override { return store_->locks_can_be_lost(); }

private:
    static std::string word(record_kind kind) { return std::string(to_string(kind)); }
    static std::string associated(record_kind kind, const std::string& key) { return word(kind) + "|" + key; }

    static failure unreadable(record_kind kind, const std::string& key) {
        return vault_failure("The vault's " + word(kind) + " record for \"" + key +
                                 "\" was changed by something else and cannot be opened.",
                             "Restore the vault from a backup, or sign out and in again.");
    }

    result<std::vector<vault_record>> all_opened(record_kind kind,
                                                 const result<std::vector<stored_record>>& rows) const {
        if (!rows)
            return rows.error();
        std::vector<vault_record> out;
        for (const auto& row : *rows) {
            auto value = seal_.unseal(row.sealed, associated(kind, row.key));
            if (!value)
                return unreadable(kind, row.key);
            out.push_back({row.key, std::move(*value)});
        }
        return out;
    }

    result<std::optional<secret>> opened(record_kind kind, const std::string& key,
                                         const std::optional<std::string>& sealed) const {
        if (!sealed)
            return std::optional<secret>();
        auto value = seal_.unseal(*sealed, associated(kind, key));
        if (!value)
            return unreadable(kind, key);
        return std::optional<secret>(std::move(*value));
    }

    std::unique_ptr<record_store> store_;
    sealer seal_;
};

} // namespace

std::string_view to_string(record_kind kind) noexcept {
    switch (kind) {
    case record_kind::credential:
        return "credential";
    case record_kind::registration:
        return "registration";
    case record_kind::issuer_pin:
        return "issuer_pin";
    case record_kind::pending_authorization:
        return "pending_authorization";
    case record_kind::idp_session:
        return "idp_session";
    case record_kind::approval:
        return "approval";
    case record_kind::flight:
        return "flight";
    case record_kind::page_link:
        return "page_link";
    case record_kind::rule:
        return "rule";
    case record_kind::retired:
        return "retired";
    case record_kind::postponed:
        return "postponed";
    case record_kind::identity_end:
        return "identity_end";
    case record_kind::heard_event:
        return "heard_event";
    case record_kind::timeline:
        return "timeline";
    case record_kind::audit_head:
        return "audit_head";
    }
    return "unknown";
}

result<bool> vault_is_new(record_store& store) {
    auto check = store.read_property(key_check);
    if (!check)
        return check.error();
    return !check->has_value();
}

result<std::unique_ptr<vault>> make_sealed_vault(std::unique_ptr<record_store> store, sealer seal,
                                                 std::string where) {
    auto fresh = vault_is_new(*store);
    if (!fresh)
        return fresh.error();
    if (*fresh) {
        auto sealed = seal.seal(key_check_value, key_check);
        if (!sealed)
            return sealed.error();
        auto added = store->add_property(key_check, *sealed);
        if (!added)
            return added.error();
    }
    // read again even when just written: another process may have been first, with another key
    auto check = store->read_property(key_check);
    if (!check)
        return check.error();
    const auto value = seal.unseal(check->value_or(std::string()), key_check);
    if (!value || !value->equals(key_check_value))
        return vault_failure("The key does not open the vault " + where + ": it was made with another key.",
                             "Configure the key the vault was made with; nothing was changed.");
    return std::unique_ptr<vault>(std::make_unique<sealed_vault>(std::move(store), std::move(seal)));
}

} // namespace reauth
