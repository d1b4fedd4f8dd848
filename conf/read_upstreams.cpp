// Upstreams, their OAuth clients, and identity providers.
#include "conf/readers.hpp"

#include "conf/values.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>
#include <array>

namespace reauth {

void read_issuer(section& s, std::string& out, plain_http http) {
    s.text("issuer", out);
    if (out.empty())
        return;
    if (auto url = parse_secure_url(out, "issuer", http); !url)
        s.error("issuer", "is not usable: " + url.error().message);
    else if (url->has_query)
        s.error("issuer", "must be an issuer identifier: a URL without a query.");
}

namespace {

bool plain_name(std::string_view name) {
    constexpr std::string_view marks = "._-";
    return !name.empty() && name.size() <= 64 && is_ascii_alnum(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return is_ascii_alnum(c) || marks.find(c) != marks.npos; });
}

void read_server(section s, configured_server_settings& out, plain_http http) {
    read_issuer(s, out.issuer, http);
    bool any = false;
    for (const auto& [name, member] : endpoint_names) {
        auto* url = &(out.*member);
        s.text(name, *url);
        any = any || !url->empty();
        if (url->empty())
            continue;
        if (auto usable = parse_secure_url(*url, name, http); !usable)
            s.error(name, "is not usable: " + usable.error().message);
    }
    if (!out.issuer.empty() && !any)
        s.error("issuer", "alone names no server: add token_endpoint (and authorization_endpoint), or set "
                          "client: {issuer: …} to have its metadata read.");
    if (!out.issuer.empty() && out.token_endpoint.empty() && any)
        s.error("token_endpoint", "is missing: an issuer given here replaces discovery.");
    s.finish();
}

/// What each grant cannot do without, and what belongs to another.
void check_grant(section& s, const upstream_config& u, bool loopback) {
    const auto word = std::string(to_string(u.grant));
    if (u.grant == grant_kind::static_token && !s.has("token") && !s.has("accounts"))
        s.error("grant", "static needs token: {file: PATH} or {env: NAME}.");
    if (u.grant != grant_kind::static_token && s.has("token"))
        s.error("token", "is only for grant: static (the grant is " + word + ").");
    if (u.grant == grant_kind::jwt_bearer && !s.has("assertion"))
        s.error("grant", "jwt_bearer needs assertion: {file: PATH}, the workload's JWT.");
    if (u.grant != grant_kind::jwt_bearer && s.has("assertion"))
        s.error("assertion", "is only for grant: jwt_bearer (the grant is " + word + ").");
    if (u.grant == grant_kind::enterprise && u.identity_provider.empty())
        s.error("grant", "enterprise needs identity_provider: NAME, one of identity_providers.");
    if (u.grant == grant_kind::enterprise && u.fallback != exchange_fallback::interactive && s.has("login"))
        s.error("login", "of grant: enterprise belongs to its identity provider: set it there.");
    else if (u.grant != grant_kind::authorization_code && u.fallback != exchange_fallback::interactive &&
             s.has("login"))
        s.error("login", "is for grants where a person signs in (the grant is " + word + ").");
    if (u.grant == grant_kind::static_token && s.has("bearer"))
        s.error("bearer", "is not for grant: static, whose token is sent as it is.");
    if (u.grant != grant_kind::enterprise && !u.identity_provider.empty())
        s.error("identity_provider", "is only for grant: enterprise (the grant is " + word + ").");
    if (u.grant == grant_kind::client_credentials &&
        (u.client.id.empty() || (u.client.client_secret.empty() && u.client.private_key.empty())) &&
        !s.has("client"))
        s.error("grant", "client_credentials needs client: {id: …, secret: {env: NAME}} (or private_key).");
    const bool sends_secret = !u.client.client_secret.empty() || u.grant == grant_kind::jwt_bearer ||
                              u.grant == grant_kind::enterprise ||
                              (u.grant == grant_kind::token_exchange && !u.exchanges_at_named_server());
    if (sends_secret && u.client.issuer.empty() && !loopback && u.grant != grant_kind::static_token)
        s.warning("client",
                  "names no issuer: unless the authorization server is on the upstream's own origin, "
                  "requests will fail with issuer_not_pinned. Add client: {issuer: https://…}.");
}

} // namespace

std::string wrong_path(std::string_view path) {
    if (!path.starts_with('/'))
        return "must start with '/'";
    if (path == "/")
        return {};
    if (path.ends_with('/'))
        return "must not end with '/'";
    if (path.starts_with("/.well-known"))
        return "must not be under /.well-known, which is answered by the proxy itself";
    for (std::size_t at = 1; at <= path.size();) {
        const auto end = std::min(path.find('/', at), path.size());
        const auto segment = path.substr(at, end - at);
        if (segment.empty())
            return "has an empty segment";
        if (segment == "." || segment == "..")
            return "has a dot segment";
        for (const char c : segment)
            if (!is_ascii_alnum(c) && c != '.' && c != '_' && c != '~' && c != '-')
                return "may only have letters, digits and . _ ~ - between slashes";
        at = end + 1;
    }
    return {};
}

