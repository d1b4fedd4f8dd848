// Whoever appends reads first how the file ends: it may be another process's line.
#include "proxy/evidence/audit_sink.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace reauth {
namespace {

constexpr std::uint64_t longest_line = 64 * 1024; ///< that is looked for at the end

bool same_file(int one, const std::string& path) {
    struct stat ours{}, named{};
    return ::fstat(one, &ours) == 0 && ::stat(path.c_str(), &named) == 0 && ours.st_dev == named.st_dev &&
           ours.st_ino == named.st_ino;
}

/// The last line of what the file holds, without its line feed; `whole`: it has one.
std::string last_line(int file, std::uint64_t size, bool& whole) {
    const auto from = size > longest_line ? size - longest_line : 0;
    std::string text(size - from, '\0');
    const auto got = ::pread(file, text.data(), text.size(), static_cast<off_t>(from));
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    whole = text.ends_with('\n');
    if (whole)
        text.pop_back();
    const auto before = text.rfind('\n');
    return before == text.npos ? text : text.substr(before + 1);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(1, '=').append(value).append(1, '\n');
}

} // namespace

std::vector<std::string> audit_files(const std::string& path) {
    std::vector<std::string> out;
    std::error_code ec;
    if (std::filesystem::exists(path, ec))
        out.push_back(path);
    for (unsigned n = 1; std::filesystem::exists(path + "." + std::to_string(n), ec); ++n)
        out.push_back(path + "." + std::to_string(n));
    std::reverse(out.begin(), out.end());
    return out;
}

result<void> audit_sink::failed(const char* what) const {
    return failure::passing(fault::audit_unavailable,
                            "the audit " + path_ + " can't be " + what + ": " +
                                std::generic_category().message(errno),
                            "give it room, and this user write access to the file and its directory");
}

result<void> audit_sink::open() {
    file_ =
        owned_descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    return file_.get() < 0 ? failed("opened") : result<void>{};
}

/// The lock is a file of its own: the audit is renamed under it.
result<void> audit_sink::lock() {
    const auto name = path_ + ".lock";
    if (lock_.get() < 0 || !same_file(lock_.get(), name))
        lock_ = owned_descriptor(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock_.get() < 0)
        return failed("locked");
    while (::flock(lock_.get(), LOCK_EX) != 0)
        if (errno != EINTR)
            return failed("locked");
    if (file_.get() < 0 || !same_file(file_.get(), path_))
        if (auto opened = open(); !opened)
            return opened;
    return read_head();
}

void audit_sink::unlock() noexcept {
    ::flock(lock_.get(), LOCK_UN);
}

result<void> audit_sink::read_head() {
    struct stat now{};
    if (::fstat(file_.get(), &now) != 0)
        return failed("read");
    const auto size = static_cast<std::uint64_t>(now.st_size);
    if (size == size_ && head_.seq > 0)
        return {};
    size_ = size;
    if (size == 0)
        return {}; // after a rotation the chain goes on
    bool whole = false;
    auto line = last_line(file_.get(), size, whole);
    if (!whole &&
        ::write(file_.get(), "\n", 1) == 1) // a process died in the middle: what it left stays, on a line
        ++size_;
    if (const auto entry = read_audit_line(line))
        head_ = {entry->log, entry->seq, entry->hash};
    return {};
}

result<void> audit_sink::append(const std::string& lines) {
    std::size_t done = 0;
    while (done < lines.size()) {
        const auto wrote = ::write(file_.get(), lines.data() + done, lines.size() - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            break;
        done += static_cast<std::size_t>(wrote);
    }
    const bool durable = done == lines.size() && ::fdatasync(file_.get()) == 0;
    if (durable) {
        size_ += lines.size();
        return {};
    }
    auto trouble = failed("written");
    // half a line would look like a change
    [[maybe_unused]] const int cut = ::ftruncate(file_.get(), static_cast<off_t>(size_));
    return trouble;
}

result<void> audit_sink::rotate_if_full() {
    if (size_ < rotate_)
        return {};
    const auto numbered = [&](unsigned n) { return path_ + "." + std::to_string(n); };
    std::error_code ec;
    std::filesystem::remove(numbered(keep_), ec);
    for (auto n = keep_; n > 1; --n)
        if (std::filesystem::exists(numbered(n - 1), ec))
            std::filesystem::rename(numbered(n - 1), numbered(n), ec);
    std::filesystem::rename(path_, numbered(1), ec);
    if (ec)
        return failure::passing(fault::audit_unavailable,
                                "the audit " + path_ + " can't be rotated: " + ec.message(),
                                "give this user write access to its directory");
    size_ = 0;
    return open();
}

bool send_to_journal(const std::string& line, const std::string& event, const std::string& socket) {
    sockaddr_un to{};
    if (socket.size() >= sizeof to.sun_path)
        return false;
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, socket.data(), socket.size());
    const owned_descriptor out(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    std::string text;
    append_field(text, "SYSLOG_IDENTIFIER", "mcp-reauth");
    append_field(text, "PRIORITY", "5");
    append_field(text, "MCP_REAUTH_EVENT", event);
    append_field(text, "MESSAGE", line);
    return out.get() >= 0 &&
           ::sendto(out.get(), text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
                    sizeof to) == static_cast<ssize_t>(text.size());
}

} // namespace reauth
