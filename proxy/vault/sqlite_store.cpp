// Rows in SQLite; locks in a file beside it; news by data_version, which moves when others commit, and
// by inotify, which says when to look.
#include "proxy/vault/sqlite_store.hpp"

#include "conf/file_watch.hpp"
#include "proxy/vault/file_lock.hpp"
#include "proxy/vault/sqlite_schema.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

namespace reauth {

namespace {

constexpr std::int64_t sweep_pause_ms = 10 * 60 * 1000;

/// While it lives a commit does not wait for the disk (in WAL mode it is whole all the same).
class unsynced_commit {
public:
    unsynced_commit(sqlite_db& db, bool wanted) : db_(wanted ? &db : nullptr) {
        if (db_)
            (void)db_->execute("PRAGMA synchronous = NORMAL");
    }
    ~unsynced_commit() {
        if (db_)
            (void)db_->execute("PRAGMA synchronous = FULL");
    }
    unsynced_commit(const unsynced_commit&) = delete;

private:
    sqlite_db* db_;
};

template<class Query>
result<std::vector<stored_record>> all_rows(Query& query) {
    std::vector<stored_record> out;
    for (;;) {
        auto row = query.step();
        if (!row)
            return row.error();
        if (!*row)
            return out;
        out.push_back({query.text(0), query.text(1)});
    }
}

class sqlite_store final : public record_store {
public:
    sqlite_store(sqlite_db db, vault_clock clock) : db_(std::move(db)), clock_(std::move(clock)) {}

    result<std::optional<std::string>> read_property(const std::string& name) override {
        auto query = db_.prepare("SELECT value FROM properties WHERE name = ?1");
        if (!query)
            return query.error();
        return only_value(query->bind(1, name));
    }

    result<void> add_property(const std::string& name, const std::string& value) override {
        auto insert = db_.prepare("INSERT INTO properties VALUES (?1, ?2) ON CONFLICT DO NOTHING");
        if (!insert)
            return insert.error();
        return insert->bind(1, name).bind_bytes(2, value).run();
    }

    result<std::optional<std::string>> get(const std::string& kind, const std::string& key) override {
        auto query = db_.prepare("SELECT sealed FROM records WHERE kind = ?1 AND key = ?2"
                                 " AND (expires IS NULL OR expires > ?3)");
        if (!query)
            return query.error();
        return only_value(query->bind(1, kind).bind(2, key).bind(3, clock_()));
    }

    result<std::vector<stored_record>> list(const std::string& kind, const std::string& prefix) override {
        const auto end = behind_prefix(prefix);
        auto query = db_.prepare(
            "SELECT key, sealed FROM records WHERE kind = ?1 AND (expires IS NULL OR expires > ?2)"
            " AND key >= ?3" +
            std::string(end.empty() ? "" : " AND key < ?4") + " ORDER BY key");
        if (!query)
            return query.error();
        query->bind(1, kind).bind(2, clock_()).bind(3, prefix);
        if (!end.empty())
            query->bind(4, end);
        return all_rows(*query);
    }

    result<std::vector<stored_record>> last(const std::string& kind, const std::string& before,
                                            std::size_t most) override {
        auto query = db_.prepare(
            "SELECT key, sealed FROM records WHERE kind = ?1 AND (expires IS NULL OR expires > ?2)"
            " AND (?3 = '' OR key < ?3) ORDER BY key DESC LIMIT ?4");
        if (!query)
            return query.error();
        query->bind(1, kind).bind(2, clock_()).bind(3, before).bind(4, static_cast<std::int64_t>(most));
        return all_rows(*query);
    }

    result<void> keep_last(const std::string& kind, std::size_t kept) override {
        const unsynced_commit no_wait(db_, true);
        auto erase =
            db_.prepare("DELETE FROM records WHERE kind = ?1 AND key <="
                        " (SELECT key FROM records WHERE kind = ?1 ORDER BY key DESC LIMIT 1 OFFSET ?2)");
        if (!erase)
            return erase.error();
        erase->bind(1, kind).bind(2, static_cast<std::int64_t>(kept));
        auto done = erase->step();
        return done ? result<void>{} : result<void>(done.error());
    }

    // not DELETE … RETURNING: SQLite 3.40 evaluates expressions over WITHOUT ROWID rows wrongly there
    result<std::optional<std::string>> take(const std::string& kind, const std::string& key) override {
        sqlite_transaction change(db_);
        auto begun = change.begin();
        if (!begun)
            return begun.error();
        auto value = get(kind, key);
        if (!value)
            return value;
        auto erased = write_one({kind, key, {}, {}, {}});
        if (!erased)
            return erased.error();
        auto committed = change.commit();
        if (!committed)
            return committed.error();
        return value;
    }

    result<bool> write(const std::vector<record_write>& changes) override {
        auto there = still_there();
        if (!there)
            return there.error();
        const bool synced =
            std::any_of(changes.begin(), changes.end(), [](const auto& one) { return one.synced; });
        const unsynced_commit no_wait(db_, !synced);
        sqlite_transaction change(db_);
        auto begun = change.begin();
        if (!begun)
            return begun.error();
        for (const auto& one : changes) {
            auto met = write_one(one);
            if (!met || !*met)
                return met; // goes uncommitted
        }
        auto committed = change.commit();
        if (!committed)
            return committed.error();
        for (const auto& one : changes) // our own are no news to us
            if (one.sealed && data_version_ != 0)
                seen_[{one.kind, one.key}] = std::hash<std::string>()(*one.sealed);
        return true;
    }

