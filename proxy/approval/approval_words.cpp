// What the approval page says, in plain words.
#include "proxy/approval/approval_words.hpp"

#include "proxy/approval/approval_page.hpp"

#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {

std::string_view status_words(approval_status s) noexcept {
    switch (s) {
    case approval_status::pending:
        return "Waiting for you";
    case approval_status::authorizing:
        return "Signing in";
    case approval_status::approved:
        return "Approved";
    case approval_status::denied:
        return "Denied";
    case approval_status::expired:
        return "Expired";
    case approval_status::failed:
        return "Failed";
    case approval_status::superseded:
        return "Replaced";
    case approval_status::signed_out:
        return "Signed out";
    }
    return "";
}

std::string_view status_tone(approval_status s) noexcept {
    switch (s) {
    case approval_status::authorizing:
        return "warn";
    case approval_status::approved:
        return "good";
    case approval_status::failed:
        return "bad";
    default:
        return "";
    }
}

std::string eyebrow(const approval& a) {
    switch (a.kind) {
    case approval_kind::step_up:
        return "More permissions";
    case approval_kind::idp_login:
        return "Organization sign-in";
    case approval_kind::call:
        return "One call";
    case approval_kind::login:
        break;
    }
    return "Sign-in";
}

std::string headline(const approval& a) {
    const auto upstream = clean_text(a.upstream, 60);
    switch (a.status) {
    case approval_status::approved:
        return a.kind == approval_kind::call      ? "Approved: this call to " + upstream
               : a.kind == approval_kind::step_up ? upstream + " allows more now"
                                                  : "Signed in to " + upstream;
    case approval_status::denied:
        return "You said no";
    case approval_status::expired:
        return "Nobody decided in time";
    case approval_status::failed:
        if (a.kind == approval_kind::call)
            return "The call to " + upstream + " was not sent";
        return "The sign-in to " + upstream + " did not work";
    case approval_status::superseded:
        return "Another approval took the place of this one";
    case approval_status::signed_out:
        return "Somebody signed out of " + upstream + " meanwhile";
    default:
        break;
    }
    switch (a.kind) {
    case approval_kind::step_up:
        return "Allow more on " + upstream + "?";
    case approval_kind::idp_login:
        return "Sign in with your organization for " + upstream + "?";
    case approval_kind::call:
        return (a.calls.calls.size() > 1
                    ? "Send these " + std::to_string(a.calls.calls.size()) + " messages to "
                    : "Send this call to ") +
               upstream + "?";
    case approval_kind::login:
        break;
    }
    return "Sign in to " + upstream + "?";
}

std::string authentication_words(const approval& a) {
    std::string out;
    if (!a.acr_values.empty())
        out += " with " + clean_text(a.acr_values, 120);
    if (a.max_age)
        out += a.max_age->count() == 0 ? ", made now"
                                       : ", at most " + std::to_string(a.max_age->count()) + " s old";
    return out;
}

std::string reason_words(const approval& a) {
    if (a.reason == "unauthorized")
        return "The server asks for a sign-in";
    if (a.reason == "token_expired")
        return "The access has expired and cannot be renewed silently";
    if (a.reason == "invalid_token")
        return "The server no longer accepts the access it was given";
    if (a.reason == "user_authentication")
        return "The server wants a fresh sign-in" + authentication_words(a);
    if (a.reason == "insufficient_scope")
        return "The server asks for more permissions";
    if (a.reason == "policy")
        return "A rule of your policy wants it approved before it is sent";
    return clean_text(a.reason, 80);
}

std::string closing_words(const approval& a) {
    switch (a.status) {
    case approval_status::denied:
        return a.outcome == "Denied." || a.outcome.empty()
                   ? "Nothing was given to the client. If it tries again, you are asked again."
                   : a.outcome;
    case approval_status::expired:
        // the headline has said so already
        return a.outcome.empty() || a.outcome.starts_with("Nobody decided in time.")
                   ? "The client's next request asks again."
                   : a.outcome;
    default:
        return a.outcome.empty() ? "There is nothing left to do here." : a.outcome;
    }
}

safe_html with_code(std::string_view text, std::size_t cap) {
    auto clean = clean_text(text, cap);
    safe_html out;
    std::string_view rest = clean;
    for (bool code = false;; code = !code) {
        const auto tick = rest.find('`');
        // a last tick without its pair is a tick
        const bool marked = code && tick != std::string_view::npos;
        const auto piece = rest.substr(0, tick);
        if (!piece.empty())
            out.text += marked ? "<code>" + html_escape(piece) + "</code>" : html_escape(piece);
        if (tick == std::string_view::npos)
            return out;
        rest.remove_prefix(tick + 1);
    }
}

