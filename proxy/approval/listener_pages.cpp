// The pages of the approval listener: the approval link and the OAuth callback.
#include "proxy/approval/approval_json.hpp"

#include "core/text/ascii.hpp"
#include "proxy/approval/approval_page.hpp"
#include "proxy/approval/listener_impl.hpp"

#include "core/http/http_field.hpp"
#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"

namespace reauth {
namespace {

const header_field html_type{"Content-Type", "text/html; charset=utf-8"};

/// Where the browser shows its cookie again: the flow's own callback, as it is seen behind a gateway's
/// prefix.
std::string callback_path_of(const std::string& redirect_uri, const std::string& base_path) {
    const auto url = parse_http_url(redirect_uri);
    if (!url || url->path.size() <= base_path.size() || !url->path.starts_with(base_path))
        return "/oauth/callback";
    return url->path.substr(base_path.size());
}

} // namespace

service_response approval_listener::impl::approval_page(const approval& a, const viewer& who, unsigned status,
                                                        const std::string& notice) const {
    page_place place{base_path, base_path + "/a/" + std::string(a.link_secret.reveal()), services.clock(),
                     notice, services.waits_for ? services.waits_for(a.id) : true};
    if (who.person) {
        place.may_complete = true;
        place.signed_in_as = who.person->shown;
        place.for_another = who.person->principal != a.principal;
    }
    return guarded({status, {html_type}, render_approval_page(a, place)}, form_targets(a));
}

service_response approval_listener::impl::message_page(unsigned status, std::string_view tone,
                                                       std::string_view title, std::string_view detail,
                                                       std::string_view hint, bool warns) const {
    return guarded({status, {html_type}, render_message_page(base_path, tone, title, detail, hint, warns)});
}

service_response approval_listener::impl::own_page(std::string html) const {
    return guarded({200, {html_type}, std::move(html)});
}

/// /a/{secret}, /a/{secret}/approve, …/deny, …/callback, …/events.
task<void> approval_listener::impl::route_link(self_ptr self, service_exchange& x, std::string rest,
                                               viewer who) {
    const auto slash = rest.find('/');
    const auto verb = slash == std::string::npos ? "" : rest.substr(slash + 1);
    const auto a = self->services.book.find_by_link(std::string_view(rest).substr(0, slash));
    const bool known = slash == std::string::npos || verb == "approve" || verb == "deny" ||
                       verb == "callback" || verb == "events";
    auto kept_away = self->not_theirs(x.request(), who, a.get());
    if (kept_away) {
        co_await x.respond(std::move(*kept_away));
        co_return;
    }
    if (!a && known) {
        bool theirs = false;
        if (verb == "events")
            theirs = co_await self->others.follow(x);
        else
            theirs = co_await answered_by_others(self, x, false);
        if (theirs)
            co_return;
    }
    if (!a || !known) {
        auto r = self->message_page(404, "bad", "This link does not work any more",
                                    "The approval was decided a while ago, or the link is not whole.",
                                    "The client's next request makes a new approval if one is still needed.");
        co_await x.respond(std::move(r));
        co_return;
    }
    const auto& method = x.request().method;
    if (slash == std::string::npos && (method == "GET" || method == "HEAD")) {
        self->services.book.look(a->id, self->services.clock());
        auto r = self->approval_page(*a, who);
        co_await x.respond(std::move(r));
    } else if (verb == "events" && method == "GET") {
        co_await stream_events(self, x, a->id, std::move(who));
    } else if (verb == "approve" && method == "POST") {
        co_await link_approve(self, x, a, std::move(who));
    } else if (verb == "callback" && method == "POST") {
        co_await link_callback(self, x, a);
    } else if (verb == "deny" && method == "POST") {
        result<void> denied;
        if (!decided(a->status))
            denied = co_await self->services.actions.deny(a->id, who.name());
        // After the click the page itself says what is so, also when another tab was faster.
        auto r =
            denied ? guarded({303,
                              {{"Location", self->base_path + "/a/" + std::string(a->link_secret.reveal())}},
                              ""})
                   : self->approval_page(*a, who, status_of(denied.error()), denied.error().describe());
        co_await x.respond(std::move(r));
    } else {
        auto r = method_not_allowed(slash == std::string::npos || verb == "events" ? "GET" : "POST");
        co_await x.respond(std::move(r));
    }
}

/// With the link alone one may start a flow that ends at a provider's sign-in; the flow is bound to this
/// browser.
task<void> approval_listener::impl::link_approve(self_ptr self, service_exchange& x,
                                                 std::shared_ptr<approval> a, viewer who) {
    const auto accept = x.request().header("accept");
    const bool scripted = accept && *accept == "application/json";
    service_response r;
    if (decided(a->status)) {
        r = scripted ? json_answer(409, {{"error", "already_decided"}, {"status", to_string(a->status)}})
                     : self->approval_page(*a, who, 409);
        co_await x.respond(std::move(r));
        co_return;
    }
    const auto fields = parse_form(x.request().body);
    const auto method = sign_in_method_from(form_value(fields, "method").value_or(""));
    if (who.person && a->calls.hidden > 0 && !form_value(fields, "unseen")) {
        r = self->approval_page(*a, who, 409, "A part of this call is not shown: tick that you approve it.");
        co_await x.respond(std::move(r));
        co_return;
    }
    const auto by = who.person ? approver::person : approver::link_holder;
    const auto answer = co_await self->services.actions.approve(a->id, by, true, method, who.name());
    const auto flaw = answer && !answer->done ? unsafe_location(answer->location) : std::nullopt;
    if (!answer || flaw) {
        const auto& why = flaw ? *flaw : answer.error();
        std::string notice = why.describe();
        if (why.code == fault::approval_required)
            notice = "This link alone is not enough, because approving passes through no sign-in page. Run "
                     "`mcp-reauth approve " +
                     a->id + "` in a terminal, or open the dashboard.";
        const auto status = decided(a->status) ? 409u : status_of(why);
        r = scripted ? json_answer(status, failure_json(why))
                     : self->approval_page(*a, who, status, decided(a->status) ? "" : notice);
    } else if (!answer->user_code.empty()) {
        // the code is for any device: this page shows it
        const auto now = self->services.book.find(a->id);
        r = scripted ? json_answer(200, redirect_json(*answer)) : self->approval_page(now ? *now : *a, who);
    } else if (answer->done) {
        r = scripted ? json_answer(200, {{"status", "done"}}) : self->approval_page(*a, who);
    } else {
        r = scripted ? json_answer(200, {{"status", "redirect"}, {"location", answer->location}})
                     : guarded({303, {{"Location", answer->location}}, ""}, form_targets(*a));
        if (answer->browser_binding) {
            const auto lifetime =
                std::chrono::duration_cast<std::chrono::seconds>(a->expires_at - self->services.clock());
            const auto value = binding_cookie_name(std::string(answer->state.reveal())) + "=" +
                               std::string(answer->browser_binding->reveal());
            const auto rules =
                "; HttpOnly; SameSite=Lax; Max-Age=" + std::to_string(std::max<long>(1, lifetime.count())) +
                (self->secure_cookies ? "; Secure" : "");
            // The second is for the callback URL that is pasted into this browser's page.
            for (const auto& path : {callback_path_of(answer->redirect_uri, self->base_path),
                                     "/a/" + std::string(a->link_secret.reveal()) + "/callback"})
                r.headers.push_back({"Set-Cookie", value + "; Path=" + self->base_path + path + rules});
        }
    }
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::link_callback(self_ptr self, service_exchange& x,
                                                  std::shared_ptr<approval> a) {
    const auto fields = parse_form(x.request().body);
    auto parameters = parse_callback_url(form_value(fields, "url").value_or(""));
    service_response r;
    if (!parameters) {
        r = self->approval_page(*a, self->viewer_of(x.request()), 400, parameters.error().describe());
        co_await x.respond(std::move(r));
        co_return;
    }
    auto binding = cookie_value(x.request(), binding_cookie_name(*parameters->state));
    const auto outcome = co_await self->services.actions.callback(std::move(*parameters), std::move(binding));
    r = outcome.ok ? self->message_page(200, "good", outcome.title, outcome.detail, outcome.warning,
                                        !outcome.warning.empty())
                   : self->approval_page(*a, self->viewer_of(x.request()), 400,
                                         outcome.title + ": " + outcome.detail);
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::oauth_callback(self_ptr self, service_exchange& x) {
    service_response r;
    if (x.request().method != "GET") {
        r = method_not_allowed("GET"); // also HEAD: a look must not use up the state
        co_await x.respond(std::move(r));
        co_return;
    }
    auto parameters = parse_callback_query(x.request().query);
    if (!parameters || !parameters->state) {
        r = self->message_page(
            400, "bad", "This is not an answer to a sign-in",
            parameters ? "The address holds no state, so it belongs to no sign-in that was started here."
                       : parameters.error().message,
            "Open the approval link again and start from there.");
        co_await x.respond(std::move(r));
        co_return;
    }
    const bool of_page = co_await finish_sign_in(self, x, *parameters);
    if (of_page)
        co_return;
    const bool ours = co_await self->services.actions.knows_flow(*parameters->state);
    if (!ours) {
        const bool theirs = co_await answered_by_others(self, x, false);
        if (theirs)
            co_return;
        if (self->others.asks(x.request())) {
            r = self->refusal(false, 404, "Not here.", "Another process has begun this sign-in.");
            co_await x.respond(std::move(r));
            co_return;
        }
    }
    auto binding = cookie_value(x.request(), binding_cookie_name(*parameters->state));
    const auto cookie = binding_cookie_name(*parameters->state);
    const auto& path = x.request().path;
    const auto here = path.starts_with(self->base_path) ? path : self->base_path + path;
    const auto outcome = co_await self->services.actions.callback(std::move(*parameters), std::move(binding));
    r = self->message_page(outcome.ok ? 200 : 400, outcome.ok ? "good" : "bad", outcome.title, outcome.detail,
                           !outcome.warning.empty() ? outcome.warning
                           : outcome.ok             ? "You can close this page."
                                                    : "",
                           !outcome.warning.empty());
    if (outcome.ok)
        r.headers.push_back({"Set-Cookie", cookie + "=; Path=" + here +
                                               "; Max-Age=0; HttpOnly; SameSite=Lax" +
                                               (self->secure_cookies ? "; Secure" : "")});
    co_await x.respond(std::move(r));
}

/// What authorization servers read of us (Client ID Metadata Documents); nobody's secret.
service_response approval_listener::impl::client_document() const {
    auto text = services.client_metadata ? services.client_metadata() : std::string();
    if (text.empty())
        return refusal(false, 404, "Nothing is here.", "The address is not one of mcp-reauth's pages.");
    return {200,
            {{"Content-Type", "application/json"},
             {"Cache-Control", "public, max-age=300"},
             {"X-Content-Type-Options", "nosniff"}},
            std::move(text)};
}

} // namespace reauth
