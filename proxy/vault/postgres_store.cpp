// Rows in PostgreSQL. Sealed bytes travel and rest as base64 text. Every change is told to the other replicas
// (LISTEN/NOTIFY) by the transaction that makes it.
#ifdef REAUTH_POSTGRES
#include "proxy/vault/postgres_store.hpp"
#include "proxy/vault/libpq.hpp"

#include "core/text/encoding.hpp"
#include "proxy/vault/postgres_connection.hpp"
#include "proxy/vault/postgres_locks.hpp"

#include <algorithm>
#include <utility>

namespace reauth {

namespace {

constexpr auto server_now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

// one at a time: CREATE … IF NOT EXISTS of two sessions can collide
constexpr auto schema =
    "BEGIN; SELECT pg_advisory_xact_lock(7886759216);"
    "CREATE TABLE IF NOT EXISTS mcp_reauth_properties (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS mcp_reauth_records (kind TEXT, key TEXT, sealed TEXT NOT NULL,"
    " expires BIGINT, PRIMARY KEY (kind, key));"
    // of one principal among many: by the order of bytes, whatever the database's own is
    "CREATE INDEX IF NOT EXISTS mcp_reauth_records_bytes ON mcp_reauth_records (kind, key COLLATE \"C\");"
    "CREATE INDEX IF NOT EXISTS mcp_reauth_records_expires ON mcp_reauth_records (expires)"
    " WHERE expires IS NOT NULL;"
    "INSERT INTO mcp_reauth_properties VALUES ('schema', '1') ON CONFLICT DO NOTHING; COMMIT";

constexpr std::size_t longest_notice = 7000; // PostgreSQL takes payloads below 8000 bytes
constexpr std::chrono::seconds reconnect_pause{1};
constexpr std::chrono::minutes sweep_pause{10};

/// Kinds whose changes others want to hear of.
constexpr std::string_view told_kinds[] = {"credential", "idp_session", "approval", "rule", "identity_end"};

bool told(const std::string& kind) {
    return std::find(std::begin(told_kinds), std::end(told_kinds), kind) != std::end(told_kinds);
}

/// News may have been missed.
std::vector<record_change> all_may_have_changed() {
    std::vector<record_change> all;
    for (const auto kind : told_kinds)
        all.push_back({std::string(kind), {}});
    return all;
}

template<class Rows>
result<std::vector<stored_record>> records_of(const Rows& rows) {
    if (!rows)
        return rows.error();
    std::vector<stored_record> out;
    for (std::size_t i = 0; i < rows->size(); ++i)
        out.push_back({rows->text(i, 0), base64_decode(rows->text(i, 1)).value_or("")});
    return out;
}

class postgres_store final : public record_store {
public:
    explicit postgres_store(const secret& dsn)
        : work_(dsn, "SET client_min_messages = warning"), news_(dsn, "LISTEN mcp_reauth"),
          locks_(std::make_shared<postgres_locks>(dsn)) {}

    result<void> prepare() {
        auto connected = work_.ready();
        if (!connected)
            return connected;
        auto made = work_.script(schema);
        if (!made)
            return made;
        auto version = column("SELECT value FROM mcp_reauth_properties WHERE name = 'schema'", {});
        if (!version)
            return version.error();
        if (version->value_or("") != "1")
            return vault_failure("The PostgreSQL vault was made by a newer version of mcp-reauth.",
                                 "Install that version.");
        return sweep();
    }

    result<std::optional<std::string>> read_property(const std::string& name) override {
        return bytes(column("SELECT value FROM mcp_reauth_properties WHERE name = $1", {name}));
    }
    result<void> add_property(const std::string& name, const std::string& value) override {
        auto done = work_.run("INSERT INTO mcp_reauth_properties VALUES ($1, $2) ON CONFLICT DO NOTHING",
                              {name, base64_encode(value)});
        return done ? result<void>() : result<void>(done.error());
    }
    result<std::optional<std::string>> get(const std::string& kind, const std::string& key) override {
        return bytes(
            column("SELECT sealed FROM mcp_reauth_records WHERE kind = $1 AND key = $2 AND " + alive(),
                   {kind, key}));
    }
    result<std::vector<stored_record>> list(const std::string& kind, const std::string& prefix) override {
        const auto end = behind_prefix(prefix);
        postgres_connection::values values{kind, prefix};
        if (!end.empty())
            values.push_back(end);
        auto rows =
            work_.run("SELECT key, sealed FROM mcp_reauth_records WHERE kind = $1 AND " + alive() +
                          " AND key COLLATE \"C\" >= $2" +
                          (end.empty() ? "" : " AND key COLLATE \"C\" < $3") + " ORDER BY key COLLATE \"C\"",
                      values);
        return records_of(rows);
    }
    result<std::vector<stored_record>> last(const std::string& kind, const std::string& before,
                                            std::size_t most) override {
        return records_of(work_.run("SELECT key, sealed FROM mcp_reauth_records WHERE kind = $1 AND " +
                                        alive() +
                                        " AND ($2 = '' OR key COLLATE \"C\" < $2)"
                                        " ORDER BY key COLLATE \"C\" DESC LIMIT $3::bigint",
                                    {kind, before, std::to_string(most)}));
    }
    result<void> keep_last(const std::string& kind, std::size_t kept) override {
        const auto done =
            work_.run("DELETE FROM mcp_reauth_records WHERE kind = $1 AND key COLLATE \"C\" <="
                      " (SELECT key FROM mcp_reauth_records WHERE kind = $1"
                      " ORDER BY key COLLATE \"C\" DESC LIMIT 1 OFFSET $2::bigint) COLLATE \"C\"",
                      {kind, std::to_string(kept)});
        return done ? result<void>{} : result<void>(done.error());
    }
    result<std::optional<std::string>> take(const std::string& kind, const std::string& key) override {
        return bytes(column("DELETE FROM mcp_reauth_records WHERE kind = $1 AND key = $2 AND " + alive() +
                                " RETURNING sealed",
                            {kind, key}, postgres_repeat::never));
    }
    result<bool> write(const std::vector<record_write>& changes) override {
        if (changes.size() == 1)
            return write_one(changes.front(),
                             changes.front().expected ? postgres_repeat::never : postgres_repeat::may);
        auto begun = work_.begin();
        if (!begun)
            return begun.error();
        for (const auto& change : changes) {
            auto met = write_one(change, postgres_repeat::never);
            if (!met || !*met) {
                work_.roll_back();
                return met;
            }
        }
        auto committed = work_.commit();
        if (!committed)
            return committed.error();
        return true;
    }

