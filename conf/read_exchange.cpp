// Upstreams that are used as whoever calls: `subject: caller`, `grant: token_exchange` and their keys.
#include "conf/readers.hpp"

#include "core/text/uri.hpp"

namespace reauth {

void read_exchange(section& s, upstream_config& u, const config& c) {
    // who shows a token of the company needs no session there
    if (u.grant == grant_kind::enterprise && !s.has("subject") && takes(c.client_auth, caller_proof::jwt))
        u.subject = exchange_subject::caller;
    s.choice<exchange_subject>("subject", u.subject,
                               {{"session", exchange_subject::session},
                                {"refresh_token", exchange_subject::refresh_token},
                                {"caller", exchange_subject::caller}});
    if (s.has("subject") && u.grant != grant_kind::enterprise)
        s.error("subject", "is only for grant: enterprise.");
    auto how = s.sub("exchange");
    auto& out = u.exchange;
    how.text("identity_provider", out.identity_provider);
    how.text("token_endpoint", out.token_endpoint);
    if (!out.token_endpoint.empty())
        if (auto url = parse_secure_url(out.token_endpoint, "token_endpoint", u.http()); !url)
            how.error("token_endpoint", "is not usable: " + url.error().message);
    if (!out.token_endpoint.empty() && !out.identity_provider.empty())
        how.error("token_endpoint",
                  "stands beside identity_provider; say where the token is exchanged once.");
    if (!out.token_endpoint.empty() && u.client.id.empty())
        how.error("token_endpoint", "needs client: {id: …, secret: {env: NAME}}: our client there.");
    how.text("audience", out.audience);
    how.text("resource", out.resource);
    how.text("requested_token_type", out.requested_token_type);
    out.actor = how.token_value("actor", secret_file::read_anew);
    if (how.present() && u.grant != grant_kind::token_exchange)
        s.error("exchange", "is only for grant: token_exchange.");
    how.finish();
    s.choice<exchange_fallback>(
        "fallback", u.fallback,
        {{"fail", exchange_fallback::fail}, {"interactive", exchange_fallback::interactive}});
    if (s.has("fallback") && !u.acts_as_caller())
        s.error("fallback",
                "is only for grant: token_exchange, and for grant: enterprise with subject: caller.");
}

void check_exchange(const config& c, const upstream_config& u, reading& r) {
    const auto key = "upstreams." + u.name;
    if (u.acts_as_caller() && !takes(c.client_auth, caller_proof::jwt))
        r.problems.error(r.where(key + (u.grant == grant_kind::enterprise ? ".subject" : ".grant")),
                         key + " is used with the token that the caller shows, but no caller shows one: add "
                               "client_auth: {jwt: {issuer: https://…, audience: …}}.");
    if (u.era == era_mode::bridge &&
        (takes(c.client_auth, caller_proof::mtls) || takes(c.client_auth, caller_proof::header)))
        r.problems.error(r.where(key + ".era"),
                         key + ".era: bridge is for callers who show a bearer or a JWT with "
                               "each request, not for client_auth by mtls or header.");
}

} // namespace reauth
