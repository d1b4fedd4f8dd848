// The one way to read a file that somebody else may have put there: configuration, secrets, keys, notes.
#pragma once

#include "core/base/secret.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace reauth {

/// What is asked of a file besides that it is one.
struct file_demands {
    std::size_t largest = 256 * 1024; ///< bytes
    /// This user's (for root: anybody's), not reached through a link, and closed to all others.
    bool own = false;
};

/// What was read, or why not: a phrase that follows the file's name ("is a directory").
struct file_read {
    std::optional<secret> text;
    std::string trouble; ///< empty: read
    bool missing = false;
    bool exposed = false; ///< `own` was asked for, and others may read or change it

    explicit operator bool() const noexcept { return text.has_value(); }
};

/// Opened without waiting, and regular, or not read: a FIFO or a device in a file's place holds up nobody.
file_read read_regular_file(const std::string& path, const file_demands& demands = {});

/// Makes the directory and those above it that are missing, for this user alone (0700) whatever the umask.
/// What is there stays as it is. Empty: done; else why not.
std::string make_private_directory(const std::string& path);

/// Why a directory that holds secrets is no safe place: another user owns it, or others may write to it (as
/// ssh asks of its own). Empty: it is fine, or not there.
std::string exposed_directory(const std::string& path);

} // namespace reauth
