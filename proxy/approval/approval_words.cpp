// What the approval page says, in plain words.
#include "proxy/approval/approval_words.hpp"

#include "proxy/approval/approval_page.hpp"

#include "core/display_text.hpp"
#include "core/uri.hpp"

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
    case approval_kind::login:
        break;
    }
    return "Sign-in";
}

std::string headline(const approval& a) {
    const auto upstream = clean_text(a.upstream, 60);
    switch (a.status) {
    case approval_status::approved:
        return "Approved. You can close this page.";
    case approval_status::denied:
        return "Denied";
    case approval_status::expired:
        return "This approval has expired";
    case approval_status::failed:
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
    case approval_kind::login:
        break;
    }
    return "Sign in to " + upstream + "?";
}

std::string reason_words(const approval& a) {
    if (a.reason == "unauthorized")
        return "The server asks for a sign-in";
    if (a.reason == "token_expired")
        return "The access has expired and cannot be renewed silently";
    if (a.reason == "invalid_token")
        return "The server no longer accepts the access it was given";
    if (a.reason == "insufficient_scope")
        return "The server asks for more permissions";
    return clean_text(a.reason, 80);
}

safe_html lede(const approval& a) {
    if (decided(a.status))
        return fill("{{outcome}}",
                    template_values().text(
                        "outcome", a.outcome.empty() ? "There is nothing left to do here." : a.outcome, 400));
    template_values v;
    v.text("who", a.client_name.empty() ? "A client" : a.client_name, 80);
    v.text("up", a.upstream, 60).text("tool", a.tool, 80);
    v.text("count", std::to_string(a.added.size()));
    safe_html first;
    if (a.client_name.empty() && a.method.empty() && a.reason.empty())
        first = fill("You asked to sign in to <strong>{{up}}</strong>.", v);
    else if (!a.tool.empty())
        first = fill(
            "<strong>{{who}}</strong> called the tool <code>{{tool}}</code> on <strong>{{up}}</strong>.", v);
    else
        first = fill("<strong>{{who}}</strong> is talking to <strong>{{up}}</strong>.", v);
    safe_html then;
    if (a.kind == approval_kind::step_up)
        then = fill(a.added.size() == 1 ? " That needs one permission that was not granted so far."
                                        : " That needs {{count}} permissions that were not granted so far.",
                    v);
    else if (a.kind == approval_kind::idp_login)
        then = {" Your organization decides about access to it, and has to know who you are."};
    else if (a.reason == "unauthorized")
        then = {" The server wants to know who is asking, so you have to sign in once."};
    else if (!a.reason.empty())
        then = {" The earlier sign-in no longer counts, so you have to sign in again."};
    // what is special about it replaces what is always so
    if (!a.outcome.empty())
        then = fill(" {{remark}}", template_values().text("remark", a.outcome, 400));
    const bool held = !a.method.empty() || !a.tool.empty();
    return {first.text + then.text + (held ? " Its request waits until you decide." : "")};
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
    const auto up = shown_host(a.upstream_host), in = shown_host(a.login_host),
               token = shown_host(a.token_host);
    const auto url = parse_http_url(a.issuer);
    const auto issuer = url ? shown_host(url->authority()) : std::string();
    std::vector<std::string> all;
    if (!in.empty() && !up.empty() && in != up)
        all.push_back("The server at " + up + " sends you to " + in +
                      " to sign in. Go on only if you know that " + in + " is where its accounts live.");
    if (in.empty() && !up.empty() && !token.empty() && token != up)
        all.push_back("The access to " + up + " is issued by " + token + ".");
    if (!token.empty() && !in.empty() && token != in)
        all.push_back("You sign in at " + in + ", but the access is issued by " + token + ".");
    if (!issuer.empty() && !in.empty() && issuer != in && issuer != token)
        all.push_back("The issuer " + issuer + " is a third name, neither " + in + " nor " +
                      (token.empty() ? "known as a token host" : token) + ".");
    else if (!issuer.empty() && !in.empty() && issuer != in)
        all.push_back("The issuer is " + issuer + ", which is not where you sign in.");
    return all;
}

std::string form_targets(const approval& a) {
    std::vector<std::string> origins;
    const auto add = [&](const std::string& text) {
        const auto url = parse_http_url(text);
        const auto fine = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
                   c == ':' || c == '[' || c == ']';
        };
        // The value goes into a header that is a small language of its own: nothing but host characters may
        // pass.
        if (url && std::all_of(url->host.begin(), url->host.end(), fine) &&
            std::find(origins.begin(), origins.end(), url->origin()) == origins.end())
            origins.push_back(url->origin());
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
