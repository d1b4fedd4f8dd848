// The vault's key file: read it, or make it together with a new vault.
#pragma once

#include "core/base/failure.hpp"
#include "core/base/secret.hpp"

#include <string>

namespace reauth {

/// The directory that holds it; "." for a bare name.
std::string parent_directory(const std::string& path);
/// The key material in `path`, surrounding white space removed. fault::vault_unavailable if it cannot be
/// read.
result<secret> read_key_file(const std::string& path);

/// One sentence with the fix if others than its owner may read or change the file; empty: all is well.
std::string exposed_key_file(const std::string& path);

/// Makes `path` (0600, its directory 0700 where that is missing) with 256 random bits and returns them. A
/// file that is there already is never replaced: it is read instead. The file appears whole and durable, or
/// not at all.
result<secret> make_key_file(const std::string& path);

/// Makes the directory that `path` is in, and its parents, 0700.
result<void> make_parent_directory(const std::string& path);

/// Makes a file's directory entry durable.
void sync_parent_directory(const std::string& path) noexcept;

} // namespace reauth
