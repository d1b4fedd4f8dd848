// GET approvals/{id}, POST approvals/{id}/approve and …/deny: one approval, looked at and decided.
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/display_text.hpp"
#include "proxy/approval/api_answers.hpp"
#include "proxy/approval/approval_json.hpp"

namespace reauth {
namespace {

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

/// What was decided already is told, not decided again; nothing: it is open.
std::optional<service_response> decided_already(const approval& a) {
    return decided(a.status) ? std::optional(decided_answer(a)) : std::nullopt;
}

} // namespace

/// nullptr: it was answered already, by a neighbour or by 404.
task<std::shared_ptr<approval>> approval_listener::impl::find_approval(self_ptr self, service_exchange& x,
                                                                       std::string id, viewer who) {
    auto a = self->services.book.find(id);
    if (a && who.sees(a->principal))
        co_return a;
    if (!a && who.operates) {
        const bool theirs = co_await answered_by_others(self, x, true);
        if (theirs)
            co_return nullptr;
    }
    auto r = not_found("There is no approval with this id.", "`mcp-reauth approvals` lists those that wait.");
    co_await x.respond(std::move(r));
    co_return nullptr;
}

task<void> approval_listener::impl::api_approval(self_ptr self, service_exchange& x, api_call call) {
    const auto a = co_await find_approval(self, x, call.parameters[0], call.who);
    if (!a)
        co_return;
    auto r = json_answer(200, approval_json(*a, self->services.book.link(*a)));
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::api_deny(self_ptr self, service_exchange& x, api_call call) {
    const auto a = co_await find_approval(self, x, call.parameters[0], call.who);
    if (!a)
        co_return;
    auto r = decided_already(*a);
    if (!r) {
        const auto denied = co_await self->services.actions.deny(a->id, call.who.name());
        r = denied ? json_answer(200, {{"status", "denied"}}) : failure_answer(denied.error());
    }
    co_await x.respond(std::move(*r));
}

/// What an approve that was carried out is answered with.
task<service_response> approval_listener::impl::approved(self_ptr self, std::shared_ptr<approval> a,
                                                         viewer who, sign_in_method method, bool remember) {
    const auto as = who.person ? approver::person : approver::operator_token;
    const auto answer = co_await self->services.actions.approve(a->id, as, false, method, who.name());
    if (!answer && decided(a->status))
        co_return decided_answer(*a); // someone else was faster
    if (!answer)
        co_return failure_answer(answer.error());
    if (answer->done && remember) {
        const auto kept = co_await self->services.actions.remember(a->id, who.name());
        co_return kept ? json_answer(200, {{"status", "done"}, {"remembered", true}})
                       : failure_answer(kept.error());
    }
    if (answer->done)
        co_return json_answer(200, {{"status", "done"}});
    if (const auto flaw = unsafe_location(answer->location))
        co_return failure_answer(*flaw);
    co_return json_answer(200, redirect_json(*answer));
}

task<void> approval_listener::impl::api_approve(self_ptr self, service_exchange& x, api_call call) {
    const auto a = co_await find_approval(self, x, call.parameters[0], call.who);
    if (!a)
        co_return;
    const auto body = read_json(x.request().body).value_or(nlohmann::json());
    auto r = decided_already(*a);
    if (!r && a->calls.hidden > 0 && !json_bool(body, "unseen"))
        r = not_shown_answer(*a);
    if (!r) {
        const auto method = sign_in_method_from(json_string(body, "method"));
        r = co_await approved(self, a, call.who, method, json_bool(body, "remember"));
    }
    co_await x.respond(std::move(*r));
}

} // namespace reauth
