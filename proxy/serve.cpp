// `serve`: signals, reload on SIGHUP and on file change, what is printed at start.
#include "proxy/log.hpp"
#include "proxy/runtime.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace reauth {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds grace{5};
constexpr std::chrono::seconds look_again{2};

/// Tokens live in our memory: no core file, no ptrace by other processes of the same user.
void forbid_dumps() {
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

std::filesystem::file_time_type changed_at(const std::string& file) {
    std::error_code ec;
    auto t = std::filesystem::last_write_time(file, ec);
    return ec ? std::filesystem::file_time_type::min() : t;
}

void print_ready(const server& s, const config& settings, bool terminal, server& links) {
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
        std::fprintf(stderr, "\nDashboard (works once, for five minutes): %s\n\n",
                     links.dashboard_link().c_str());
}

/// Keeps the old configuration if the new one is not valid.
void reload_now(server& s, const serve_options& options, const char* cause) {
    auto fresh = options.reload();
    if (!fresh) {
        log_event(log_level::error, "reload refused",
                  {{"cause", cause}, {"message", fresh.error().describe()}});
        return;
    }
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
    start_log(initial.log);
    forbid_dumps();
    for (const auto& w : initial.warnings)
        log_event(log_level::warn, "configuration", {{"message", w}});
    auto file = initial.file;
    auto shown = initial;
    server s(std::move(initial));
    auto started = s.start();
    if (!started) {
        log_event(log_level::error, "cannot start", {{"message", started.error().describe()}});
        return 1;
    }
    if (shown.approval.public_url.empty())
        shown.approval.public_url = "http://127.0.0.1:" + std::to_string(s.approval_port());
    if (options.print_ready)
        print_ready(s, shown, ::isatty(STDERR_FILENO) == 1, s);

    asio::io_context main_loop{1};
    asio::signal_set ending(main_loop, SIGINT, SIGTERM), hup(main_loop, SIGHUP);
    asio::steady_timer watch(main_loop);
    ending.async_wait([&](boost::system::error_code, int) { main_loop.stop(); });
    std::function<void()> wait_for_hup = [&] {
        hup.async_wait([&](boost::system::error_code ec, int) {
            if (ec)
                return;
            if (options.reload)
                reload_now(s, options, "SIGHUP");
            wait_for_hup();
        });
    };
    wait_for_hup();
    auto seen = changed_at(file);
    std::function<void()> wait_for_change = [&] {
        watch.expires_after(look_again);
        watch.async_wait([&](boost::system::error_code ec) {
            if (ec)
                return;
            if (auto now = changed_at(file); now != seen && now != std::filesystem::file_time_type::min()) {
                seen = now;
                reload_now(s, options, "file changed");
            }
            wait_for_change();
        });
    };
    if (!file.empty() && options.reload)
        wait_for_change();
    main_loop.run();
    log_event(log_level::info, "stopping");
    s.stop(grace);
    return 0;
}

} // namespace reauth
