// `serve`: signals, reload on SIGHUP and on file change, what is printed at start.
#include "conf/file_watch.hpp"
#include "proxy/log/log.hpp"
#include "proxy/service/process.hpp"
#include "proxy/service/runtime.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <optional>
#include <unistd.h>
#include <vector>

namespace reauth {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds grace{5};
/// After a change is told of, until the file is taken for whole; and where none can be told, or through a
/// link.
constexpr std::chrono::milliseconds settled{200}, look_again{2'000}, look_seldom{30'000};

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

/// Calls when one of some files is another than it was.
class file_changes {
public:
    /// `changed` gives the files to watch from then on.
    file_changes(asio::io_context& context, std::vector<std::string> files,
                 std::function<std::vector<std::string>()> changed)
        : files_(std::move(files)), changed_(std::move(changed)), timer_(context), told_(context) {
        watch();
    }

    void wait() {
        timer_.expires_after(told_.is_open() ? look_seldom : look_again);
        timer_.async_wait([this](error_code ec) {
            if (!ec)
                look();
        });
        if (!told_.is_open())
            return;
        told_.async_wait(asio::posix::descriptor_base::wait_read, [this](error_code ec) {
            if (ec)
                return;
            timer_.expires_after(settled);
            timer_.async_wait([this](error_code cut) {
                if (!cut)
                    look();
            });
        });
    }

private:
    void watch() {
        seen_ = changed_at(files_);
        error_code ignored;
        told_.close(ignored);
        watch_ = file_watch(files_);
        if (const int copy = ::fcntl(watch_.descriptor(), F_DUPFD_CLOEXEC, 0); copy >= 0)
            told_.assign(copy, ignored);
    }
    void look() {
        watch_.drain();
        const auto now = changed_at(files_);
        if (now && now != seen_) {
            files_ = changed_();
            watch();
        } else {
            error_code ignored;
            told_.cancel(ignored);
        }
        wait();
    }

    std::vector<std::string> files_;
    std::function<std::vector<std::string>()> changed_;
    std::optional<file_times> seen_;
    file_watch watch_;
    asio::steady_timer timer_;
    asio::posix::stream_descriptor told_;
};

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

    let_go_of_start();
    asio::io_context main_loop{1};
    asio::signal_set ending(main_loop, SIGINT, SIGTERM), hup(main_loop, SIGHUP);
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
    file_changes changes(main_loop, watched, [&] {
        reload_now(s, options, "file changed", watched);
        return watched;
    });
    if (!watched.empty() && options.reload)
        changes.wait();
    main_loop.run();
    log_event(log_level::info, "stopping");
    s.stop(grace);
    return 0;
}

} // namespace reauth