    result<std::unique_ptr<vault_lock>> try_lock(const std::string& name) override {
        return locks_->try_lock(name);
    }
    result<std::vector<record_change>> changes() override {
        auto kept = locks_->keep_alive();
        if (!kept)
            return kept.error();
        const auto now = std::chrono::steady_clock::now();
        if (now >= sweep_at_)
            if (auto swept = sweep(); !swept)
                return swept.error();
        auto heard = news_.notices();
        if (!heard) {
            // what was told while nobody listened is not told again: everything may have changed
            if (now - tried_ < reconnect_pause)
                return heard.error();
            tried_ = now;
            auto connected = news_.ready();
            if (!connected)
                return connected.error();
            return all_may_have_changed();
        }
        std::vector<record_change> out;
        for (const auto& notice : *heard) {
            if (notice.from == work_.server_process())
                continue;
            const auto end = notice.text.find(' ');
            if (end != std::string::npos)
                out.push_back({notice.text.substr(0, end), notice.text.substr(end + 1)});
        }
        return out;
    }
    vault_bell bell() const override {
        const int socket = news_.socket();
        return socket < 0 ? vault_bell{} : vault_bell{socket, std::chrono::seconds(1)};
    }
    bool shared() const override { return true; }
    bool locks_can_be_lost() const override { return true; }

private:
    /// Removes rows whose time is over: they are never returned, but should not pile up either.
    result<void> sweep() {
        sweep_at_ = std::chrono::steady_clock::now() + sweep_pause;
        auto swept =
            work_.run("DELETE FROM mcp_reauth_records WHERE expires <= " + std::string(server_now), {});
        return swept ? result<void>() : result<void>(swept.error());
    }

    static std::string alive() { return "(expires IS NULL OR expires > " + std::string(server_now) + ")"; }

    /// The change and its news are one statement, so one transaction.
    result<bool> write_one(const record_write& change, postgres_repeat again) {
        const bool absent = change.expected && change.expected->empty();
        postgres_connection::values values{change.kind, change.key};
        std::string sql;
        if (!change.sealed) {
            sql = "DELETE FROM mcp_reauth_records WHERE kind = $1 AND key = $2";
        } else {
            values.push_back(base64_encode(*change.sealed));
            values.push_back(change.expires ? std::optional(std::to_string(*change.expires)) : std::nullopt);
            if (change.expected && !absent)
                sql = "UPDATE mcp_reauth_records SET sealed = $3, expires = $4::bigint"
                      " WHERE kind = $1 AND key = $2";
            else
                sql = "INSERT INTO mcp_reauth_records AS held VALUES ($1, $2, $3, $4::bigint)"
                      " ON CONFLICT (kind, key) DO UPDATE SET sealed = excluded.sealed,"
                      " expires = excluded.expires";
        }
        if (absent && change.sealed) {
            sql += " WHERE held.expires <= " + std::string(server_now);
        } else if (change.expected) {
            values.push_back(base64_encode(*change.expected));
            sql += " AND sealed = $" + std::to_string(values.size());
        }
        sql += " RETURNING kind, key";
        const auto shown = change.kind.size() + change.key.size() > longest_notice ? "" : change.key;
        values.push_back(told(change.kind) ? std::optional(change.kind + " " + shown) : std::nullopt);
        const auto notice = "$" + std::to_string(values.size());
        auto done = work_.run("WITH done AS (" + sql + ") SELECT count(*), max(CASE WHEN " + notice +
                                  "::text IS NULL THEN '' ELSE pg_notify('mcp_reauth', " + notice +
                                  "::text)::text END) FROM done",
                              values, again);
        if (!done)
            return done.error();
        return !change.expected || done->only() == "1";
    }

    /// The first column of the first row.
    result<std::optional<std::string>> column(const std::string& sql,
                                              const postgres_connection::values& values,
                                              postgres_repeat again = postgres_repeat::may) {
        auto rows = work_.run(sql, values, again);
        if (!rows)
            return rows.error();
        return rows->only();
    }

    static result<std::optional<std::string>> bytes(result<std::optional<std::string>> text) {
        if (text && text->has_value())
            *text = base64_decode(**text).value_or("");
        return text;
    }

    postgres_connection work_, news_;
    std::shared_ptr<postgres_locks> locks_;
    std::chrono::steady_clock::time_point tried_{}, sweep_at_{};
};

} // namespace

result<std::unique_ptr<record_store>> open_postgres_store(const secret& dsn) {
    auto loaded = load_libpq();
    if (!loaded)
        return loaded.error();
    auto store = std::make_unique<postgres_store>(dsn);
    auto ready = store->prepare();
    if (!ready)
        return ready.error();
    return std::unique_ptr<record_store>(std::move(store));
}

} // namespace reauth
#endif
