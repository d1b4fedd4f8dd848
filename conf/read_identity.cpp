// What belongs to people and their ends: who signs in to the page, and what an identity provider tells of
// them.
#include "conf/readers.hpp"

#include "conf/values.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {

using namespace std::chrono_literals;

namespace {

void read_sign_in_scopes(section& s, scope_set& out) {
    if (!s.has("scopes"))
        return;
    out = {"openid"};
    for (auto& scope : s.texts("scopes")) {
        if (valid_scope_token(scope.text))
            out.add(scope.text);
        else
            s.error("scopes",
                    "holds '" + clean_text(scope.text, 60) + "', which is not a scope (RFC 6749 §3.3).");
    }
}

} // namespace

std::optional<page_sign_in_config> read_sign_in(section s) {
    if (!s.present())
        return {};
    page_sign_in_config out;
    s.text("identity_provider", out.identity_provider);
    s.require("identity_provider", "one of identity_providers, where people sign in.");
    auto operators = s.sub("operators");
    for (auto& g : operators.texts("group"))
        out.operator_groups.push_back(std::move(g.text));
    operators.finish();
    s.text("name", out.name);
    s.text("principal", out.principal);
    s.text("groups", out.groups);
    read_sign_in_scopes(s, out.scopes);
    s.duration("idle", out.idle, 1min);
    s.duration("lifetime", out.lifetime, 1min);
    if (out.idle > out.lifetime)
        s.error("idle", "is longer than approval.sign_in.lifetime, the end of every session.");
    s.finish();
    return out;
}

void read_provider_signals(section& s, identity_provider_config& p) {
    auto logout = s.sub("logout");
    logout.boolean("back_channel", p.back_channel_logout);
    logout.finish();
    auto signals = s.sub("signals");
    if (!signals.present())
        return;
    signals_config out;
    signals.choice<signal_delivery>("delivery", out.delivery,
                                    {{"push", signal_delivery::push}, {"poll", signal_delivery::poll}});
    signals.text("endpoint", out.endpoint);
    out.token = signals.token_value("token").value;
    read_issuer(signals, out.issuer);
    for (auto& a : signals.texts("audience"))
        out.audience.push_back(std::move(a.text));
    signals.text("jwks_uri", out.jwks_uri);
    for (const auto& [key, url] : {std::pair("endpoint", out.endpoint), std::pair("jwks_uri", out.jwks_uri)})
        if (!url.empty())
            if (auto usable = parse_secure_url(url, key); !usable)
                signals.error(key, "is not usable: " + usable.error().message);
    if (out.delivery == signal_delivery::poll)
        signals.require("endpoint", "where the transmitter is polled (RFC 8936).");
    else if (signals.has("endpoint"))
        signals.error("endpoint", "is for delivery: poll; events are pushed to us.");
    if (!out.token.empty() && out.token.size() < 16)
        signals.error("token", "is shorter than 16 characters; make one with `openssl rand -hex 32`.");
    signals.finish();
    p.signals = std::move(out);
}

void complete_identity(config& c) {
    for (auto& [name, p] : c.identity_providers)
        if (p.signals) {
            if (p.signals->issuer.empty())
                p.signals->issuer = p.issuer;
            if (p.signals->audience.empty())
                p.signals->audience = {p.client.id};
        }
    if (!c.approval.sign_in)
        return;
    auto& s = *c.approval.sign_in;
    const auto provider = c.identity_providers.find(s.identity_provider);
    const auto issuer = provider == c.identity_providers.end() ? std::string() : provider->second.issuer;
    // people have one name, whether they call or look
    const auto same = std::find_if(c.client_auth.begin(), c.client_auth.end(), [&](const auto& e) {
        return e.proof == caller_proof::jwt && e.jwt.issuer == issuer;
    });
    const bool known = same != c.client_auth.end();
    if (s.name.empty())
        s.name = known ? same->name : host_of(issuer);
    if (s.principal.empty())
        s.principal = known ? same->jwt.principal : "sub";
    if (s.groups.empty())
        s.groups = known ? same->jwt.groups : "groups";
}

} // namespace reauth
