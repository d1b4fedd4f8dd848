// Key files by POSIX calls: mode, exclusiveness and durability matter here.
#include "proxy/vault/vault_key.hpp"

#include "conf/regular_file.hpp"
#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"
#include "proxy/vault/record_store.hpp"
#include "proxy/vault/seal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace reauth {

namespace {

constexpr std::size_t key_bytes = 32;

std::string reason(int error) {
    return std::generic_category().message(error);
}

/// Writes all of `text` durably to a file that must not exist; an errno value, 0 for success.
int write_new_file(const std::string& path, std::string_view text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return errno;
    int error = 0;
    if (::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(file) != 0)
        error = errno != 0 ? errno : EIO;
    ::close(file);
    return error;
}

} // namespace

std::string parent_directory(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path().string();
    return parent.empty() ? "." : parent;
}

result<void> make_parent_directory(const std::string& path) {
    if (const auto trouble = make_private_directory(parent_directory(path)); !trouble.empty())
        return vault_failure("The directory " + trouble + ".", "Make it, or configure another `vault.path`.");
    return {};
}

void sync_parent_directory(const std::string& path) noexcept {
    const int directory = ::open(parent_directory(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return;
    ::fsync(directory);
    ::close(directory);
}

result<secret> read_key_file(const std::string& path) {
    const auto file = read_regular_file(path);
    if (!file)
        return vault_failure("The vault key file " + path + " " + file.trouble + ".",
                             "Give this user read access to it, or configure `vault.key`.");
    const auto key = trim_space(file.text->reveal());
    if (key.empty())
        return vault_failure("The vault key file " + path + " is empty.", "Restore it from a backup.");
    return secret(std::string(key));
}

std::string exposed_key_file(const std::string& path) {
    struct stat known{};
    if (::stat(path.c_str(), &known) != 0 || (known.st_mode & 077) == 0)
        return {};
    return "The vault key file " + path +
           " may be read or changed by others than its owner: run `chmod 600 " + path + "`.";
}

result<secret> make_key_file(const std::string& path) {
    auto directory = make_parent_directory(path);
    if (!directory)
        return directory.error();
    auto raw = random_bytes(key_bytes);
    if (!raw)
        return raw.error();
    const secret line(hex_encode(raw->reveal()) + "\n");
    // link() publishes the finished file and, unlike rename(), never replaces one that is there
    const std::string draft = path + ".new-" + std::to_string(::getpid());
    ::unlink(draft.c_str());
    int error = write_new_file(draft, line.reveal());
    if (error == 0 && ::link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST)
        error = errno;
    ::unlink(draft.c_str());
    if (error != 0)
        return vault_failure("The vault key file " + path + " cannot be made: " + reason(error) + ".",
                             "Give this user write access to its directory, or configure `vault.key`.");
    sync_parent_directory(path);
    return read_key_file(path);
}

} // namespace reauth
