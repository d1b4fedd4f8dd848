// The backend `postgres`: rows that replicas share.
#pragma once

#include "core/base/secret.hpp"
#include "proxy/vault/record_store.hpp"

#include <memory>

namespace reauth {

/// Connects and makes the tables (mcp_reauth_*) where they are missing. Times are the server's, so that
/// replicas need not agree on theirs. A lost connection is made again by the next call. Messages never hold
/// the DSN.
result<std::unique_ptr<record_store>> open_postgres_store(const secret& dsn);

} // namespace reauth
