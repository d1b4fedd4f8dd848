// A byte of the file per name: two names meet in one byte about never, and would only wait for each other.
#include "proxy/vault/file_lock.hpp"

#include "core/crypto/digest.hpp"
#include "proxy/vault/record_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace reauth {

namespace {

constexpr std::int64_t highest = 0x7fff'ffff'ffff'fffe; // the last byte that a file may have

class file_lock final : public vault_lock {
public:
    explicit file_lock(int file) : file_(file) {}
    ~file_lock() override { ::close(file_); }
    file_lock(const file_lock&) = delete;

private:
    int file_;
};

/// Somebody may have removed the file while we waited to lock it: then the name of it means another one.
bool still_named(int file, const std::string& path) {
    struct stat ours{}, named{};
    return ::fstat(file, &ours) == 0 && ::stat(path.c_str(), &named) == 0 && ours.st_dev == named.st_dev &&
           ours.st_ino == named.st_ino;
}

failure trouble(const std::string& path, int error) {
    return vault_failure("The vault's lock file " + path +
                             " cannot be used: " + std::generic_category().message(error) + ".",
                         "Give this user write access to the file and its directory.");
}

} // namespace

std::int64_t lock_number(const std::string& name) {
    const auto digest = sha256(name);
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i)
        number = number << 8 | static_cast<unsigned char>(digest[i]);
    return static_cast<std::int64_t>(number % static_cast<std::uint64_t>(highest));
}

result<std::unique_ptr<vault_lock>> try_file_lock(const std::string& path, const std::string& name) {
    for (;;) {
        const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file < 0)
            return trouble(path, errno);
        auto lock = std::make_unique<file_lock>(file);
        struct flock whole{};
        whole.l_type = F_WRLCK;
        whole.l_whence = SEEK_SET;
        whole.l_start = lock_number(name);
        whole.l_len = 1;
        if (::fcntl(file, F_OFD_SETLK, &whole) != 0) {
            if (errno == EAGAIN || errno == EACCES)
                return std::unique_ptr<vault_lock>();
            return trouble(path, errno);
        }
        if (still_named(file, path))
            return std::unique_ptr<vault_lock>(std::move(lock));
    }
}

} // namespace reauth
