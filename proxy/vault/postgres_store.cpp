// Rows and leases in PostgreSQL, by libpq. Sealed bytes travel and rest as base64 text.
#ifdef REAUTH_POSTGRES
#include "proxy/vault/postgres_store.hpp"

#include "core/encoding.hpp"

#include <libpq-fe.h>

#include <utility>

namespace reauth {

namespace {

struct pg_free {
    void operator()(PGconn* c) const noexcept { PQfinish(c); }
    void operator()(PGresult* r) const noexcept { PQclear(r); }
};
using pg_result = std::unique_ptr<PGresult, pg_free>;
using parameters = std::vector<std::optional<std::string>>;

/// Whether a statement may be sent again when the connection broke before its outcome was known.
enum class repeat { may, never };

constexpr auto server_now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

// one at a time: CREATE … IF NOT EXISTS of two sessions can collide
constexpr auto schema =
    "BEGIN; SELECT pg_advisory_xact_lock(7886759216);"
    "CREATE TABLE IF NOT EXISTS mcp_reauth_properties (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS mcp_reauth_records (kind TEXT, key TEXT, sealed TEXT NOT NULL,"
    " expires BIGINT, PRIMARY KEY (kind, key));"
    "CREATE TABLE IF NOT EXISTS mcp_reauth_leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL,"
    " until BIGINT NOT NULL);"
    "INSERT INTO mcp_reauth_properties VALUES ('schema', '1') ON CONFLICT DO NOTHING; COMMIT";

std::string first_line(std::string_view text) {
    return std::string(text.substr(0, text.find('\n')));
}

class postgres_store final : public record_store {
public:
    explicit postgres_store(PGconn* connection) : connection_(connection) {}

    result<void> prepare() {
        if (PQstatus(connection_.get()) != CONNECTION_OK)
            return trouble();
        const pg_result done(
            PQexec(connection_.get(), (std::string("SET client_min_messages = warning; ") + schema).c_str()));
        if (PQresultStatus(done.get()) != PGRES_COMMAND_OK)
            return trouble();
        auto version = column("SELECT value FROM mcp_reauth_properties WHERE name = 'schema'", {});
        if (!version)
            return version.error();
        if (version->value_or("") != "1")
            return vault_failure("The PostgreSQL vault was made by a newer version of mcp-reauth.",
                                 "Install that version.");
        auto swept = run("DELETE FROM mcp_reauth_records WHERE expires <= " + std::string(server_now), {});
        return swept ? result<void>() : result<void>(swept.error());
    }

