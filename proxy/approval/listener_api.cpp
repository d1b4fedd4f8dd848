// The approval API: for the dashboard, the CLI and scripts. Every route needs the operator token.
#include "core/json/json_reader.hpp"
#include "proxy/approval/approval_json.hpp"
#include "proxy/approval/listener_impl.hpp"

#include "conf/client_entry.hpp"
#include "core/json/json_fields.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"

#include <algorithm>

namespace reauth {
namespace {

nlohmann::json error_body(std::string_view code, std::string_view message, std::string_view fix = {}) {
    return {{"error", code}, {"message", message}, {"fix", fix}};
}

service_response decided_answer(const approval& a) {
    auto body = error_body("already_decided",
                           "This approval is already decided: " + std::string(to_string(a.status)) + ".");
    body["status"] = to_string(a.status);
    body["outcome"] = clean_text(a.outcome, 400);
    return json_answer(409, body);
}

/// A yes for what nobody could see has to say so.
service_response not_shown_answer(const approval& a) {
    auto body = error_body("not_shown",
                           std::to_string(a.calls.hidden) + " bytes of this call are too much to be shown.",
                           "Approve it unseen: `mcp-reauth approve " + a.id +
                               " --unseen`, the tick on the dashboard, or {\"unseen\":true}.");
    body["not_shown"] = a.calls.hidden;
    return json_answer(409, body);
}

std::string member(const nlohmann::json& body, const char* name, std::string otherwise = {}) {
    return body.contains(name) && body[name].is_string() ? body[name].get<std::string>()
                                                         : std::move(otherwise);
}

service_response entry_answer(const client_entry& e) {
    return json_answer(
        200,
        {{"client", e.client}, {"file", e.file}, {"text", e.text}, {"command", e.command}, {"note", e.note}});
}

service_response failure_answer(const failure& f) {
    return json_answer(status_of(f), failure_json(f));
}

} // namespace

nlohmann::json approval_listener::impl::with_others(nlohmann::json own, const std::string& name) const {
    const auto same = [](const nlohmann::json& a, const nlohmann::json& b) {
        if (a.contains("id"))
            return a["id"] == b.value("id", nlohmann::json());
        return a.value("upstream", nlohmann::json()) == b.value("upstream", nlohmann::json()) &&
               a.value("principal", nlohmann::json()) == b.value("principal", nlohmann::json()) &&
               a.value("url", nlohmann::json()) == b.value("url", nlohmann::json());
    };
    for (const auto& one : others.seen(name))
        if (one.is_object() &&
            std::none_of(own.begin(), own.end(), [&](const auto& known) { return same(known, one); }))
            own.push_back(one);
    return own;
}

bool approval_listener::impl::knows_upstream(const std::string& name) const {
    const auto all = services.credentials();
    return std::any_of(all.begin(), all.end(), [&](const auto& c) { return c.upstream == name; });
}

nlohmann::json approval_listener::impl::waiting_json(bool own_only) const {
    auto list = nlohmann::json::array();
    for (const auto& a : services.book.waiting())
        list.push_back(approval_json(*a, services.book.link(*a)));
    return {{"approvals", own_only ? std::move(list) : with_others(std::move(list), "approvals")}};
}

nlohmann::json approval_listener::impl::credentials_json(bool own_only) const {
    auto list = nlohmann::json::array();
    for (const auto& c : services.credentials())
        list.push_back(credential_json(c));
    if (!own_only)
        list = with_others(std::move(list), "credentials");
    auto sessions = nlohmann::json::array();
    if (services.sessions)
        for (const auto& s : services.sessions())
            sessions.push_back(idp_session_json(s));
    return {{"credentials", std::move(list)}, {"idp_sessions", std::move(sessions)}};
}

nlohmann::json approval_listener::impl::list_json(const std::string& name, bool own_only) const {
    if (name == "approvals")
        return waiting_json(own_only);
    if (name == "credentials")
        return credentials_json(own_only);
    auto list = nlohmann::json::array();
    if (name == "rules")
        for (const auto& r : services.actions.rules())
            list.push_back(rule_json(r));
    else if (services.past)
        for (const auto& e : services.past())
            list.push_back(history_json(e));
    return {{name, std::move(list)}};
}

/// POST rules/{id}/revoke, GET client-config/{upstream}/{client}.
task<void> approval_listener::impl::api_named(self_ptr self, service_exchange& x, std::string rest) {
    const auto slash = rest.find('/'), second = rest.find('/', slash + 1);
    const auto kind = rest.substr(0, slash), name = rest.substr(slash + 1, second - slash - 1);
    const auto last = second == std::string::npos ? "" : rest.substr(second + 1);
    auto r = json_answer(404, error_body("not_found", "There is no such API route."));
    if (kind == "rules" && last == "revoke") {
        r = method_not_allowed("POST");
        if (x.request().method == "POST") {
            const auto gone = co_await self->services.actions.revoke_rule(name);
            r = gone ? json_answer(200, {{"status", "done"}}) : failure_answer(gone.error());
        }
    } else if (kind == "client-config" && x.request().method == "GET") {
        const auto wanted = percent_decode(name, false).value_or("");
        for (const auto& c : self->services.credentials()) {
            const auto entry = c.upstream == wanted
                                   ? make_client_entry(last, {c.upstream, c.client_url, c.bearer, c.program})
                                   : std::nullopt;
            if (entry)
                r = entry_answer(*entry);
        }
    }
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::route_api(self_ptr self, service_exchange& x, std::string rest) {
    const auto& request = x.request();
    if (!self->authorized(request)) {
        auto r = json_answer(
            401, error_body("unauthorized", "The operator token is missing or wrong.",
                            "Send it as Authorization: Bearer; `mcp-reauth open` lets a browser in."));
        co_await x.respond(std::move(r));
        co_return;
    }
    const bool get = request.method == "GET";
    if (rest.starts_with("rules/") || rest.starts_with("client-config/")) {
        co_await api_named(self, x, rest);
    } else if (rest.starts_with("approvals/")) {
        co_await api_approval(self, x, rest.substr(10));
    } else if (rest == "login" || rest == "logout" || rest == "open" || rest == "callback") {
        co_await api_post(self, x, rest);
    } else if (rest == "events" && get) {
        co_await stream_events(self, x, std::string());
    } else if (rest == "approvals" || rest == "credentials" || rest == "events" || rest == "rules" ||
               rest == "history") {
        auto r = method_not_allowed("GET");
        const bool own_only = self->others.asks(request);
        if (get && !own_only && (rest == "approvals" || rest == "credentials"))
            co_await self->others.look(rest);
        if (get)
            r = json_answer(200, self->list_json(rest, own_only));
        co_await x.respond(std::move(r));
    } else {
        auto r = json_answer(404, error_body("not_found", "There is no such API route."));
        co_await x.respond(std::move(r));
    }
}

/// GET approvals/{id}, POST approvals/{id}/approve and …/deny.
task<void> approval_listener::impl::api_approval(self_ptr self, service_exchange& x, std::string rest) {
    const auto slash = rest.find('/');
    const auto verb = slash == std::string::npos ? "" : rest.substr(slash + 1);
    const auto a = self->services.book.find(rest.substr(0, slash));
    const bool known_verb = verb.empty() ? slash == std::string::npos : verb == "approve" || verb == "deny";
    if (!a && known_verb) {
        const bool theirs = co_await answered_by_others(self, x, true);
        if (theirs)
            co_return;
    }
    if (!a || !known_verb) {
        auto r = json_answer(404, error_body("not_found", "There is no approval with this id.",
                                             "`mcp-reauth approvals` lists those that wait."));
        co_await x.respond(std::move(r));
        co_return;
    }
    const std::string wanted = verb.empty() ? "GET" : "POST";
    if (x.request().method != wanted) {
        auto r = method_not_allowed(wanted);
        co_await x.respond(std::move(r));
        co_return;
    }
    if (verb.empty()) {
        auto r = json_answer(200, approval_json(*a, self->services.book.link(*a)));
        co_await x.respond(std::move(r));
        co_return;
    }
    if (decided(a->status)) {
        auto r = decided_answer(*a);
        co_await x.respond(std::move(r));
        co_return;
    }
    service_response r;
    if (verb == "deny") {
        const auto denied = co_await self->services.actions.deny(a->id);
        r = denied ? json_answer(200, {{"status", "denied"}}) : failure_answer(denied.error());
    } else {
        const auto body = read_json(x.request().body).value_or(nlohmann::json());
        const auto method = sign_in_method_from(json_string(body, "method"));
        const bool remember = json_bool(body, "remember");
        if (a->calls.hidden > 0 && !json_bool(body, "unseen")) {
            r = not_shown_answer(*a);
            co_await x.respond(std::move(r));
            co_return;
        }
        const auto answer =
            co_await self->services.actions.approve(a->id, approver::operator_token, false, method);
        if (!answer && decided(a->status))
            r = decided_answer(*a); // someone else was faster
        else if (!answer)
            r = failure_answer(answer.error());
        else if (answer->done && remember) {
            const auto kept = co_await self->services.actions.remember(a->id);
            r = kept ? json_answer(200, {{"status", "done"}, {"remembered", true}})
                     : failure_answer(kept.error());
        } else if (answer->done)
            r = json_answer(200, {{"status", "done"}});
        else if (const auto flaw = unsafe_location(answer->location))
            r = failure_answer(*flaw);
        else
            r = json_answer(200, redirect_json(*answer));
    }
    co_await x.respond(std::move(r));
}

/// POST login, logout, open, callback.
task<void> approval_listener::impl::api_post(self_ptr self, service_exchange& x, std::string rest) {
    if (x.request().method != "POST") {
        auto r = method_not_allowed("POST");
        co_await x.respond(std::move(r));
        co_return;
    }
    if (rest == "open") {
        // told once the vault has it: any replica may be asked to redeem it
        auto made = self->make_one_time_link();
        co_await keep_link(self, std::move(made.second));
        auto r = json_answer(200, {{"link", made.first}});
        co_await x.respond(std::move(r));
        co_return;
    }
    const auto body = read_json(x.request().body).value_or(nlohmann::json());
    const bool at_idp = rest == "logout" && body.is_object() && body.contains("idp");
    const bool of_all = rest == "logout" && json_bool(body, "all");
    const std::string needed = rest == "callback" ? "url" : at_idp ? "idp" : "upstream";
    const auto subject = body.is_object() ? member(body, needed.c_str()) : "";
    if (subject.empty() && !of_all) {
        auto r = json_answer(
            400, error_body("invalid_request", "The body must be a JSON object with \"" + needed + "\"."));
        co_await x.respond(std::move(r));
        co_return;
    }
    const auto principal = member(body, "principal", "local");
    service_response r;
    if (!at_idp && !of_all && rest != "callback" && !self->knows_upstream(subject)) {
        const bool theirs = co_await answered_by_others(self, x, true);
        if (theirs)
            co_return;
        if (self->others.asks(x.request())) {
            r = json_answer(404, error_body("not_found", "There is no such upstream here."));
            co_await x.respond(std::move(r));
            co_return;
        }
    }
    if (rest == "login") {
        const auto id = co_await self->services.actions.login(subject, principal);
        const auto a = id ? self->services.book.find(*id) : nullptr;
        r = a ? json_answer(200, {{"id", a->id}, {"link", self->services.book.link(*a)}})
              : failure_answer(
                    id ? failure::passing(fault::internal, "the approval is gone already", "try again")
                       : id.error());
    } else if (of_all) {
        const auto gone = co_await self->services.actions.logout_all(principal);
        r = gone ? json_answer(200, sign_out_json(*gone)) : failure_answer(gone.error());
    } else if (at_idp) {
        const auto gone = co_await self->services.actions.logout_idp(subject, principal);
        r = gone ? json_answer(200, sign_out_json(*gone)) : failure_answer(gone.error());
    } else if (rest == "logout") {
        const auto gone = co_await self->services.actions.logout(subject, principal);
        r = gone ? json_answer(200, sign_out_json(*gone)) : failure_answer(gone.error());
    } else {
        auto parameters = parse_callback_url(subject);
        bool ours = true;
        if (parameters && parameters->state)
            ours = co_await self->services.actions.knows_flow(*parameters->state);
        if (!ours) {
            const bool theirs = co_await answered_by_others(self, x, true);
            if (theirs)
                co_return;
        }
        if (!ours && self->others.asks(x.request())) {
            r = json_answer(404, error_body("not_found", "Another process has begun this sign-in."));
        } else if (!parameters) {
            r = json_answer(400, failure_json(parameters.error()));
        } else {
            const auto outcome =
                co_await self->services.actions.callback(std::move(*parameters), std::nullopt);
            r = json_answer(200, {{"ok", outcome.ok},
                                  {"title", clean_text(outcome.title)},
                                  {"detail", clean_text(outcome.detail, 600)},
                                  {"approval_id", outcome.approval_id}});
        }
    }
    co_await x.respond(std::move(r));
}

} // namespace reauth
