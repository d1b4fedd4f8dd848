// SQLite behind values and RAII: one connection, one statement, one transaction.
#pragma once

#include "core/base/failure.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace reauth {

/// A prepared statement. Parameters count from 1, columns from 0.
class sqlite_statement {
public:
    sqlite_statement(sqlite3* db, const std::string& path, sqlite3_stmt* statement);

    sqlite_statement& bind(int at, const std::string& text);
    sqlite_statement& bind_bytes(int at, const std::string& bytes);
    sqlite_statement& bind(int at, std::int64_t number);
    sqlite_statement& bind(int at, std::optional<std::int64_t> number);
    /// true: a row is there; false: done.
    result<bool> step();
    /// Steps to the end, rows ignored.
    result<void> run();

    std::string text(int column) const;
    std::int64_t number(int column) const;

private:
    struct finalize {
        void operator()(sqlite3_stmt* s) const noexcept;
    };
    sqlite3* db_;
    const std::string* path_;
    std::unique_ptr<sqlite3_stmt, finalize> statement_;
};

/// A connection to the database file `path`.
class sqlite_db {
public:
    /// Opens the file, or makes it 0600 (its directory 0700 where missing). fault::vault_unavailable.
    static result<sqlite_db> open(const std::string& path);

    result<sqlite_statement> prepare(std::string_view sql);
    /// Runs statements that return nothing of interest.
    result<void> execute(const std::string& sql);
    /// The one number that `sql` returns.
    result<std::int64_t> number(std::string_view sql);
    /// Rows that the last statement changed.
    int changes() const;
    const std::string& path() const { return *path_; }
    /// Whether the path still leads to the file that is open.
    bool still_named() const;
    /// Whether the file and its directory may be written, as far as that can be told without writing.
    result<void> writable() const;

private:
    struct close {
        void operator()(sqlite3* db) const noexcept;
    };
    sqlite_db(sqlite3* db, std::string path);
    std::unique_ptr<sqlite3, close> db_;
    std::unique_ptr<std::string> path_; ///< on the heap: statements refer to it
    std::uint64_t device_ = 0, inode_ = 0;
};

/// BEGIN IMMEDIATE … COMMIT; rolls back when it goes uncommitted.
class sqlite_transaction {
public:
    explicit sqlite_transaction(sqlite_db& db) : db_(db) {}
    ~sqlite_transaction();
    sqlite_transaction(const sqlite_transaction&) = delete;
    /// Waits (at most the busy timeout) to become the only writer.
    result<void> begin();
    result<void> commit();

private:
    sqlite_db& db_;
    bool open_ = false;
};

} // namespace reauth
