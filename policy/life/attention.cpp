// The conditions, one a line.
#include "policy/life/attention.hpp"

namespace reauth {
namespace {

constexpr std::chrono::minutes between_tabs{1};
constexpr std::size_t remembered = 1000;

} // namespace

std::string_view to_string(browser_opening o) noexcept {
    switch (o) {
    case browser_opening::automatic:
        return "auto";
    case browser_opening::never:
        return "never";
    case browser_opening::always:
        return "always";
    }
    return "never";
}

desktop_facts read_desktop(const std::map<std::string, std::string>& environment, bool container_marker) {
    const auto set = [&](const char* name) {
        const auto found = environment.find(name);
        return found != environment.end() && !found->second.empty();
    };
    desktop_facts facts;
    facts.display = set("DISPLAY") || set("WAYLAND_DISPLAY");
    facts.remote_shell = set("SSH_CONNECTION") || set("SSH_CLIENT") || set("SSH_TTY");
    facts.container = container_marker || set("container") || set("KUBERNETES_SERVICE_HOST");
    // systemd tells every unit its INVOCATION_ID; only a user's session has a runtime directory
    facts.service = set("INVOCATION_ID") && !set("XDG_RUNTIME_DIR");
    return facts;
}

bool browser_calls::open_for(browser_opening how, const desktop_facts& where, const approval& a,
                             time_point now) {
    if (how == browser_opening::never || a.wished || decided(a.status) || opened_.contains(a.id))
        return false;
    if (how == browser_opening::automatic) {
        if (!where.display || where.remote_shell || where.container || where.service)
            return false;
        if (a.principal != "local" || (last_ && now < *last_ + between_tabs))
            return false;
    }
    if (opened_.size() >= remembered)
        opened_.clear();
    opened_.insert(a.id);
    last_ = now;
    return true;
}

} // namespace reauth
