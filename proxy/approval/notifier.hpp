// Calls a person to an approval that waits: opens a browser, runs the configured command.
#pragma once

#include "conf/config.hpp"
#include "policy/life/attention.hpp"
#include "proxy/approval/approvals.hpp"

#include <functional>
#include <map>
#include <memory>

namespace reauth {

/// The session that this process runs in.
desktop_facts desktop_of_this_process(const std::map<std::string, std::string>& environment);

/// Lives on the control thread. What it starts goes on by itself; what fails is logged.
class notifier {
public:
    /// `environment` is this process's; what it holds of secrets is kept from what is started.
    notifier(executor ex, approvals& book, std::map<std::string, std::string> environment,
             desktop_facts desktop);

    /// A question has come up, and this process is the one to tell of it.
    void call_for(const approval& a, const config& settings, time_point now);

private:
    void open_browser(const std::string& link, const config& settings);
    void run_command(const approval& a, const config& settings);
    std::vector<std::string> environment_without_secrets(const config& settings) const;

    executor ex_;
    approvals& book_;
    std::map<std::string, std::string> environment_;
    desktop_facts desktop_;
    browser_calls calls_;
};

} // namespace reauth
