// The audit's file: appended to under a lock that other processes take, too; rotated; the journal beside it.
#pragma once

#include "core/base/failure.hpp"
#include "proxy/evidence/audit_line.hpp"
#include "proxy/net/owned_descriptor.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace reauth {

/// PATH, PATH.1 (the newest that was rotated), PATH.2 …: those that are there, the oldest first.
std::vector<std::string> audit_files(const std::string& path);

/// One thread's.
class audit_sink {
public:
    audit_sink(std::string path, std::uint64_t rotate, unsigned keep)
        : path_(std::move(path)), rotate_(rotate), keep_(keep) {}

    /// Holds the lock until unlock(): the file's last line is known from then on. vault_unavailable-like
    /// failures as fault::audit_unavailable.
    result<void> lock();
    void unlock() noexcept;
    /// Where the chain stands; a new one gets the name `fresh`.
    audit_head& head() noexcept { return head_; }
    /// Appends and makes it durable. What could not be written whole is taken back.
    result<void> append(const std::string& lines);
    /// A file of that size gives way to another. Under the lock.
    result<void> rotate_if_full();

private:
    result<void> open();
    result<void> read_head();
    result<void> failed(const char* what) const;

    const std::string path_;
    const std::uint64_t rotate_;
    const unsigned keep_;
    owned_descriptor file_, lock_;
    audit_head head_;
    std::uint64_t size_ = 0; ///< of the file when its head was read
};

/// One line to systemd's journal (the native protocol: systemd.io/JOURNAL_NATIVE_PROTOCOL). False: nobody
/// listens.
bool send_to_journal(const std::string& line, const std::string& event,
                     const std::string& socket = "/run/systemd/journal/socket");

} // namespace reauth
