// libpq, loaded where a vault wants it: with what it brings along (LDAP, Kerberos, GnuTLS) it is a sixth of
// the memory of a process that has no use for it.
#pragma once

#include "core/base/failure.hpp"

#include <libpq-fe.h>

namespace reauth {

/// The functions that we use.
struct libpq {
    decltype(&::PQbackendPID) backend_pid;
    decltype(&::PQclear) clear;
    decltype(&::PQconnectdbParams) connect;
    decltype(&::PQconsumeInput) consume_input;
    decltype(&::PQerrorMessage) error_message;
    decltype(&::PQexec) exec;
    decltype(&::PQexecParams) exec_params;
    decltype(&::PQfinish) finish;
    decltype(&::PQfreemem) free_memory;
    decltype(&::PQgetvalue) value;
    decltype(&::PQnotifies) notifies;
    decltype(&::PQntuples) rows;
    decltype(&::PQreset) reset;
    decltype(&::PQresultStatus) result_status;
    decltype(&::PQserverVersion) server_version;
    decltype(&::PQsocket) socket;
    decltype(&::PQstatus) status;
    decltype(&::PQtransactionStatus) transaction_status;
};

/// Before anything else of it is used; may be called again. fault::vault_unavailable if it is not installed.
result<void> load_libpq();

/// After load_libpq().
const libpq& pq() noexcept;

} // namespace reauth
