// One child, detached, and its end.
#include "proxy/stdio/page_only.hpp"

#include "proxy/log/log.hpp"
#include "proxy/service/running_file.hpp"

#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

extern char** environ;

namespace reauth {
namespace {

constexpr auto flag = "--page-only";
constexpr std::chrono::milliseconds look_again_in{500};

/// Another process that lives has the same upstream in the same place: it shows its approvals.
bool served_elsewhere(const config& settings) {
    const auto& mine = settings.upstreams.front();
    const auto all = live_proxies(note_directory(settings));
    return std::any_of(all.begin(), all.end(), [&](const live_proxy& other) {
        return other.pid != ::getpid() && other.state_directory == settings.state_directory &&
               std::any_of(other.upstreams.begin(), other.upstreams.end(), [&](const auto& served) {
                   return served.name == mine.name && served.url == mine.url;
               });
    });
}

/// As this process was started.
std::vector<std::string> own_arguments() {
    const std::ifstream in("/proc/self/cmdline", std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    std::vector<std::string> out;
    std::istringstream parts(text.str());
    for (std::string one; std::getline(parts, one, '\0');)
        out.push_back(std::move(one));
    return out;
}

} // namespace

void leave_page_behind(const server& s) {
    if (s.open_approvals(true) == 0 || served_elsewhere(s.settings()))
        return;
    auto arguments = own_arguments();
    if (arguments.size() < 2 || arguments[1] != "stdio")
        return; // not the program itself: a test
    arguments.emplace_back(flag);
    std::vector<char*> argv;
    for (auto& a : arguments)
        argv.push_back(a.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1); // our listening socket among them
    posix_spawnattr_t how;
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID);
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, "/proc/self/exe", &files, &how, argv.data(), environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0)
        log_event(log_level::warn, "page not kept", {{"message", std::strerror(failed)}});
    else
        log_event(log_level::info, "page kept",
                  {{"pid", std::to_string(child)},
                   {"message", "until the approval is decided: the client has gone"}});
}

void keep_page(server& s) {
    asio::io_context loop{1};
    asio::signal_set ending(loop, SIGINT, SIGTERM);
    ending.async_wait([&](error_code, int) { loop.stop(); });
    asio::steady_timer watch(loop);
    const auto until = std::chrono::steady_clock::now() + s.settings().approval.lifetime;
    const std::function<void()> look = [&] {
        watch.expires_after(look_again_in);
        watch.async_wait([&](error_code ended) {
            const bool over = ended || std::chrono::steady_clock::now() > until ||
                              s.open_approvals(false) == 0 || served_elsewhere(s.settings());
            if (over)
                loop.stop();
            else
                look();
        });
    };
    look();
    loop.run();
}

} // namespace reauth