identity_provider_config read_identity_provider(section s, const std::string& name) {
    identity_provider_config p;
    p.name = name;
    if (!plain_name(name))
        s.error("issuer", "belongs to a badly named provider: names have letters, digits and . _ - only.");
    read_issuer(s, p.issuer);
    s.require("issuer", "the provider's issuer URL.");
    read_oauth_client(s.sub("client"), p.client);
    p.id_token = s.token_value("id_token", secret_file::read_anew);
    read_login(s, p.login);
    if (p.client.id.empty())
        s.error("client", "needs an id: the client that is registered at the provider.");
    if (p.client.issuer.empty())
        p.client.issuer = p.issuer;
    else if (p.client.issuer != p.issuer)
        s.error("client", "names another issuer than the provider; remove client.issuer.");
    read_client_tls(s.sub("tls"), p.tls);
    read_provider_signals(s, p);
    s.finish();
    return p;
}

/// Whether it is on loopback, where http will do.
bool read_url(section& s, upstream_config& u) {
    s.boolean("allow_http", u.allow_http);
    if (s.has("token_request"))
        s.duration("token_request", u.token_request.emplace(), std::chrono::milliseconds(1));
    s.text("url", u.url);
    bool loopback = false;
    s.require("url", "the MCP server's URL.");
    if (!s.has("url")) {
        return false;
    } else if (auto url = parse_http_url(u.url, "url"); !url) {
        if (!u.url.empty())
            s.error("url", "is not usable: " + url.error().message + scheme_hint(u.url));
    } else {
        loopback = url->loopback();
        const bool exposed = !url->https() && !loopback;
        const auto host = display_host(url->host);
        if (exposed && !u.allow_http)
            s.error("url",
                    "must be https: over http to " + host +
                        " anyone on the way could read the tokens. Only loopback may be http; in a network "
                        "that you trust add allow_http: true.");
        else if (exposed)
            s.warning("allow_http", "lets tokens travel to " + host +
                                        " unprotected: whoever is on the way can read and use them.");
    }
    return loopback;
}

std::vector<upstream_config> read_upstream(section s, reading& r, const std::string& name, const config& c) {
    upstream_config u;
    u.name = name;
    if (!plain_name(name))
        r.problems.error(s.at(),
                         "the upstream name '" + clean_text(name, 60) +
                             "' must be letters, digits and . _ - (at most 64), beginning with a letter "
                             "or digit.");
    const bool loopback = read_url(s, u);
    u.path = "/" + name;
    s.text("path", u.path);
    if (s.has("path"))
        if (auto wrong = wrong_path(u.path); !wrong.empty())
            s.error("path", wrong + ".");
    u.listen = s.endpoint("listen");
    s.choice<grant_kind>("grant", u.grant, grant_words);
    read_oauth_client(s.sub("client"), u.client, u.http());
    s.text("identity_provider", u.identity_provider);
    read_exchange(s, u, c);
    read_scopes(s, u);
    read_resource(s, u);
    u.token = s.secret_value("token", secret_file::read_anew);
    u.assertion = s.token_value("assertion", secret_file::read_anew);
    s.choice<dpop_mode>(
        "dpop", u.dpop,
        {{"auto", dpop_mode::automatic}, {"require", dpop_mode::require}, {"never", dpop_mode::never}});
    s.choice<cookie_mode>(
        "cookies", u.cookies,
        {{"strip", cookie_mode::strip}, {"pass", cookie_mode::pass}, {"jar", cookie_mode::jar}});
    s.choice<bearer_kind>("bearer", u.bearer,
                          {{"access_token", bearer_kind::access_token}, {"id_token", bearer_kind::id_token}});
    read_login(s, u.login);
    s.choice<address_family>("prefer", u.prefer,
                             {{"any", address_family::any}, {"ipv4", address_family::ipv4}});
    s.choice<era_mode>("era", u.era, {{"pass", era_mode::pass}, {"bridge", era_mode::bridge}});
    read_server(s.sub("authorization_server"), u.authorization_server, u.http());
    s.choice<metadata_mode>("metadata", u.metadata,
                            {{"shield", metadata_mode::shield}, {"pass", metadata_mode::pass}});
    s.boolean("allow_missing_pkce", u.allow_missing_pkce);
    read_headers(s, u);
    read_upstream_ways(s, u);
    read_client_tls(s.sub("tls"), u.tls);
    s.text("login_hint", u.login_hint);
    check_grant(s, u, loopback);
    auto all = read_accounts(s, std::move(u));
    s.finish();
    return all;
}

} // namespace reauth
