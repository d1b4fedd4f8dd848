// GET history, history/ID, judgements, audit: what happened, and what was decided by which facts.
#include "proxy/approval/api_answers.hpp"
#include "proxy/approval/approval_json.hpp"
#include "proxy/approval/assets.hpp"
#include "proxy/approval/timeline_page.hpp"

#include "core/crypto/digest.hpp"
#include "core/http/http_field.hpp"
#include "core/text/encoding.hpp"
#include "core/text/time_text.hpp"

namespace reauth {
namespace {

constexpr std::size_t most_entries = 5000, most_judgements = 10'000;

/// A parameter of a query, decoded; empty: it is not there.
std::string parameter(const form_fields& query, std::string_view name) {
    return std::string(form_value(query, name).value_or(""));
}

} // namespace

/// A person's own entries alone: unless an operator asks.
task<nlohmann::json> approval_listener::impl::history_of(self_ptr self, viewer who, history_query wanted) {
    auto list = nlohmann::json::array();
    if (self->services.evidence) {
        if (!who.operates)
            wanted.sees = [who](const std::string& principal) { return who.sees(principal); };
        const auto entries = co_await self->services.evidence->history(std::move(wanted));
        for (const auto& e : entries) {
            list.push_back(history_json(e));
            if (!e.recovery.empty())
                list.back()["timeline"] = self->timeline_link(e.recovery);
        }
    }
    co_return nlohmann::json{{"history", std::move(list)}};
}

task<void> approval_listener::impl::api_history(self_ptr self, service_exchange& x, api_call call) {
    const auto query = parse_form(x.request().query);
    history_query wanted;
    wanted.upstream = parameter(query, "upstream");
    wanted.principal = parameter(query, "principal");
    const auto since = parameter(query, "since"), limit = parameter(query, "limit");
    wanted.since = parse_rfc3339(since);
    auto r = json_answer(400, error_body("invalid_request",
                                         "`since` must be a time, `limit` a number from 1 to 5000.",
                                         "e.g. ?since=2026-01-31T12:00:00Z&limit=50"));
    std::uint64_t most = wanted.most;
    const bool sound = limit.empty() || parse_decimal(limit, most);
    if (sound && (since.empty() || wanted.since) && most >= 1 && most <= most_entries) {
        wanted.most = static_cast<std::size_t>(most);
        const auto found = co_await history_of(self, call.who, std::move(wanted));
        r = json_answer(200, found);
    }
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::api_timeline(self_ptr self, service_exchange& x, api_call call) {
    auto r = not_found("There is no timeline of that id: it is not known, or too old.",
                       "`mcp-reauth history` lists what is kept.");
    if (self->services.evidence) {
        const auto found = co_await self->services.evidence->timeline_of(call.parameters[0]);
        if (found && call.who.sees(found->principal)) {
            auto body = timeline_json(*found);
            body["page"] = self->timeline_link(found->id);
            r = json_answer(200, body);
        }
    }
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::api_judgements(self_ptr self, service_exchange& x, api_call call) {
    auto list = nlohmann::json::array();
    if (self->services.evidence) {
        const auto found = co_await self->services.evidence->judgements(most_judgements);
        for (const auto& t : found)
            for (const auto& j : t.judged)
                if (call.who.sees(t.principal)) {
                    auto one = judgement_json(j);
                    one["recovery"] = t.id;
                    one["at"] = rfc3339(t.began);
                    list.push_back(std::move(one));
                }
    }
    auto r = json_answer(200, {{"judgements", std::move(list)}});
    co_await x.respond(std::move(r));
}

/// An operator's: whose lines they are is not told apart.
task<void> approval_listener::impl::api_audit(self_ptr self, service_exchange& x, api_call call) {
    auto r = not_found("No audit is written.", "see `audit` in docs/configuration.md");
    std::optional<audit_view> view;
    if (self->services.evidence && call.who.operates)
        view = co_await self->services.evidence->audit();
    if (view) {
        const auto& now = view->now;
        r = json_answer(200, {{"file", view->file},
                              {"lines", now.lines},
                              {"waiting", now.waiting},
                              {"lost", now.lost},
                              {"trouble", now.trouble},
                              {"public_key", now.public_key},
                              {"head", now.head.seq > 0 ? now.head.text() : ""},
                              {"heads", view->heads}});
    }
    co_await x.respond(std::move(r));
}

/// An operator's, too. Texts without secrets, as the log and the metrics are.
task<void> approval_listener::impl::api_diagnostics(self_ptr self, service_exchange& x, api_call call) {
    auto r = not_found("Nothing is told here.");
    if (self->services.diagnostics && call.who.operates) {
        auto body = nlohmann::json::object();
        for (const auto& [name, text] : self->services.diagnostics())
            body[name] = text;
        r = json_answer(200, body);
    }
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::api_openapi(self_ptr, service_exchange& x, api_call) {
    service_response r;
    r.headers = {{"Content-Type", "application/json"}};
    r.body = std::string(asset_text("openapi.json"));
    auto safe = guarded(std::move(r));
    co_await x.respond(std::move(safe));
}

/// What lets somebody look at this timeline, and nothing else. People who sign in need none.
std::string approval_listener::impl::timeline_key(const std::string& id) const {
    return base64url_encode(hmac_sha256(operator_token.reveal(), "timeline " + id)).substr(0, 22);
}

std::string approval_listener::impl::timeline_link(const std::string& id) const {
    const auto page = public_url + std::string(timeline_path) + id;
    return people_sign_in() ? page : page + "?key=" + timeline_key(id);
}

task<void> approval_listener::impl::route_timeline(self_ptr self, service_exchange& x, std::string id,
                                                   viewer who) {
    const auto& request = x.request();
    const auto key = parameter(parse_form(request.query), "key");
    const bool by_link = !self->people_sign_in() && secret(self->timeline_key(id)).equals(key);
    if (request.method != "GET" && request.method != "HEAD") {
        auto r = method_not_allowed("GET");
        co_await x.respond(std::move(r));
        co_return;
    }
    if (who.nobody() && self->people_sign_in()) {
        auto r = guarded({303,
                          {{"Location", self->base_path + "/sign-in?to=" +
                                            percent_encode(own_path(std::string(timeline_path) + id))}},
                          ""});
        co_await x.respond(std::move(r));
        co_return;
    }
    std::optional<timeline> found;
    if (self->services.evidence && (by_link || !who.nobody()))
        found = co_await self->services.evidence->timeline_of(id);
    auto r = self->message_page(404, "bad", "There is no such timeline",
                                "It is not known any more, or the link is not whole.",
                                "`mcp-reauth history` lists what is kept.");
    if (found && (by_link || who.sees(found->principal)))
        r = self->own_page(render_timeline_page(self->base_path, *found));
    co_await x.respond(std::move(r));
}

} // namespace reauth
