// People at the page: who looks, how they sign in and out; and what identity providers deliver here.
#include "proxy/approval/approval_json.hpp"
#include "proxy/approval/listener_impl.hpp"

#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"
#include "core/text/time_text.hpp"

namespace reauth {
namespace {

constexpr std::string_view logout_path = "/oauth/backchannel-logout/", signal_path = "/oauth/signals/";
constexpr std::chrono::seconds renewed_after{60};

/// Back-Channel Logout section 2.8; RFC 8935 section 2.
service_response told(const signal_answer& said, bool push) {
    nlohmann::json body;
    if (!said.error.empty())
        body = push ? nlohmann::json{{"err", said.error}, {"description", said.description}}
                    : nlohmann::json{{"error", said.error}, {"error_description", said.description}};
    auto r = said.error.empty() ? guarded({said.status, {}, ""}) : json_answer(said.status, body);
    if (said.status == 503)
        r.headers.push_back({"Retry-After", "5"});
    return r;
}

} // namespace

bool approval_listener::impl::people_sign_in() const {
    return services.people && services.people->people_sign_in();
}

/// Behind https nobody but this very host can have set it (RFC 6265bis section 4.1.3.2).
std::string approval_listener::impl::session_cookie_name() const {
    return secure_cookies ? "__Host-mcp-reauth" : "mcp-reauth";
}

std::string approval_listener::impl::session_cookie(const std::string& value,
                                                    std::chrono::seconds age) const {
    return session_cookie_name() + "=" + value +
           "; Path=/; HttpOnly; SameSite=Lax; Max-Age=" + std::to_string(age.count()) +
           (secure_cookies ? "; Secure" : "");
}

std::string approval_listener::impl::session_cookie(const page_person& who) const {
    const auto left = services.people->session_lifetime() - (services.clock() - who.begun);
    return session_cookie(services.people->seal(person_to_text(who)),
                          std::chrono::duration_cast<std::chrono::seconds>(left));
}

viewer approval_listener::impl::viewer_of(const service_request& request) const {
    viewer who;
    who.operates = authorized(request);
    if (who.operates || !people_sign_in())
        return who;
    const auto sealed = cookie_value(request, session_cookie_name());
    const auto text = sealed ? services.people->unseal(*sealed) : std::nullopt;
    auto person = text ? person_from_text(*text) : std::nullopt;
    if (!person || services.people->over(*person))
        return who;
    who.operates = person->operates;
    who.person = std::move(person);
    return who;
}

/// Nothing: it is fresh enough.
std::optional<header_field> approval_listener::impl::renewed_session(viewer& who) const {
    if (!who.person || services.clock() - who.person->seen < renewed_after)
        return std::nullopt;
    who.person->seen = services.clock();
    return header_field{"Set-Cookie", session_cookie(*who.person)};
}

bool approval_listener::impl::delivers(std::string_view path) {
    return path.starts_with(logout_path) || path.starts_with(signal_path);
}

/// What an identity provider tells: whoever it is, the token says.
task<void> approval_listener::impl::take_signal(self_ptr self, service_exchange& x, std::string path) {
    const auto& request = x.request();
    const bool push = path.starts_with(signal_path);
    service_response r;
    if (request.method != "POST") {
        r = method_not_allowed("POST");
    } else if (!self->services.people) {
        r = self->refusal(true, 404, "Nothing is here.", "");
    } else if (push) {
        auto provider = path.substr(signal_path.size());
        const auto said = co_await self->services.people->security_event(
            std::move(provider), std::string(bearer_in(request)), std::string(trim_space(request.body)));
        r = told(said, true);
    } else {
        const auto fields = parse_form(request.body);
        auto provider = path.substr(logout_path.size());
        const auto said = co_await self->services.people->logout_token(
            std::move(provider), std::string(form_value(fields, "logout_token").value_or("")));
        r = told(said, false);
    }
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::begin_sign_in(self_ptr self, service_exchange& x) {
    const auto fields = parse_form(x.request().query);
    const auto to = own_path(form_value(fields, "to").value_or("/"));
    service_response r;
    if (!self->people_sign_in()) {
        r = self->refusal(false, 404, "Nothing is here.", "Nobody signs in to this page.");
        co_await x.respond(std::move(r));
        co_return;
    }
    const auto begun = co_await self->services.people->begin_page_sign_in(to);
    const auto flaw = begun ? unsafe_location(begun->location) : std::optional(begun.error());
    if (flaw) {
        r = self->message_page(flaw->transient ? 503 : 502, "bad", "Nobody can sign in at the moment",
                               flaw->describe(), "Who has signed in already stays so. Try again in a while.");
    } else {
        r = guarded({303, {{"Location", begun->location}}, ""});
        r.headers.push_back({"Set-Cookie", binding_cookie_name(begun->state) + "=" +
                                               std::string(begun->browser_binding.reveal()) +
                                               "; Path=" + self->base_path +
                                               "/oauth/callback; HttpOnly; SameSite=Lax; Max-Age=900" +
                                               (self->secure_cookies ? "; Secure" : "")});
    }
    co_await x.respond(std::move(r));
}

/// false: the callback is none of the page's own sign-ins.
task<bool> approval_listener::impl::finish_sign_in(self_ptr self, service_exchange& x,
                                                   callback_parameters parameters) {
    if (!self->people_sign_in() || !parameters.state)
        co_return false;
    auto to = co_await self->services.people->page_sign_in_of(*parameters.state);
    if (!to)
        co_return false;
    auto binding = cookie_value(x.request(), binding_cookie_name(*parameters.state));
    auto person =
        co_await self->services.people->finish_page_sign_in(std::move(parameters), std::move(binding));
    service_response r;
    if (person) {
        r = guarded({303, {{"Location", self->base_path + own_path(*to)}}, ""});
        r.headers.push_back({"Set-Cookie", self->session_cookie(*person)});
    } else {
        r = self->message_page(400, "bad", "You could not be signed in", person.error().describe(),
                               "Open the page again to try once more.");
    }
    co_await x.respond(std::move(r));
    co_return true;
}

task<void> approval_listener::impl::sign_out(self_ptr self, service_exchange& x, viewer who) {
    service_response r;
    if (x.request().method != "POST") {
        r = method_not_allowed("POST");
        co_await x.respond(std::move(r));
        co_return;
    }
    if (who.person)
        co_await self->services.people->end_page_session(*who.person);
    r = guarded({303, {{"Location", self->base_path + "/"}}, ""});
    r.headers.push_back({"Set-Cookie", self->session_cookie("", std::chrono::seconds(0))});
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::api_me(self_ptr self, service_exchange& x, api_call call) {
    nlohmann::json me{{"operator", call.who.operates}};
    if (const auto& p = call.who.person) {
        me["principal"] = p->principal;
        me["name"] = clean_text(p->shown);
        me["since"] = rfc3339(p->begun);
        me["until"] = rfc3339(p->begun + self->services.people->session_lifetime());
        if (self->services.look_up)
            self->services.look_up(p->principal);
    }
    auto r = json_answer(200, me);
    co_await x.respond(std::move(r));
}

/// What depends on who looks.
task<void> approval_listener::impl::route_seen(self_ptr self, service_exchange& x, std::string path,
                                               viewer who) {
    if (path == "/sign-out")
        co_await sign_out(self, x, std::move(who));
    else if (path.starts_with("/a/"))
        co_await route_link(self, x, path.substr(3), std::move(who));
    else if (path.starts_with(timeline_path))
        co_await route_timeline(self, x, path.substr(timeline_path.size()), std::move(who));
    else
        co_await route_api(self, x, path.substr(5), std::move(who));
}

/// A link is its own principal's business; nothing: it may be looked at.
std::optional<service_response> approval_listener::impl::not_theirs(const service_request& request,
                                                                    const viewer& who,
                                                                    const approval* a) const {
    if (!people_sign_in() || others.asks(request))
        return std::nullopt;
    const bool page = request.method == "GET" && !request.path.ends_with("/events");
    if (who.nobody() && page)
        return guarded({303,
                        {{"Location", base_path + "/sign-in?to=" +
                                          percent_encode(own_path(request.path.substr(base_path.size())))}},
                        ""});
    if (who.nobody())
        return json_answer(401, {{"error", "unauthorized"},
                                 {"message", "Nobody is signed in here any more."},
                                 {"fix", "Open the link again, and sign in."}});
    if (a ? who.sees(a->principal) : who.operates)
        return std::nullopt;
    return message_page(
        403, "bad", "This is somebody else's",
        "You are signed in as " + clean_text(who.person->shown) + ", and this was asked for another person.",
        "Only they can decide it, or an operator. To sign in as somebody else, sign out on the "
        "dashboard first.");
}

} // namespace reauth