    result<std::optional<std::string>> read_property(const std::string& name) override {
        return bytes(column("SELECT value FROM mcp_reauth_properties WHERE name = $1", {name}));
    }
    result<void> add_property(const std::string& name, const std::string& value) override {
        return done(run("INSERT INTO mcp_reauth_properties VALUES ($1, $2) ON CONFLICT DO NOTHING",
                        {name, base64_encode(value)}));
    }
    result<std::optional<std::string>> get(const std::string& kind, const std::string& key) override {
        return bytes(
            column("SELECT sealed FROM mcp_reauth_records WHERE kind = $1 AND key = $2 AND " + alive(),
                   {kind, key}));
    }
    result<void> put(const std::string& kind, const std::string& key, const std::string& sealed,
                     std::optional<std::int64_t> expires) override {
        std::optional<std::string> until;
        if (expires)
            until = std::to_string(*expires);
        return done(
            run("INSERT INTO mcp_reauth_records VALUES ($1, $2, $3, $4::bigint) ON CONFLICT (kind, key)"
                " DO UPDATE SET sealed = excluded.sealed, expires = excluded.expires",
                {kind, key, base64_encode(sealed), until}));
    }
    result<void> erase(const std::string& kind, const std::string& key) override {
        return done(run("DELETE FROM mcp_reauth_records WHERE kind = $1 AND key = $2", {kind, key}));
    }
    result<std::vector<stored_record>> list(const std::string& kind) override {
        auto rows = run("SELECT key, sealed FROM mcp_reauth_records WHERE kind = $1 AND " + alive() +
                            " ORDER BY key COLLATE \"C\"",
                        {kind});
        if (!rows)
            return rows.error();
        std::vector<stored_record> out;
        for (int i = 0; i < PQntuples(rows->get()); ++i)
            out.push_back(
                {PQgetvalue(rows->get(), i, 0), base64_decode(PQgetvalue(rows->get(), i, 1)).value_or("")});
        return out;
    }
    result<std::optional<std::string>> take(const std::string& kind, const std::string& key) override {
        return bytes(column("DELETE FROM mcp_reauth_records WHERE kind = $1 AND key = $2 AND " + alive() +
                                " RETURNING sealed",
                            {kind, key}, repeat::never));
    }
    result<bool> try_lease(const std::string& name, const std::string& holder,
                           std::chrono::milliseconds ttl) override {
        const std::string now = server_now;
        auto won = column("INSERT INTO mcp_reauth_leases AS held VALUES ($1, $2, " + now +
                              " + $3::bigint) ON CONFLICT (name)"
                              " DO UPDATE SET holder = excluded.holder, until = " +
                              now +
                              " + $3::bigint"
                              " WHERE held.until <= " +
                              now + " OR held.holder = excluded.holder RETURNING holder",
                          {name, holder, std::to_string(ttl.count())});
        if (!won)
            return won.error();
        return won->has_value();
    }
    result<void> release_lease(const std::string& name, const std::string& holder) override {
        return done(run("DELETE FROM mcp_reauth_leases WHERE name = $1 AND holder = $2", {name, holder}));
    }

private:
    static std::string alive() { return "(expires IS NULL OR expires > " + std::string(server_now) + ")"; }

    failure trouble() const {
        const bool lost = PQstatus(connection_.get()) != CONNECTION_OK;
        return vault_failure("The PostgreSQL vault failed: " + first_line(PQerrorMessage(connection_.get())) +
                                 ".",
                             "Check the server and `vault.dsn`.", lost);
    }

    result<pg_result> run(const std::string& sql, const parameters& values, repeat again = repeat::may) {
        std::vector<const char*> texts;
        for (const auto& value : values)
            texts.push_back(value ? value->c_str() : nullptr);
        for (int attempt = 1;; ++attempt) {
            if (PQstatus(connection_.get()) != CONNECTION_OK)
                PQreset(connection_.get());
            pg_result rows(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(texts.size()),
                                        nullptr, texts.data(), nullptr, nullptr, 0));
            const auto status = PQresultStatus(rows.get());
            if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
                return rows;
            if (again == repeat::never || attempt == 2 || PQstatus(connection_.get()) == CONNECTION_OK)
                return trouble();
        }
    }

    static result<void> done(const result<pg_result>& outcome) {
        return outcome ? result<void>() : result<void>(outcome.error());
    }

    /// The first column of the first row.
    result<std::optional<std::string>> column(const std::string& sql, const parameters& values,
                                              repeat again = repeat::may) {
        auto rows = run(sql, values, again);
        if (!rows)
            return rows.error();
        std::optional<std::string> out;
        if (PQntuples(rows->get()) > 0)
            out = PQgetvalue(rows->get(), 0, 0);
        return out;
    }

    static result<std::optional<std::string>> bytes(result<std::optional<std::string>> text) {
        if (text && text->has_value())
            *text = base64_decode(**text).value_or("");
        return text;
    }

    std::unique_ptr<PGconn, pg_free> connection_;
};

} // namespace

result<std::unique_ptr<record_store>> open_postgres_store(const secret& dsn) {
    const std::string text(dsn.reveal());
    // what the DSN says wins over what stands before it
    const char* names[] = {"connect_timeout", "application_name", "dbname", nullptr};
    const char* values[] = {"5", "mcp-reauth", text.c_str(), nullptr};
    auto store = std::make_unique<postgres_store>(PQconnectdbParams(names, values, 1));
    auto ready = store->prepare();
    if (!ready)
        return ready.error();
    return std::unique_ptr<record_store>(std::move(store));
}

} // namespace reauth
#endif
