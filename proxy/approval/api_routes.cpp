// The approval API: for the dashboard, the CLI and scripts. Every route needs the operator token, or a person
// who has signed in: then it is about what is theirs.
#include "proxy/approval/api_answers.hpp"
#include "proxy/approval/approval_json.hpp"

#include <algorithm>

namespace reauth {
namespace {

using parts = std::vector<std::string>;

parts split(std::string_view path) {
    parts all;
    for (;;) {
        const auto slash = path.find('/');
        all.emplace_back(path.substr(0, slash));
        if (slash == std::string_view::npos)
            return all;
        path.remove_prefix(slash + 1);
    }
}

/// The parameters where the path is of that form; nothing: it is another one.
std::optional<parts> match(std::string_view form, const parts& path) {
    const auto wanted = split(form);
    parts found;
    if (wanted.size() != path.size())
        return std::nullopt;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i] == "{}" && !path[i].empty())
            found.push_back(path[i]);
        else if (wanted[i] != path[i])
            return std::nullopt;
    }
    return found;
}

} // namespace

nlohmann::json error_body(std::string_view code, std::string_view message, std::string_view fix) {
    return {{"error", code}, {"message", message}, {"fix", fix}};
}

service_response failure_answer(const failure& f) {
    return json_answer(status_of(f), failure_json(f));
}

service_response not_found(std::string_view message, std::string_view fix) {
    return json_answer(404, error_body("not_found", message, fix));
}

task<void> approval_listener::impl::route_api(self_ptr self, service_exchange& x, std::string rest,
                                              viewer who) {
    struct route {
        std::string_view method, path;
        task<void> (*answer)(self_ptr, service_exchange&, api_call);
    };
    static constexpr route routes[] = {
        {"GET", "me", api_me},
        {"GET", "approvals", api_list},
        {"GET", "credentials", api_list},
        {"GET", "rules", api_list},
        {"GET", "history", api_history},
        {"GET", "history/{}", api_timeline},
        {"GET", "judgements", api_judgements},
        {"GET", "audit", api_audit},
        {"GET", "diagnostics", api_diagnostics},
        {"GET", "openapi.json", api_openapi},
        {"GET", "events", api_events},
        {"GET", "client-config/{}/{}", api_client_config},
        {"GET", "approvals/{}", api_approval},
        {"POST", "approvals/{}/approve", api_approve},
        {"POST", "approvals/{}/deny", api_deny},
        {"POST", "rules/{}/revoke", api_revoke_rule},
        {"POST", "login", api_login},
        {"POST", "logout", api_logout},
        {"POST", "open", api_open},
        {"POST", "callback", api_callback},
    };
    const auto& request = x.request();
    auto r = not_found("There is no such API route.");
    if (who.nobody()) {
        r = json_answer(401,
                        error_body("unauthorized",
                                   self->people_sign_in()
                                       ? "Nobody is signed in, and the operator token is missing or wrong."
                                       : "The operator token is missing or wrong.",
                                   "Send it as Authorization: Bearer; `mcp-reauth open` lets a browser in."));
        co_await x.respond(std::move(r));
        co_return;
    }
    const auto path = split(rest);
    for (const auto& one : routes) {
        auto parameters = match(one.path, path);
        if (!parameters)
            continue;
        if (request.method != one.method) {
            r = method_not_allowed(std::string(one.method));
            continue;
        }
        api_call call{path[0], std::move(*parameters), std::move(who)};
        co_await one.answer(self, x, std::move(call));
        co_return;
    }
    co_await x.respond(std::move(r));
}

} // namespace reauth
