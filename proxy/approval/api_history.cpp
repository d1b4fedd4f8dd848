// GET history, history/ID, judgements: what happened, and what was decided by which facts.
#include "proxy/approval/api_answers.hpp"
#include "proxy/approval/approval_json.hpp"

#include "core/http/http_field.hpp"
#include "core/text/encoding.hpp"
#include "core/text/time_text.hpp"

namespace reauth {
namespace {

constexpr std::size_t most_entries = 5000, most_judgements = 10'000;

/// A parameter of the request's query, decoded; empty: it is not there.
std::string parameter(const service_request& request, std::string_view name) {
    const auto fields = parse_form(request.query);
    for (const auto& [key, value] : fields)
        if (key == name)
            return value;
    return {};
}

} // namespace

/// A person's own entries alone: unless an operator asks.
task<nlohmann::json> approval_listener::impl::history_of(self_ptr self, viewer who, history_query wanted) {
    auto list = nlohmann::json::array();
    if (self->services.evidence) {
        if (!who.operates)
            wanted.sees = [who](const std::string& principal) { return who.sees(principal); };
        const auto entries = co_await self->services.evidence->history(std::move(wanted));
        for (const auto& e : entries)
            list.push_back(history_json(e));
    }
    co_return nlohmann::json{{"history", std::move(list)}};
}

task<void> approval_listener::impl::api_history(self_ptr self, service_exchange& x, api_call call) {
    const auto& request = x.request();
    history_query wanted;
    wanted.upstream = parameter(request, "upstream");
    wanted.principal = parameter(request, "principal");
    const auto since = parameter(request, "since"), limit = parameter(request, "limit");
    wanted.since = parse_rfc3339(since);
    auto r = json_answer(400, error_body("invalid_request", "`since` must be a time, `limit` a number from 1 to 5000.",
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
        if (found && call.who.sees(found->principal))
            r = json_answer(200, timeline_json(*found));
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

} // namespace reauth
