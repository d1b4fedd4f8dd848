// Where credentials are kept: sealed records with durable writes, locks that serialise recovery across
// processes, and news of what other processes have written.
#pragma once

#include "core/base/failure.hpp"
#include "core/base/secret.hpp"
#include "proxy/vault/vault_bell.hpp"
#include "proxy/vault/vault_lock.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// What a record is about; part of its key and bound into its seal.
enum class record_kind {
    credential,
    registration,
    issuer_pin,
    pending_authorization,
    idp_session,
    approval,     ///< an open question, and for a while its outcome
    flight,       ///< a refresh under way: whose, of which generation
    page_link,    ///< a link that lets one browser into the dashboard once
    rule,         ///< what a person has said once for all
    retired,      ///< tokens that are not used any more, for the sign-out
    postponed,    ///< until when an authorization server wants to be left alone
    identity_end, ///< of whom nothing of before counts
    heard_event,  ///< a security event or logout token that was heard of, by its digest
    timeline,     ///< a part of a recovery's record: its id, and the process that wrote it
    audit_head    ///< how far a process's audit has come: what comes behind can't be cut unseen
};

/// A record: `key` is not secret (names and issuers; a digest where the natural key is secret), `value` is.
struct vault_record {
    std::string key;
    secret value;
};

/// A record as it was read. `version` names exactly this state of it, for a compare-and-set; empty: there is
/// no such record.
struct vault_read {
    std::optional<secret> value;
    std::string version;
};

/// One change of a batch. Without `value` the record is erased.
struct vault_write {
    record_kind kind = record_kind::credential;
    std::string key;
    std::optional<secret> value;
    std::optional<std::chrono::system_clock::time_point> expires = {};
    std::optional<std::string> expected = {}; ///< vault_read::version; nothing: whatever is there
};

/// What somebody else may have changed. An empty key: any record of the kind.
struct vault_change {
    record_kind kind = record_kind::credential;
    std::string key;
};

/// Storage behind everything that must survive a restart. Calls block briefly and may be made from one thread
/// at a time; every failure is fault::vault_unavailable. Values are sealed (AES-256-GCM, kind and key as
/// associated data) before a backend sees them.
class vault {
public:
    virtual ~vault() = default;
    virtual result<vault_read> read(record_kind kind, const std::string& key) = 0;
    /// All of it in one transaction, durable when it returns; false: an expectation was not met, and nothing
    /// was changed.
    virtual result<bool> write(std::vector<vault_write> changes) = 0;
    /// All records of a kind that have not expired, ordered by key; those whose key begins with `prefix`.
    virtual result<std::vector<vault_record>> list(record_kind kind, const std::string& prefix) = 0;
    result<std::vector<vault_record>> list(record_kind kind) { return list(kind, {}); }
    /// The last `most` of a kind in the order of their keys, before `before` where that is not empty; the
    /// last one first.
    virtual result<std::vector<vault_record>> last(record_kind kind, const std::string& before,
                                                   std::size_t most) = 0;
    /// Erases all of a kind but the last `kept`.
    virtual result<void> keep_last(record_kind kind, std::size_t kept) = 0;
    /// Reads and removes in one step: a one-use record (a pending authorization) is won by one caller only.
    virtual result<std::optional<secret>> take(record_kind kind, const std::string& key) = 0;

    /// Tries to become the only holder of `name` among all processes that share the vault, and within this
    /// one. nullptr: somebody else holds it. It ends when it is destroyed or its process dies.
    virtual result<std::unique_ptr<vault_lock>> try_lock(const std::string& name) = 0;
    /// What other processes have written since the last call; never blocks for it. The first call begins to
    /// listen and returns nothing. Also keeps the locks alive and looks whether the vault is still there:
    /// call it when bell() says so.
    virtual result<std::vector<vault_change>> changes() = 0;
    /// As it is now, after changes().
    virtual vault_bell bell() const { return {}; }
    /// Other processes may use it too.
    virtual bool shared() const = 0;
    /// A holder may lose a lock and live on (its connection broke): whoever wins it next asks first whether a
    /// refresh is under way.
    virtual bool locks_can_be_lost() const = 0;

    // The same for one record.
    result<std::optional<secret>> get(record_kind kind, const std::string& key);
    result<void> put(record_kind kind, const std::string& key, const secret& value,
                     std::optional<std::chrono::system_clock::time_point> expires = {});
    result<void> erase(record_kind kind, const std::string& key);
};

} // namespace reauth
