// POST login, logout, open, callback, rules/{id}/revoke: what an operator wishes.
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/display_text.hpp"
#include "proxy/approval/api_answers.hpp"
#include "proxy/approval/approval_json.hpp"

#include <algorithm>

namespace reauth {
namespace {

service_response missing(std::string_view member) {
    return json_answer(400, error_body("invalid_request", "The body must be a JSON object with \"" +
                                                              std::string(member) + "\"."));
}

/// The body's members; nothing that is there stands for an empty object.
nlohmann::json body_of(const service_exchange& x) {
    auto body = read_json(x.request().body).value_or(nlohmann::json());
    return body.is_object() ? std::move(body) : nlohmann::json::object();
}

/// Whose it is to be: somebody's own, or what an operator names.
std::string principal_of(const nlohmann::json& body, const viewer& who) {
    auto named = json_string(body, "principal");
    if (!named.empty())
        return named;
    return who.person && !who.operates ? who.person->principal : "local";
}

service_response not_yours() {
    return json_answer(403, error_body("forbidden", "That is another person's.",
                                       "Leave `principal` out, or have an operator do it."));
}

} // namespace

/// false: it was answered already, by a neighbour or by 404.
task<bool> approval_listener::impl::is_ours(self_ptr self, service_exchange& x, std::string upstream) {
    if (self->knows_upstream(upstream))
        co_return true;
    const bool theirs = co_await answered_by_others(self, x, true);
    if (theirs)
        co_return false;
    if (!self->others.asks(x.request()))
        co_return true; // whoever carries it out says what is known
    auto r = not_found("There is no such upstream here.");
    co_await x.respond(std::move(r));
    co_return false;
}

/// Told once the vault has it: any replica may be asked to redeem it.
task<void> approval_listener::impl::api_open(self_ptr self, service_exchange& x, api_call call) {
    if (call.who.person) { // the link brings the operator's token
        auto no = json_answer(403, error_body("forbidden", "Such links are for the operator's token.",
                                              "Sign in on the dashboard."));
        co_await x.respond(std::move(no));
        co_return;
    }
    auto made = self->make_one_time_link();
    co_await keep_link(self, std::move(made.second));
    auto r = json_answer(200, {{"link", made.first}});
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::api_login(self_ptr self, service_exchange& x, api_call call) {
    const auto body = body_of(x);
    const auto upstream = json_string(body, "upstream");
    auto r = missing("upstream");
    if (!call.who.sees(principal_of(body, call.who))) {
        r = not_yours();
    } else if (!upstream.empty()) {
        const bool ours = co_await is_ours(self, x, upstream);
        if (!ours)
            co_return;
        const auto id =
            co_await self->services.actions.login(upstream, principal_of(body, call.who), call.who.name());
        const auto a = id ? self->services.book.find(*id) : nullptr;
        if (a)
            r = json_answer(200, {{"id", a->id}, {"link", self->services.book.link(*a)}});
        else
            r = failure_answer(
                id ? failure::passing(fault::internal, "the approval is gone already", "try again")
                   : id.error());
    }
    co_await x.respond(std::move(r));
}

/// Of an upstream, of an identity provider and all that was minted from it, or of everything.
task<void> approval_listener::impl::api_logout(self_ptr self, service_exchange& x, api_call call) {
    const auto body = body_of(x);
    const auto principal = principal_of(body, call.who);
    const auto idp = json_string(body, "idp"), upstream = json_string(body, "upstream");
    auto& actions = self->services.actions;
    result<revocation_report> gone = failure();
    if (!call.who.sees(principal)) {
        auto r = not_yours();
        co_await x.respond(std::move(r));
        co_return;
    }
    if (idp.empty() && upstream.empty() && body.contains("principal")) {
        gone = co_await actions.end_identity(principal, call.who.name());
    } else if (json_bool(body, "all")) {
        gone = co_await actions.logout_all(principal, call.who.name());
    } else if (!idp.empty()) {
        gone = co_await actions.logout_idp(idp, principal, call.who.name());
    } else if (!upstream.empty()) {
        const bool ours = co_await is_ours(self, x, upstream);
        if (!ours)
            co_return;
        gone = co_await actions.logout(upstream, principal, call.who.name());
    } else {
        auto r = missing(body.contains("idp") ? "idp" : "upstream");
        co_await x.respond(std::move(r));
        co_return;
    }
    auto r = gone ? json_answer(200, sign_out_json(*gone)) : failure_answer(gone.error());
    co_await x.respond(std::move(r));
}

/// A sign-in whose browser could not reach us: the address of its last page.
task<void> approval_listener::impl::api_callback(self_ptr self, service_exchange& x, api_call call) {
    if (call.who.person && !call.who.operates) { // a person pastes it on the approval's own page
        auto no = not_yours();
        co_await x.respond(std::move(no));
        co_return;
    }
    const auto url = json_string(body_of(x), "url");
    if (url.empty()) {
        auto r = missing("url");
        co_await x.respond(std::move(r));
        co_return;
    }
    auto parameters = parse_callback_url(url);
    bool ours = true;
    if (parameters && parameters->state)
        ours = co_await self->services.actions.knows_flow(*parameters->state);
    if (!ours) {
        const bool theirs = co_await answered_by_others(self, x, true);
        if (theirs)
            co_return;
    }
    service_response r;
    if (!ours && self->others.asks(x.request())) {
        r = not_found("Another process has begun this sign-in.");
    } else if (!parameters) {
        r = json_answer(400, failure_json(parameters.error()));
    } else {
        const auto outcome = co_await self->services.actions.callback(std::move(*parameters), std::nullopt);
        r = json_answer(200, {{"ok", outcome.ok},
                              {"title", clean_text(outcome.title)},
                              {"detail", clean_text(outcome.detail, 600)},
                              {"warning", clean_text(outcome.warning, 600)},
                              {"approval_id", outcome.approval_id}});
    }
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::api_revoke_rule(self_ptr self, service_exchange& x, api_call call) {
    const auto all = self->services.actions.rules();
    const bool theirs = call.who.operates || std::any_of(all.begin(), all.end(), [&](const auto& r) {
                            return r.id == call.parameters[0] && call.who.sees(r.principal);
                        });
    if (!theirs) {
        auto no = not_found("There is no such rule of yours.");
        co_await x.respond(std::move(no));
        co_return;
    }
    const auto gone = co_await self->services.actions.revoke_rule(call.parameters[0], call.who.name());
    auto r = gone ? json_answer(200, {{"status", "done"}}) : failure_answer(gone.error());
    co_await x.respond(std::move(r));
}

} // namespace reauth
