// One child process each, without a shell.
#include "proxy/approval/notifier.hpp"

#include "core/oauth/foreign_text.hpp"
#include "core/text/uri.hpp"
#include "proxy/approval/approval_json.hpp"
#include "proxy/approval/child_process.hpp"
#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <filesystem>

namespace reauth {
namespace {

constexpr std::chrono::seconds command_patience{10};

bool in_container() {
    std::error_code ignored;
    return std::filesystem::exists("/.dockerenv", ignored) ||
           std::filesystem::exists("/run/.containerenv", ignored);
}

/// The approval's link is in its arguments or its input: of a failure only what the program is and said is
/// logged, and of that no piece of the link, which it may echo.
task<void> run_and_tell(executor ex, child_command command, std::string event, std::string id,
                        sent_secrets told) {
    auto ended = co_await run_child(ex, std::move(command));
    if (!ended)
        log_event(log_level::warn, event,
                  {{"id", id}, {"message", without_secrets(ended.error().describe(), told)}});
}

sent_secrets secrets_in(const std::string& link) {
    const auto mark = link.find_last_of("/#");
    return {secret(mark == link.npos ? link : link.substr(mark + 1))};
}

} // namespace

desktop_facts desktop_of_this_process(const std::map<std::string, std::string>& environment) {
    return read_desktop(environment, in_container());
}

notifier::notifier(executor ex, approvals& book, std::map<std::string, std::string> environment,
                   desktop_facts desktop)
    : ex_(ex), book_(book), environment_(std::move(environment)), desktop_(desktop) {}

void notifier::call_for(const approval& a, const config& settings, time_point now) {
    if (!settings.approval.notify_command.empty() && !a.wished)
        run_command(a, settings);
    if (calls_.open_for(settings.approval.open_browser, desktop_, a, now)) {
        open_browser(book_.link(a), settings);
        book_.look(a.id, now);
    }
}

void notifier::open_browser(const std::string& link, const config& settings) {
    if (!parse_http_url(link))
        return;
    child_command command{{"xdg-open", link}, environment_without_secrets(settings), {}, {}};
    asio::co_spawn(ex_, run_and_tell(ex_, std::move(command), "browser not opened", {}, secrets_in(link)),
                   asio::detached);
}

void notifier::run_command(const approval& a, const config& settings) {
    child_command command{settings.approval.notify_command, environment_without_secrets(settings),
                          to_text(approval_json(a, book_.link(a))) + "\n", command_patience};
    auto run = run_and_tell(ex_, std::move(command), "notification failed", a.id, {a.link_secret});
    asio::co_spawn(ex_, std::move(run), asio::detached);
}

std::vector<std::string> notifier::environment_without_secrets(const config& settings) const {
    const auto& secrets = settings.secret_variables;
    std::vector<std::string> out;
    for (const auto& [name, value] : environment_)
        if (!name.starts_with("MCP_REAUTH_") &&
            std::find(secrets.begin(), secrets.end(), name) == secrets.end())
            out.push_back(name + "=" + value);
    return out;
}

} // namespace reauth
