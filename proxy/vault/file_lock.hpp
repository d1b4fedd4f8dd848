// Locks by name in one file beside a SQLite vault: open file description locks, which the kernel ends with
// their holder (fcntl(2), F_OFD_SETLK).
#pragma once

#include "core/base/failure.hpp"
#include "proxy/vault/vault_lock.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace reauth {

/// What a name is called where locks have numbers: the first eight bytes of its SHA-256, never negative.
std::int64_t lock_number(const std::string& name);

/// Locks `name` in the file at `path`, which is made 0600 where it is missing. nullptr: somebody else holds
/// it, in this process or another. fault::vault_unavailable.
result<std::unique_ptr<vault_lock>> try_file_lock(const std::string& path, const std::string& name);

} // namespace reauth