safe_html lede(const approval& a, bool somebody_waits) {
    if (decided(a.status))
        return with_code(closing_words(a), 400);
    template_values v;
    v.text("who", a.client_name.empty() ? "A client" : a.client_name, 80);
    v.text("up", a.upstream, 60)
        .text("tool", visible_name(a.tool), 80)
        .text("method", visible_name(a.method), 80);
    v.text("others", std::to_string(a.calls.calls.size() - (a.calls.calls.empty() ? 0 : 1)));
    v.text("count", std::to_string(a.added.size()));
    safe_html first;
    if (a.wished || (a.client_name.empty() && a.method.empty() && a.reason.empty()))
        first = fill("You asked to sign in to <strong>{{up}}</strong>.", v);
    else if (a.kind == approval_kind::call)
        first = fill(a.tool.empty() ? "<strong>{{who}}</strong> wants to send <code>{{method}}</code> to "
                                      "<strong>{{up}}</strong>. Nothing was sent so far."
                                    : "<strong>{{who}}</strong> wants to call <code>{{tool}}</code> on "
                                      "<strong>{{up}}</strong>. Nothing was sent so far.",
                     v);
    else if (!a.tool.empty())
        first = fill(
            "<strong>{{who}}</strong> called the tool <code>{{tool}}</code> on <strong>{{up}}</strong>.", v);
    else
        first = fill("<strong>{{who}}</strong> is talking to <strong>{{up}}</strong>.", v);
    safe_html then;
    if (a.kind == approval_kind::call)
        then =
            a.calls.calls.size() > 1
                ? fill(
                      " In the same batch there are <strong>{{others}} more</strong>: your yes is for all of "
                      "them, exactly as they stand here, and for one time.",
                      v)
                : safe_html{" Your yes is for exactly these arguments, and for one time."};
    else if (a.kind == approval_kind::step_up)
        then = fill(a.added.size() == 1 ? " That needs one permission that was not granted so far."
                                        : " That needs {{count}} permissions that were not granted so far.",
                    v);
    else if (a.kind == approval_kind::idp_login)
        then = {" Your organization decides about access to it, and has to know who you are."};
    else if (a.wished)
        then = {};
    else if (a.reason == "user_authentication")
        then = with_code(" For this it wants a fresh sign-in" + authentication_words(a) +
                             ", although the earlier one still counts.",
                         300);
    else if (a.reason == "unauthorized")
        then = {" The server wants to know who is asking, so you have to sign in once."};
    else if (!a.reason.empty())
        then = {" The earlier sign-in no longer counts, so you have to sign in again."};
    // what is special about it replaces what is always so
    if (!a.outcome.empty())
        then = {" " + with_code(a.outcome, 400).text};
    const bool asked = !a.wished && (!a.method.empty() || !a.tool.empty());
    std::string waits;
    if (asked)
        waits = somebody_waits ? " Its request waits until you decide."
                               : " It does not wait here any more; after your yes its next try works.";
    return {first.text + then.text + waits};
}

std::string shown_host(std::string_view authority) {
    if (authority.empty())
        return {};
    const auto colon = authority.rfind(':');
    const auto port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1);
    const bool has_port = !port.empty() && port.size() <= 5 &&
                          std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!has_port)
        return display_host(authority);
    return display_host(authority.substr(0, colon)) + ":" + std::string(port);
}

std::vector<std::string> host_warnings(const approval& a) {
    const auto in = shown_host(a.login_host), token = shown_host(a.token_host);
    std::vector<std::string> all;
    if (!a.issuer_before.empty())
        all.push_back("So far " + clean_text(a.issuer_before) + " gave access; now the server names " +
                      clean_text(a.issuer) + ".");
    if (!a.login_host_before.empty())
        all.push_back("So far you signed in at " + shown_host(a.login_host_before) + "; now it is " + in +
                      ".");
    if (!a.token_host_before.empty())
        all.push_back("So far the access was issued by " + shown_host(a.token_host_before) + "; now it is " +
                      token + ".");
    if (!token.empty() && !in.empty() && token != in && a.token_host_before.empty() &&
        a.login_host_before.empty())
        all.push_back("You sign in at " + in + ", but the access is issued by " + token +
                      ", which is another host.");
    return all;
}

std::string safe_origin(std::string_view text) {
    const auto url = parse_http_url(text);
    const auto fine = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
               c == ':' || c == '[' || c == ']';
    };
    return url && std::all_of(url->host.begin(), url->host.end(), fine) ? url->origin() : std::string();
}

std::string form_targets(const approval& a) {
    std::vector<std::string> origins;
    const auto add = [&](const std::string& text) {
        const auto origin = safe_origin(text);
        if (!origin.empty() && std::find(origins.begin(), origins.end(), origin) == origins.end())
            origins.push_back(origin);
    };
    add(a.location);
    if (!a.login_host.empty()) {
        const bool local = is_loopback_host(a.login_host.substr(0, a.login_host.rfind(':')));
        add((local ? "http://" : "https://") + a.login_host);
    }
    std::string out;
    for (const auto& o : origins)
        out += (out.empty() ? "" : " ") + o;
    return out;
}

} // namespace reauth