    result<std::unique_ptr<vault_lock>> try_lock(const std::string& name) override {
        return try_file_lock(db_.path() + "-locks", name);
    }

    result<std::vector<record_change>> changes() override {
        watch_.drain(); // before the look: what comes later rings again
        auto there = still_there();
        if (there)
            there = db_.writable();
        if (there && clock_() >= sweep_at_)
            there = sweep();
        if (!there)
            return there.error();
        auto version = db_.number("PRAGMA data_version");
        if (!version)
            return version.error();
        std::vector<record_change> out;
        if (*version == data_version_)
            return out;
        auto query = db_.prepare("SELECT kind, key, sealed FROM records WHERE kind IN"
                                 " ('credential', 'idp_session', 'approval', 'rule', 'identity_end')");
        if (!query)
            return query.error();
        std::map<std::pair<std::string, std::string>, std::size_t> now;
        for (;;) {
            auto row = query->step();
            if (!row)
                return row.error();
            if (!*row)
                break;
            now.emplace(std::pair(query->text(0), query->text(1)), std::hash<std::string>()(query->text(2)));
        }
        if (data_version_ != 0)
            for (const auto& [id, digest] : now)
                if (const auto before = seen_.find(id); before == seen_.end() || before->second != digest)
                    out.push_back({id.first, id.second});
        seen_ = std::move(now);
        data_version_ = *version;
        return out;
    }
    vault_bell bell() const override {
        return watch_.descriptor() < 0 ? vault_bell{} : vault_bell{watch_.descriptor(), seldom};
    }
    bool shared() const override { return true; }
    bool locks_can_be_lost() const override { return false; }

    /// Removes rows whose time is over: they are never returned, but should not pile up either.
    result<void> sweep() {
        auto remove = db_.prepare("DELETE FROM records WHERE expires <= ?1");
        if (!remove)
            return remove.error();
        sweep_at_ = clock_() + sweep_pause_ms;
        return remove->bind(1, clock_()).run();
    }

private:
    /// Within a transaction, or alone where there is no expectation. false: the expectation was not met.
    result<bool> write_one(const record_write& change) {
        const bool absent = change.expected && change.expected->empty();
        std::string sql;
        if (!change.sealed)
            sql = "DELETE FROM records WHERE kind = ?1 AND key = ?2";
        else if (change.expected && !absent)
            sql = "UPDATE records SET sealed = ?3, expires = ?4 WHERE kind = ?1 AND key = ?2";
        else
            sql = "INSERT INTO records VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
                  " SET sealed = excluded.sealed, expires = excluded.expires";
        if (absent && change.sealed)
            sql += " WHERE records.expires <= ?6";
        else if (change.expected)
            sql += " AND sealed = ?5";
        auto statement = db_.prepare(sql);
        if (!statement)
            return statement.error();
        statement->bind(1, change.kind).bind(2, change.key);
        if (change.sealed)
            statement->bind_bytes(3, *change.sealed).bind(4, change.expires);
        if (change.expected && !absent)
            statement->bind_bytes(5, *change.expected);
        if (absent && change.sealed)
            statement->bind(6, clock_());
        auto done = statement->run();
        if (!done)
            return done.error();
        return !change.expected || db_.changes() == 1;
    }

    /// A file that was removed or replaced while it is open takes writes that nobody will ever read.
    result<void> still_there() {
        if (db_.still_named())
            return {};
        return vault_failure("The vault file " + db_.path() + " was removed or replaced while it is in use.",
                             "Put it back, or restart mcp-reauth to begin with an empty vault and sign in "
                             "again.");
    }

    static result<std::optional<std::string>> only_value(sqlite_statement& query) {
        auto row = query.step();
        if (!row)
            return row.error();
        std::optional<std::string> value;
        if (*row)
            value = query.text(0);
        return value;
    }

    /// What no event tells: a file system that turned read-only.
    static constexpr std::chrono::seconds seldom{30};

    sqlite_db db_;
    file_watch watch_{{db_.path()}};
    vault_clock clock_;
    std::int64_t sweep_at_ = 0;
    std::int64_t data_version_ = 0;                                   ///< when we looked last; 0: never
    std::map<std::pair<std::string, std::string>, std::size_t> seen_; ///< digests of what was there then
};

} // namespace

result<std::unique_ptr<record_store>> open_sqlite_store(const std::string& path, vault_clock clock) {
    auto db = sqlite_db::open(path);
    if (!db)
        return db.error();
    auto ready = prepare_schema(*db);
    if (!ready)
        return ready.error();
    auto store = std::make_unique<sqlite_store>(std::move(*db), std::move(clock));
    auto swept = store->sweep();
    if (!swept)
        return swept.error();
    return std::unique_ptr<record_store>(std::move(store));
}

} // namespace reauth
