// Rows and leases in SQLite.
#include "proxy/vault/sqlite_store.hpp"

#include "proxy/vault/sqlite_schema.hpp"

#include <utility>

namespace reauth {

namespace {

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

    result<void> put(const std::string& kind, const std::string& key, const std::string& sealed,
                     std::optional<std::int64_t> expires) override {
        auto insert = db_.prepare("INSERT INTO records VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
                                  " SET sealed = excluded.sealed, expires = excluded.expires");
        if (!insert)
            return insert.error();
        return insert->bind(1, kind).bind(2, key).bind_bytes(3, sealed).bind(4, expires).run();
    }

    result<void> erase(const std::string& kind, const std::string& key) override {
        auto remove = db_.prepare("DELETE FROM records WHERE kind = ?1 AND key = ?2");
        if (!remove)
            return remove.error();
        return remove->bind(1, kind).bind(2, key).run();
    }

    result<std::vector<stored_record>> list(const std::string& kind) override {
        auto query = db_.prepare("SELECT key, sealed FROM records WHERE kind = ?1"
                                 " AND (expires IS NULL OR expires > ?2) ORDER BY key");
        if (!query)
            return query.error();
        query->bind(1, kind).bind(2, clock_());
        std::vector<stored_record> out;
        for (;;) {
            auto row = query->step();
            if (!row)
                return row.error();
            if (!*row)
                return out;
            out.push_back({query->text(0), query->text(1)});
        }
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
        auto erased = erase(kind, key);
        if (!erased)
            return erased.error();
        auto committed = change.commit();
        if (!committed)
            return committed.error();
        return value;
    }

    result<bool> try_lease(const std::string& name, const std::string& holder,
                           std::chrono::milliseconds ttl) override {
        sqlite_transaction change(db_);
        auto begun = change.begin();
        if (!begun)
            return begun.error();
        auto upsert = db_.prepare("INSERT INTO leases VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE"
                                  " SET holder = excluded.holder, until = excluded.until"
                                  " WHERE leases.until <= ?4 OR leases.holder = excluded.holder");
        if (!upsert)
            return upsert.error();
        // the clock is read inside the transaction: waiting for the lock must not eat into the lease
        const auto now = clock_();
        auto done = upsert->bind(1, name).bind(2, holder).bind(3, now + ttl.count()).bind(4, now).run();
        if (!done)
            return done.error();
        const bool won = db_.changes() == 1;
        auto committed = change.commit();
        if (!committed)
            return committed.error();
        return won;
    }

    result<void> release_lease(const std::string& name, const std::string& holder) override {
        auto remove = db_.prepare("DELETE FROM leases WHERE name = ?1 AND holder = ?2");
        if (!remove)
            return remove.error();
        return remove->bind(1, name).bind(2, holder).run();
    }

    /// Removes rows whose time is over: they are never returned, but should not pile up either.
    result<void> sweep() {
        auto remove = db_.prepare("DELETE FROM records WHERE expires <= ?1");
        if (!remove)
            return remove.error();
        return remove->bind(1, clock_()).run();
    }

private:
    static result<std::optional<std::string>> only_value(sqlite_statement& query) {
        auto row = query.step();
        if (!row)
            return row.error();
        std::optional<std::string> value;
        if (*row)
            value = query.text(0);
        return value;
    }

    sqlite_db db_;
    vault_clock clock_;
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
