// libpq behind values and RAII.
#ifdef REAUTH_POSTGRES
#include "proxy/vault/postgres_connection.hpp"

#include "proxy/vault/libpq.hpp"
#include "proxy/vault/record_store.hpp"

#include <utility>

namespace reauth {

namespace {

std::string first_line(std::string_view text) {
    return std::string(text.substr(0, text.find('\n')));
}

} // namespace

postgres_rows::postgres_rows(pg_result* rows) : rows_(rows) {}

void postgres_rows::free::operator()(pg_result* r) const noexcept {
    pq().clear(r);
}

std::size_t postgres_rows::size() const {
    return static_cast<std::size_t>(pq().rows(rows_.get()));
}

std::string postgres_rows::text(std::size_t row, int column) const {
    return pq().value(rows_.get(), static_cast<int>(row), column);
}

std::optional<std::string> postgres_rows::only() const {
    return size() == 0 ? std::optional<std::string>() : std::optional(text(0, 0));
}

void postgres_connection::finish::operator()(pg_conn* c) const noexcept {
    pq().finish(c);
}

postgres_connection::postgres_connection(const secret& dsn, std::string greeting)
    : greeting_(std::move(greeting)) {
    const std::string text(dsn.reveal());
    // what the DSN says wins over what stands before it
    const char* names[] = {"connect_timeout",  "application_name", "keepalives_idle", "keepalives_interval",
                           "keepalives_count", "tcp_user_timeout", "dbname",          nullptr};
    const char* said[] = {"5", "mcp-reauth", "5", "3", "3", "15000", text.c_str(), nullptr};
    connection_.reset(pq().connect(names, said, 1));
    if (!lost())
        (void)greet();
}

bool postgres_connection::lost() const {
    return pq().status(connection_.get()) != CONNECTION_OK;
}

failure postgres_connection::trouble() const {
    return vault_failure("The PostgreSQL vault failed: " + first_line(pq().error_message(connection_.get())) +
                             ".",
                         "Check the server and `vault.dsn`.", lost());
}

result<void> postgres_connection::greet() {
    ++session_;
    return greeting_.empty() ? result<void>{} : script(greeting_);
}

result<void> postgres_connection::ready() {
    if (!lost())
        return {};
    if (in_transaction_)
        return trouble();
    pq().reset(connection_.get());
    if (lost())
        return trouble();
    return greet();
}

result<postgres_rows> postgres_connection::run(const std::string& sql, const values& parameters,
                                               postgres_repeat again) {
    std::vector<const char*> texts;
    for (const auto& value : parameters)
        texts.push_back(value ? value->c_str() : nullptr);
    for (int attempt = 1;; ++attempt) {
        auto connected = ready();
        if (!connected)
            return connected.error();
        auto* raw = pq().exec_params(connection_.get(), sql.c_str(), static_cast<int>(texts.size()), nullptr,
                                     texts.data(), nullptr, nullptr, 0);
        const auto status = pq().result_status(raw);
        postgres_rows rows(raw);
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
            return rows;
        if (again == postgres_repeat::never || attempt == 2 || !lost())
            return trouble();
    }
}

result<void> postgres_connection::script(const std::string& sql) {
    const postgres_rows done(pq().exec(connection_.get(), sql.c_str()));
    if (pq().transaction_status(connection_.get()) != PQTRANS_IDLE) {
        auto why = trouble();
        const postgres_rows undone(pq().exec(connection_.get(), "ROLLBACK"));
        return why;
    }
    if (*pq().error_message(connection_.get()) != '\0')
        return trouble();
    return {};
}

result<void> postgres_connection::begin() {
    auto begun = run("BEGIN", {});
    in_transaction_ = begun.has_value();
    return begun ? result<void>{} : result<void>(begun.error());
}

result<void> postgres_connection::commit() {
    auto committed = run("COMMIT", {}, postgres_repeat::never);
    in_transaction_ = false;
    return committed ? result<void>{} : result<void>(committed.error());
}

void postgres_connection::roll_back() {
    if (std::exchange(in_transaction_, false) && !lost())
        (void)run("ROLLBACK", {}, postgres_repeat::never);
}

result<std::vector<postgres_notice>> postgres_connection::notices() {
    if (pq().consume_input(connection_.get()) == 0)
        return trouble();
    std::vector<postgres_notice> out;
    while (auto* told = pq().notifies(connection_.get())) {
        out.push_back({told->be_pid, told->extra});
        pq().free_memory(told);
    }
    return out;
}

int postgres_connection::socket() const {
    return connection_ && pq().status(connection_.get()) == CONNECTION_OK ? pq().socket(connection_.get())
                                                                          : -1;
}

int postgres_connection::server_process() const {
    return pq().backend_pid(connection_.get());
}

int postgres_connection::server_version() const {
    return pq().server_version(connection_.get());
}

} // namespace reauth
#endif
