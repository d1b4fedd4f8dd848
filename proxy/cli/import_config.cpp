// A copy beside it, then a new file in its place.
#include "proxy/cli/import_config.hpp"

#include "conf/client_entry.hpp"
#include "conf/client_file.hpp"
#include "conf/regular_file.hpp"
#include "conf/values.hpp"
#include "core/text/display_text.hpp"

#include <filesystem>
#include <ostream>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reauth {
namespace {

namespace fs = std::filesystem;

failure untouched(const std::string& file, const std::string& why) {
    return failure::permanent(fault::invalid_configuration, file + " " + why, "nothing was changed");
}

std::string last_error() {
    return std::generic_category().message(errno);
}

/// A new file with the mode and owner of `like`. Empty: done; else why not.
std::string write_new(const std::string& path, std::string_view text, const struct stat& like) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return "can't be made: " + last_error();
    std::string trouble;
    while (!text.empty() && trouble.empty()) {
        const auto n = ::write(fd, text.data(), text.size());
        if (n > 0)
            text.remove_prefix(static_cast<std::size_t>(n));
        else if (errno != EINTR)
            trouble = "can't be written: " + last_error();
    }
    // root rewrites a file of somebody else: it stays theirs
    if (trouble.empty() && ::geteuid() == 0 && ::fchown(fd, like.st_uid, like.st_gid) != 0)
        trouble = "can't be given to its owner: " + last_error();
    if (trouble.empty() && (::fchmod(fd, like.st_mode & 0777) != 0 || ::fsync(fd) != 0))
        trouble = "can't be written: " + last_error();
    ::close(fd);
    if (!trouble.empty())
        ::unlink(path.c_str());
    return trouble;
}

/// Where the copy goes: a name that is not taken.
std::string copy_of(const std::string& file) {
    auto name = file + ".before-mcp-reauth";
    for (int n = 2; ::access(name.c_str(), F_OK) == 0; ++n)
        name = file + ".before-mcp-reauth." + std::to_string(n);
    return name;
}

/// The copy's name.
result<std::string> replace(const std::string& file, std::string_view before, std::string_view now) {
    std::error_code failed;
    const auto real = fs::canonical(file, failed).string(); // a link to it stays one
    struct stat like{};
    if (failed || ::stat(real.c_str(), &like) != 0)
        return untouched(file, "can't be found any more");
    auto copy = copy_of(real);
    const auto fresh = real + ".mcp-reauth-new";
    if (const auto trouble = write_new(copy, before, like); !trouble.empty())
        return untouched(copy, trouble);
    ::unlink(fresh.c_str()); // of a run that was killed
    auto trouble = write_new(fresh, now, like);
    if (trouble.empty() && ::rename(fresh.c_str(), real.c_str()) != 0)
        trouble = "can't be put into its place: " + last_error();
    if (!trouble.empty()) {
        ::unlink(fresh.c_str());
        ::unlink(copy.c_str());
        return untouched(fresh, trouble);
    }
    return copy;
}

/// What takes over its sign-in: what was part of mcp-remote's key. The values of header fields may be
/// secrets, and stay in the file.
std::string import_words(const remote_entry& entry) {
    std::string out;
    const auto add = [&](const std::string& word) { out += " " + shell_word(clean_text(word, 400)); };
    for (std::size_t i = 0; i < entry.arguments.size(); ++i) {
        const auto& word = entry.arguments[i];
        if (i == 0)
            add(word);
        if (i + 1 == entry.arguments.size())
            break;
        const auto& value = entry.arguments[i + 1];
        if (word == "--resource" || word == "--authorize-param") {
            out += " " + word;
            add(value);
        }
        if (word == "--header") {
            out += " " + word;
            add(value.substr(0, value.find(':')) + ": …");
        }
    }
    return out;
}

} // namespace

int rewrite_client_file(const command_context& context, const std::string& file, bool dry_run) {
    const auto read = read_regular_file(file, {1u << 20});
    if (!read)
        return context.fail(untouched(file, read.trouble));
    auto made = rewrite_remote_entries(read.text->reveal(), start_words(false));
    if (!made)
        return context.fail(untouched(file, "is no configuration of a client: " + made.error().message));
    std::string copy;
    if (!dry_run && !made->entries.empty()) {
        auto replaced = replace(file, read.text->reveal(), made->text);
        if (!replaced)
            return context.fail(replaced.error());
        copy = std::move(*replaced);
    }
    if (context.json) {
        auto entries = nlohmann::json::array();
        for (const auto& entry : made->entries)
            entries.push_back(
                {{"name", entry.name}, {"url", entry.arguments.empty() ? "" : entry.arguments.front()}});
        context.print_json(
            {{"file", file}, {"entries", entries}, {"copy", copy}, {"changed", !copy.empty()}});
        return exit_done;
    }
    auto& out = context.io.out;
    if (made->entries.empty()) {
        out << file << " starts mcp-remote nowhere: nothing was changed.\n";
        return exit_done;
    }
    if (dry_run) {
        out << "--- " << file << "\n+++ " << file << "\n" << made->difference;
        return exit_done;
    }
    out << "Changed in " << file << " (what was there is kept in " << copy << "):\n";
    for (const auto& entry : made->entries)
        out << "  " << clean_text(entry.name, 60)
            << ": sign in once when the client starts it, or take over what "
            << "mcp-remote has:\n    mcp-reauth import mcp-remote" << import_words(entry) << "\n";
    return exit_done;
}

} // namespace reauth
