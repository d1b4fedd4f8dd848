// What goes to the audit, and what must not happen where it can't.
#pragma once

#include "proxy/evidence/audit_log.hpp"
#include "proxy/evidence/history_entry.hpp"
#include "proxy/recovery/vault_thread.hpp"
#include "proxy/vault/credential_store.hpp"

namespace reauth {

/// Name and value.
using audit_details = std::vector<std::pair<std::string, std::string>>;

/// Control thread only.
class audit_desk {
public:
    audit_desk(executor ex, credential_store& store, vault_thread& vault)
        : ex_(ex), store_(store), vault_(vault) {}

    /// Null: no audit is written. It outlives this desk's work, or is taken away before.
    void use(audit_log* log, bool required) {
        log_ = log;
        required_ = required;
    }
    bool writes() const noexcept { return log_ != nullptr; }

    /// Something happened.
    void happened(const history_entry& e);
    void say(std::string event, audit_details details, bool sign = false);
    /// Somebody wants to do what he answers for: with `audit.required` it is on the disk when this returns,
    /// or a fault::audit_unavailable, and then it must not be done.
    task<result<void>> asks(std::string event, audit_details details);
    /// A head is on the disk (called from anywhere): the vault is told, so that nobody can cut what stands
    /// before it.
    void written(const audit_head& head);

    audit_state state() const { return log_ ? log_->state() : audit_state{}; }
    /// Of every process on the vault.
    task<std::vector<std::string>> heads();

private:
    task<void> keep_head();
    executor ex_;
    credential_store& store_;
    vault_thread& vault_;
    audit_log* log_ = nullptr;
    bool required_ = false;
    std::optional<audit_head> unsaved_;
    bool saving_ = false;
};

} // namespace reauth
