// POSIX calls: O_NONBLOCK, then a look at what was opened.
#include "conf/regular_file.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reauth {
namespace {

constexpr mode_t group_and_others = 077, writable_by_others = 022;

std::string reason(int error) {
    return std::generic_category().message(error);
}

struct descriptor {
    int fd;
    ~descriptor() {
        if (fd >= 0)
            ::close(fd);
    }
};

/// Root is nobody's stranger; and it looks after other users' files: whose they are was settled when it was
/// told where to look.
bool belongs_to_another(const struct stat& about) {
    return about.st_uid != ::geteuid() && about.st_uid != 0 && ::geteuid() != 0;
}

file_read refused(std::string why) {
    file_read out;
    out.trouble = std::move(why);
    return out;
}

} // namespace

file_read read_regular_file(const std::string& path, const file_demands& demands) {
    const descriptor file{
        ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (demands.own ? O_NOFOLLOW : 0))};
    if (file.fd < 0) {
        auto out = refused("cannot be read: " + reason(errno));
        out.missing = errno == ENOENT || errno == ENOTDIR;
        return out;
    }
    struct stat about{};
    if (::fstat(file.fd, &about) != 0)
        return refused("cannot be read: " + reason(errno));
    if (S_ISDIR(about.st_mode))
        return refused("is a directory");
    if (!S_ISREG(about.st_mode))
        return refused("is no regular file (a FIFO, a socket or a device stands there)");
    const bool anothers = belongs_to_another(about);
    if (demands.own && (anothers || (about.st_mode & group_and_others) != 0)) {
        auto out = refused(anothers ? "belongs to another user" : "may be read by others");
        out.exposed = true;
        return out;
    }
    std::string text;
    char block[16384];
    while (text.size() <= demands.largest) {
        const auto n = ::read(file.fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return refused("cannot be read: " + reason(errno));
        if (n == 0)
            break;
        text.append(block, static_cast<std::size_t>(n));
    }
    secret whole(std::move(text));
    if (whole.size() > demands.largest)
        return refused("is larger than " + std::to_string(demands.largest / 1024) + " KiB");
    file_read out;
    out.text.emplace(std::move(whole));
    return out;
}

std::string make_private_directory(const std::string& path) {
    struct stat about{};
    if (path.empty() || ::stat(path.c_str(), &about) == 0)
        return path.empty() || S_ISDIR(about.st_mode) ? "" : path + " is no directory";
    auto parent = std::filesystem::path(path).parent_path().string();
    if (path.ends_with('/'))
        return make_private_directory(parent);
    if (auto trouble = make_private_directory(parent); !trouble.empty())
        return trouble;
    if (::mkdir(path.c_str(), 0700) != 0)
        return errno == EEXIST ? "" : path + " cannot be made: " + reason(errno);
    // a umask of 0200, say, takes from the owner
    return ::chmod(path.c_str(), 0700) == 0 ? "" : path + " cannot be closed to others: " + reason(errno);
}

std::string exposed_directory(const std::string& path) {
    struct stat about{};
    if (path.empty() || ::stat(path.c_str(), &about) != 0)
        return {};
    if (belongs_to_another(about))
        return path + " belongs to another user, and secrets are kept in it";
    if ((about.st_mode & writable_by_others) != 0)
        return "others may write to " + path + ", where secrets are kept: run `chmod go-w " + path + "`";
    // who may write above it may put another in its place; not where only owners may rename (/tmp). A group
    // there is mostly the user's own (a umask of 002)
    for (auto above = std::filesystem::path(path).parent_path(); !above.empty();
         above = above.parent_path()) {
        if (::stat(above.c_str(), &about) != 0)
            return {};
        const bool open = (about.st_mode & S_IWOTH) != 0 && (about.st_mode & S_ISVTX) == 0;
        if (open || belongs_to_another(about))
            return "others may write to " + above.string() + ", above " + path + ", where secrets are kept";
        if (above == above.root_path())
            break;
    }
    return {};
}

} // namespace reauth
