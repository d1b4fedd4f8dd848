// The shape of the vault file and how an older one is brought up to date.
#pragma once

#include "proxy/vault/sqlite_db.hpp"

namespace reauth {

/// Checks that `db` is a sound vault (or empty), sets its durability, and migrates it.
result<void> prepare_schema(sqlite_db& db);

} // namespace reauth
