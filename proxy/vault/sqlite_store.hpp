// The backend `sqlite`: one file, write-ahead log, every commit synced.
#pragma once

#include "proxy/vault/record_store.hpp"

#include <memory>

namespace reauth {

/// Opens the vault file or makes it. Refuses, and leaves untouched: a damaged file, another program's
/// database, a vault of a newer version.
result<std::unique_ptr<record_store>> open_sqlite_store(const std::string& path,
                                                        vault_clock clock = wall_milliseconds);

} // namespace reauth
