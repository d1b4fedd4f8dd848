// GET approvals, credentials, rules, history, events, client-config: what there is to see.
#include "proxy/approval/api_answers.hpp"
#include "proxy/approval/approval_json.hpp"

#include "conf/accounts.hpp"
#include "conf/client_entry.hpp"
#include "core/text/encoding.hpp"

#include <algorithm>

namespace reauth {
namespace {

service_response entry_answer(const client_entry& e) {
    return json_answer(
        200,
        {{"client", e.client}, {"file", e.file}, {"text", e.text}, {"command", e.command}, {"note", e.note}});
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
    return std::any_of(all.begin(), all.end(), [&](const auto& c) { return is_called(c.upstream, name); });
}

nlohmann::json approval_listener::impl::waiting_json(const viewer& who, bool own_only) const {
    auto list = nlohmann::json::array();
    for (const auto& a : services.book.waiting())
        if (who.sees(a->principal))
            list.push_back(approval_json(*a, services.book.link(*a)));
    const bool alone = own_only || !who.operates;
    return {{"approvals", alone ? std::move(list) : with_others(std::move(list), "approvals")}};
}

nlohmann::json approval_listener::impl::credentials_json(const viewer& who, bool own_only) const {
    auto list = nlohmann::json::array();
    const bool all = who.operates || !services.credentials_of;
    for (const auto& c : all ? services.credentials() : services.credentials_of(who.person->principal))
        if (who.sees(c.principal))
            list.push_back(credential_json(c));
    if (!own_only && who.operates)
        list = with_others(std::move(list), "credentials");
    auto sessions = nlohmann::json::array();
    if (services.sessions)
        for (const auto& s : services.sessions())
            if (who.sees(s.principal))
                sessions.push_back(idp_session_json(s));
    return {{"credentials", std::move(list)}, {"idp_sessions", std::move(sessions)}};
}

nlohmann::json approval_listener::impl::list_json(const std::string& name, const viewer& who,
                                                  bool own_only) const {
    if (name == "approvals")
        return waiting_json(who, own_only);
    if (name == "credentials")
        return credentials_json(who, own_only);
    auto list = nlohmann::json::array();
    if (name == "rules") {
        for (const auto& r : services.actions.rules())
            if (who.sees(r.principal))
                list.push_back(rule_json(r));
    }
    return {{name, std::move(list)}};
}

task<void> approval_listener::impl::api_list(self_ptr self, service_exchange& x, api_call call) {
    const bool own_only = self->others.asks(x.request());
    if (!own_only && (call.name == "approvals" || call.name == "credentials"))
        co_await self->others.look(call.name);
    auto r = json_answer(200, self->list_json(call.name, call.who, own_only));
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::api_events(self_ptr self, service_exchange& x, api_call call) {
    co_await stream_events(self, x, std::string(), std::move(call.who));
}

task<void> approval_listener::impl::api_client_config(self_ptr self, service_exchange& x, api_call call) {
    auto r = not_found("There is no such API route.");
    const auto wanted = percent_decode(call.parameters[0], false).value_or("");
    const bool all = call.who.operates || !self->services.credentials_of;
    for (const auto& c :
         all ? self->services.credentials() : self->services.credentials_of(call.who.person->principal)) {
        const auto entry =
            c.upstream == wanted
                ? make_client_entry(
                      call.parameters[1],
                      {c.upstream, c.client_url, c.bearer,
                       only_starts_programs(call.parameters[1]) ? c.program : std::vector<std::string>()})
                : std::nullopt;
        if (entry)
            r = entry_answer(*entry);
    }
    co_await x.respond(std::move(r));
}

} // namespace reauth
