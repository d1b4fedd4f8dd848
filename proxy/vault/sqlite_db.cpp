// Every SQLite error becomes one sentence that names the file.
#include "proxy/vault/sqlite_db.hpp"

#include "proxy/vault/record_store.hpp"
#include "proxy/vault/vault_key.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace reauth {

namespace {

constexpr int busy_timeout_ms = 5000;

failure explain(sqlite3* db, const std::string& path) {
    const int code = db != nullptr ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
    const std::string reason = db != nullptr ? sqlite3_errmsg(db) : "out of memory";
    switch (code) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return vault_failure(
            "The vault file " + path + " is damaged or not a vault (" + reason + ").",
            "Nothing was changed: restore it from a backup, or move it away and sign in again.");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return vault_failure("The vault file " + path + " is locked by another process.",
                             "Look for a program that keeps it open.", true);
    case SQLITE_FULL:
        return vault_failure("The vault file " + path + " cannot grow: the disk is full.", "Free some space.",
                             true);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return vault_failure("The vault file " + path + " cannot be written: " + reason + ".",
                             "Give this user write access to the file and its directory.");
    default:
        return vault_failure("The vault file " + path + " failed: " + reason + ".");
    }
}

/// SQLite would make the file by the umask; it copies the mode of this one to -wal and -shm.
result<void> make_private_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0) {
        ::close(file);
        sync_parent_directory(path);
        return {};
    }
    struct stat known{};
    if (errno == EEXIST && ::stat(path.c_str(), &known) == 0) {
        if ((known.st_mode & 077) != 0)
            ::chmod(path.c_str(), 0600);
        return {};
    }
    return vault_failure("The vault file " + path +
                             " cannot be made: " + std::generic_category().message(errno) + ".",
                         "Give this user write access to its directory, or configure another `vault.path`.");
}

} // namespace

sqlite_statement::sqlite_statement(sqlite3* db, const std::string& path, sqlite3_stmt* statement)
    : db_(db), path_(&path), statement_(statement) {}

void sqlite_statement::finalize::operator()(sqlite3_stmt* s) const noexcept {
    sqlite3_finalize(s);
}

sqlite_statement& sqlite_statement::bind(int at, const std::string& text) {
    sqlite3_bind_text64(statement_.get(), at, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
}

sqlite_statement& sqlite_statement::bind_bytes(int at, const std::string& bytes) {
    sqlite3_bind_blob64(statement_.get(), at, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
    return *this;
}

sqlite_statement& sqlite_statement::bind(int at, std::int64_t number) {
    sqlite3_bind_int64(statement_.get(), at, number);
    return *this;
}

sqlite_statement& sqlite_statement::bind(int at, std::optional<std::int64_t> number) {
    if (number)
        return bind(at, *number);
    sqlite3_bind_null(statement_.get(), at);
    return *this;
}

result<bool> sqlite_statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW)
        return true;
    if (code == SQLITE_DONE)
        return false;
    return explain(db_, *path_);
}

result<void> sqlite_statement::run() {
    for (;;) {
        auto more = step();
        if (!more)
            return more.error();
        if (!*more)
            return {};
    }
}

std::string sqlite_statement::text(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return data != nullptr ? std::string(data, size) : std::string();
}

std::int64_t sqlite_statement::number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

sqlite_db::sqlite_db(sqlite3* db, std::string path)
    : db_(db), path_(std::make_unique<std::string>(std::move(path))) {}

void sqlite_db::close::operator()(sqlite3* db) const noexcept {
    sqlite3_close_v2(db);
}

result<sqlite_db> sqlite_db::open(const std::string& path) {
    auto directory = make_parent_directory(path);
    if (!directory)
        return directory.error();
    auto file = make_private_file(path);
    if (!file)
        return file.error();
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
    sqlite_db db(raw, path);
    if (code != SQLITE_OK)
        return explain(raw, path);
    sqlite3_busy_timeout(raw, busy_timeout_ms);
    struct stat known{};
    if (::stat(path.c_str(), &known) == 0) {
        db.device_ = known.st_dev;
        db.inode_ = known.st_ino;
    }
    return db;
}

bool sqlite_db::still_named() const {
    struct stat named{};
    if (::stat(path_->c_str(), &named) != 0)
        return errno != ENOENT && errno != ENOTDIR; // can't be told
    return named.st_dev == device_ && named.st_ino == inode_;
}

result<void> sqlite_db::writable() const {
    for (const auto& name : {*path_, parent_directory(*path_)})
        if (::faccessat(AT_FDCWD, name.c_str(), W_OK, AT_EACCESS) != 0)
            return vault_failure("The vault " + name +
                                     " cannot be written: " + std::generic_category().message(errno) + ".",
                                 "Give this user write access to the file and its directory.");
    return {};
}

result<sqlite_statement> sqlite_db::prepare(std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK)
        return explain(db_.get(), *path_);
    return sqlite_statement(db_.get(), *path_, raw);
}

result<void> sqlite_db::execute(const std::string& sql) {
    if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return explain(db_.get(), *path_);
    return {};
}

result<std::int64_t> sqlite_db::number(std::string_view sql) {
    auto statement = prepare(sql);
    if (!statement)
        return statement.error();
    auto row = statement->step();
    if (!row)
        return row.error();
    return *row ? statement->number(0) : 0;
}

int sqlite_db::changes() const {
    return sqlite3_changes(db_.get());
}

sqlite_transaction::~sqlite_transaction() {
    if (open_)
        (void)db_.execute("ROLLBACK");
}

result<void> sqlite_transaction::begin() {
    auto begun = db_.execute("BEGIN IMMEDIATE");
    open_ = begun.has_value();
    return begun;
}

result<void> sqlite_transaction::commit() {
    auto committed = db_.execute("COMMIT");
    if (committed)
        open_ = false;
    return committed;
}

} // namespace reauth
