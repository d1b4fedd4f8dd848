// `serve`: signals, reload on SIGHUP and on file change, what is printed at start.
#include "proxy/log/log.hpp"
#include "proxy/service/process.hpp"
#include "proxy/service/runtime.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <unistd.h>
#include <vector>

namespace reauth {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds grace{5};
constexpr std::chrono::seconds look_again{2};

using file_times = std::vector<std::filesystem::file_time_type>;

/// The files whose change is a change of the configuration: itself, and the secrets in `headers`.
std::vector<std::string> watched_files(const config& settings) {
    std::vector<std::string> out;
    if (!settings.file.empty())
        out.push_back(settings.file);
    for (const auto& u : settings.upstreams)
        for (const auto& [name, path] : u.header_files)
            out.push_back(path);
    return out;
}

/// Nothing while one of them is not there: it is just being replaced.
std::optional<file_times> changed_at(const std::vector<std::string>& files) {
    file_times out;
    for (const auto& file : files) {
        std::error_code ec;
        out.push_back(std::filesystem::last_write_time(file, ec));
        if (ec)
            return std::nullopt;
    }
    return out;
}

void print_ready(server& s, bool terminal) {
    const auto& settings = s.settings();
    auto listen = settings.listen.unix_path.empty()
                      ? (settings.tls ? "https://" : "http://") + settings.listen.host + ":" +
                            std::to_string(s.listen_port())
                      : "unix:" + settings.listen.unix_path;
    for (const auto& u : settings.upstreams)
        log_event(
            log_level::info, "upstream",
            {{"name", u.name}, {"url", u.url}, {"clients_use", listen + (u.path == "/" ? "/" : u.path)}});
    log_event(log_level::info, "ready", {{"listen", listen}, {"approval", settings.approval.public_url}});
    if (terminal)
        std::fprintf(
            stderr,
            "\nDashboard (works once, for five minutes): %s\n"
            "Connect a client, in another terminal:    mcp-reauth client-config %s --for claude-code\n\n",
            s.dashboard_link().c_str(),
            settings.upstreams.empty() ? "NAME" : settings.upstreams.front().name.c_str());
}

/// Keeps the old configuration if the new one is not valid.
void reload_now(server& s, const serve_options& options, const char* cause,
                std::vector<std::string>& watched) {
    auto fresh = options.reload();
    if (!fresh) {
        log_event(log_level::error, "reload refused",
                  {{"cause", cause}, {"message", fresh.error().describe()}});
        return;
    }
    watched = watched_files(*fresh);
    auto done = s.reload(std::move(*fresh));
    if (!done)
        log_event(log_level::error, "reload refused",
                  {{"cause", cause}, {"message", done.error().describe()}});
    else if (!done->empty())
        log_event(log_level::warn, "reloaded", {{"cause", cause}, {"needs_restart", *done}});
    else
        log_event(log_level::info, "reloaded", {{"cause", cause}});
}

} // namespace

int run_server(config initial, serve_options options) {
    make_room_for_descriptors(initial.limits.connections);
    start_log(initial.log);
    forbid_dumps();
    for (const auto& w : initial.warnings)
        log_event(log_level::warn, "configuration", {{"message", w}});
    auto watched = watched_files(initial);
    server s(std::move(initial));
    auto started = s.start();
    if (!started) {
        log_event(log_level::error, "cannot start", {{"message", started.error().describe()}});
        return 1;
    }
    const auto note = leave_note(s);
    if (options.print_ready)
        print_ready(s, ::isatty(STDERR_FILENO) == 1);

    asio::io_context main_loop{1};
    asio::signal_set ending(main_loop, SIGINT, SIGTERM), hup(main_loop, SIGHUP);
    asio::steady_timer watch(main_loop);
    ending.async_wait([&](boost::system::error_code, int) { main_loop.stop(); });
    std::function<void()> wait_for_hup = [&] {
        hup.async_wait([&](boost::system::error_code ec, int) {
            if (ec)
                return;
            if (options.reload)
                reload_now(s, options, "SIGHUP", watched);
            wait_for_hup();
        });
    };
    wait_for_hup();
    auto seen = changed_at(watched);
    std::function<void()> wait_for_change = [&] {
        watch.expires_after(look_again);
        watch.async_wait([&](boost::system::error_code ec) {
            if (ec)
                return;
            if (auto now = changed_at(watched); now && now != seen) {
                reload_now(s, options, "file changed", watched);
                seen = changed_at(watched);
            }
            wait_for_change();
        });
    };
    if (!watched.empty() && options.reload)
        wait_for_change();
    main_loop.run();
    log_event(log_level::info, "stopping");
    s.stop(grace);
    return 0;
}

} // namespace reauth
