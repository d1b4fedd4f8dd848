// Loads the operator token, or makes it once.
#include "proxy/approval/operator_token.hpp"

#include "conf/regular_file.hpp"
#include "core/text/ascii.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace reauth {
namespace {

constexpr std::size_t shortest = 16;

failure refuse(std::string message, std::string fix) {
    return failure::permanent(fault::invalid_configuration, std::move(message), std::move(fix));
}

struct descriptor {
    int fd;
    ~descriptor() {
        if (fd >= 0)
            ::close(fd);
    }
};

/// Nothing: there is no such file.
result<std::optional<secret>> read_private(const std::string& path) {
    const auto file = read_regular_file(path, {4096, true});
    if (file.missing)
        return std::optional<secret>{};
    if (!file)
        return refuse("the operator token " + path + " " + file.trouble,
                      file.exposed ? "Run: chmod 600 " + path + " (or remove it: a new one is made at start)"
                                   : "Make it a plain file that this user may read.");
    const auto token = trim_space(file.text->reveal());
    if (token.size() < shortest)
        return refuse("the operator token in " + path + " is too short",
                      "Remove the file; a new one is made at start.");
    return std::optional<secret>(secret(std::string(token)));
}

/// Complete and 0600 before it gets its name; the name is given only once.
result<void> write_once(const std::string& path, const secret& token) {
    const auto draft = path + "." + std::to_string(::getpid()) + ".new";
    const auto failed = [&] {
        const std::string why = std::strerror(errno);
        ::unlink(draft.c_str());
        return refuse("the operator token " + path + " cannot be written: " + why,
                      "Make the state directory writable, or set approval.token.");
    };
    ::unlink(draft.c_str());
    {
        const descriptor file{
            ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
        const std::string line = std::string(token.reveal()) + "\n";
        if (file.fd < 0 || ::write(file.fd, line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
            ::fsync(file.fd) != 0)
            return failed();
    }
    if (::link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST)
        return failed();
    ::unlink(draft.c_str());
    return {};
}

} // namespace

std::string operator_token_path(const std::string& state_directory) {
    return state_directory + "/operator.token";
}

result<secret> load_operator_token(const approval_config& config, const std::string& state_directory,
                                   const random_source& random, bool create) {
    if (config.token.from != secret_source::kind::none) {
        if (config.token.value.size() < shortest)
            return refuse("approval.token is too short", "Use at least 16 random characters, better 43.");
        return config.token.value;
    }
    const auto path = operator_token_path(state_directory);
    auto held = read_private(path);
    if (!held)
        return held.error();
    if (held->has_value())
        return **held;
    if (!create)
        return refuse("there is no operator token in " + path,
                      "Start `mcp-reauth serve` first (it makes one), or set approval.token.");
    if (const auto trouble = make_private_directory(state_directory); !trouble.empty())
        return refuse("the state directory " + trouble, "Make it, or choose another.");
    auto written = write_once(path, secret(random_token(random)));
    if (!written)
        return written.error();
    // Another process may have been first: what is on disk is the token.
    auto now_held = read_private(path);
    if (!now_held)
        return now_held.error();
    if (!now_held->has_value())
        return refuse("the operator token " + path + " disappeared", "Start again.");
    return **now_held;
}

} // namespace reauth
