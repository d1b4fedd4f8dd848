// PRAGMA user_version counts the migrations that were applied.
#include "proxy/vault/sqlite_schema.hpp"

#include "proxy/vault/record_store.hpp"

#include <sqlite3.h>

#include <array>

namespace reauth {

namespace {

/// "mcpr": tells our files from other programs' databases.
constexpr std::int64_t application_id = 0x6d637072;

constexpr std::array migrations{
    "CREATE TABLE properties (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE records (kind TEXT, key TEXT, sealed BLOB NOT NULL, expires INTEGER, PRIMARY KEY (kind, "
    "key))"
    " WITHOUT ROWID;"
    "CREATE INDEX records_expires ON records (expires) WHERE expires IS NOT NULL;"
    "CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT "
    "ROWID;",
};

result<void> check_owner(sqlite_db& db) {
    auto tables = db.number("SELECT count(*) FROM sqlite_master");
    if (!tables)
        return tables.error();
    auto owner = db.number("PRAGMA application_id");
    if (!owner)
        return owner.error();
    auto version = db.number("PRAGMA user_version");
    if (!version)
        return version.error();
    if (*tables > 0 && *owner != application_id)
        return vault_failure("The file " + db.path() + " is a database of another program.",
                             "Configure another `vault.path`.");
    if (*version > static_cast<std::int64_t>(migrations.size()))
        return vault_failure("The vault file " + db.path() + " was made by a newer version of mcp-reauth.",
                             "Install that version, or configure another `vault.path`.");
    return {};
}

result<void> check_soundness(sqlite_db& db) {
    auto check = db.prepare("PRAGMA quick_check(1)");
    if (!check)
        return check.error();
    auto row = check->step();
    if (!row)
        return row.error();
    if (const auto said = check->text(0); said != "ok")
        return vault_failure(
            "The vault file " + db.path() + " is damaged (" + said + ").",
            "Nothing was changed: restore it from a backup, or move it away and sign in again.");
    return {};
}

/// Turning the log on takes an exclusive lock without asking the busy handler: try again while others start
/// too.
result<void> use_write_ahead_log(sqlite_db& db) {
    constexpr int tries = 100, pause_ms = 20;
    for (int i = 1;; ++i) {
        auto done = db.execute("PRAGMA journal_mode = WAL");
        if (done || !done.error().transient || i == tries)
            return done;
        sqlite3_sleep(pause_ms);
    }
}

result<void> migrate(sqlite_db& db) {
    sqlite_transaction change(db);
    auto begun = change.begin();
    if (!begun)
        return begun;
    auto version = db.number("PRAGMA user_version");
    if (!version)
        return version.error();
    for (auto next = static_cast<std::size_t>(*version); next < migrations.size(); ++next) {
        auto done =
            db.execute(std::string(migrations[next]) + "PRAGMA user_version = " + std::to_string(next + 1));
        if (!done)
            return done;
    }
    auto owned = db.execute("PRAGMA application_id = " + std::to_string(application_id));
    if (!owned)
        return owned;
    return change.commit();
}

} // namespace

result<void> prepare_schema(sqlite_db& db) {
    auto owner = check_owner(db);
    if (!owner)
        return owner;
    auto sound = check_soundness(db);
    if (!sound)
        return sound;
    auto logged = use_write_ahead_log(db);
    if (!logged)
        return logged;
    // FULL: in WAL mode NORMAL may lose the last commits at a power cut, and with them a rotated refresh
    // token
    auto durable =
        db.execute("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF");
    if (!durable)
        return durable;
    auto version = db.number("PRAGMA user_version");
    if (!version)
        return version.error();
    if (*version == static_cast<std::int64_t>(migrations.size()))
        return {};
    return migrate(db);
}

} // namespace reauth
