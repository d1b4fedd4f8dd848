// One connection to PostgreSQL, made again when it is lost.
#pragma once

#include "core/base/failure.hpp"
#include "core/base/secret.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct pg_conn;
struct pg_result;

namespace reauth {

/// Rows of text.
class postgres_rows {
public:
    explicit postgres_rows(pg_result* rows);
    std::size_t size() const;
    std::string text(std::size_t row, int column) const;
    /// The first column of the first row.
    std::optional<std::string> only() const;

private:
    struct free {
        void operator()(pg_result* r) const noexcept;
    };
    std::unique_ptr<pg_result, free> rows_;
};

/// What another session has told (LISTEN/NOTIFY).
struct postgres_notice {
    int from = 0; ///< its process at the server
    std::string text;
};

/// Whether a statement may be sent again when the connection broke before its outcome was known.
enum class postgres_repeat { may, never };

/// Blocks; every failure is fault::vault_unavailable, transient where the connection was lost, and never
/// holds the DSN. A silent network ends a connection within some 15 s.
class postgres_connection {
public:
    using values = std::vector<std::optional<std::string>>;

    /// Connects. `greeting`: statements that begin every session.
    postgres_connection(const secret& dsn, std::string greeting);

    /// Connects again if the connection is known to be lost.
    result<void> ready();
    result<postgres_rows> run(const std::string& sql, const values& parameters,
                              postgres_repeat again = postgres_repeat::may);
    /// Some statements without parameters, as one.
    result<void> script(const std::string& sql);
    /// Begins a transaction. Until it ends a lost connection is not made again: what was begun is undone.
    result<void> begin();
    result<void> commit();
    void roll_back();
    /// What was told since the last call; does not wait.
    result<std::vector<postgres_notice>> notices();
    /// Readable when there may be some; -1: it is not connected.
    int socket() const;

    /// Which session this is: another one after every new connection.
    std::uint64_t session() const noexcept { return session_; }
    int server_process() const;
    int server_version() const;

private:
    struct finish {
        void operator()(pg_conn* c) const noexcept;
    };
    bool lost() const;
    failure trouble() const;
    result<void> greet();

    std::string greeting_;
    std::unique_ptr<pg_conn, finish> connection_;
    std::uint64_t session_ = 0;
    bool in_transaction_ = false;
};

} // namespace reauth
