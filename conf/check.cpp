// What only shows when everything is read: listeners, references, uniqueness, openness.
#include "conf/readers.hpp"

#include "conf/values.hpp"
#include "core/text/uri.hpp"
#include "policy/rules/match_keys.hpp"

#include <algorithm>

namespace reauth {

namespace {

struct named_listener {
    std::string key;
    endpoint_config at;
};

bool wildcard(const std::string& host) {
    return host == "0.0.0.0" || host == "::";
}

/// Whether both cannot be bound together.
bool collide(const endpoint_config& a, const endpoint_config& b) {
    if (!a.unix_path.empty() || !b.unix_path.empty())
        return a.unix_path == b.unix_path;
    if (a.port == 0 || a.port != b.port)
        return false;
    const bool both_local = is_loopback_host(a.host) && is_loopback_host(b.host) &&
                            (a.host == "localhost" || b.host == "localhost");
    return a.host == b.host || wildcard(a.host) || wildcard(b.host) || both_local;
}

void check_listeners(const config& c, reading& r) {
    std::vector<named_listener> all{{"listen", c.listen}, {"approval.listen", c.approval.listen}};
    if (c.metrics)
        all.push_back({"metrics.listen", *c.metrics});
    for (const auto& u : c.upstreams)
        if (u.listen)
            all.push_back({"upstreams." + u.name + ".listen", *u.listen});
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (collide(all[i].at, all[j].at))
                r.problems.error(r.where(all[i].key), all[i].key + " and " + all[j].key + " are both " +
                                                          all[i].at.to_string() +
                                                          "; give each its own port.");
}

void check_openness(const config& c, reading& r) {
    const auto open = [&](const std::string& key, const endpoint_config& at) {
        if (!at.loopback() && c.client_auth.empty())
            r.problems.error(r.where(key),
                             key + " is " + at.to_string() +
                                 ", which others can reach, but anyone who connects acts with the "
                                 "stored credentials. Add client_auth: {bearer: {file: …}}, or "
                                 "listen on 127.0.0.1.");
        else if (!at.loopback() && !c.tls)
            r.problems.warning(r.where(key),
                               key + " is " + at.to_string() +
                                   " without tls: the clients' bearer tokens cross the network in "
                                   "the clear unless something in front adds TLS.");
    };
    open("listen", c.listen);
    for (const auto& u : c.upstreams)
        if (u.listen)
            open("upstreams." + u.name + ".listen", *u.listen);
    const auto& a = c.approval;
    if (!a.listen.loopback() && !a.tls && !a.public_url.starts_with("https://"))
        r.problems.error(
            r.where("approval.listen"),
            "approval.listen is " + a.listen.to_string() +
                ", which others can reach without TLS. Add approval.tls: {cert: …, key: …}, or set "
                "approval.public_url: https://… if something in front adds TLS, or listen on "
                "127.0.0.1.");
    if (c.metrics && !c.metrics->unix_path.empty())
        r.problems.error(r.where("metrics.listen"), "metrics.listen must be HOST:PORT.");
}

/// `which` is one of identity_providers.
void check_provider(const config& c, const std::string& which, const std::string& key, reading& r) {
    if (which.empty() || c.identity_providers.contains(which))
        return;
    std::vector<std::string> names;
    for (const auto& [name, provider] : c.identity_providers)
        names.push_back(name);
    r.problems.error(r.where(key), key + " names '" + which + "', which is not in identity_providers" +
                                       did_you_mean(which, names) + ".");
}

void check_upstreams(const config& c, reading& r) {
    if (c.upstreams.empty())
        r.problems.error(r.where("upstreams"),
                         "no upstream is configured; add upstreams: {NAME: {url: https://…}}.");
    for (std::size_t i = 0; i < c.upstreams.size(); ++i) {
        const auto& u = c.upstreams[i];
        const auto key = "upstreams." + u.name;
        for (std::size_t j = 0; j < i; ++j)
            if (c.upstreams[j].path == u.path)
                r.problems.error(r.where(key + ".path"), key + " and upstreams." + c.upstreams[j].name +
                                                             " are both at " + u.path +
                                                             "; give one another path.");
        check_provider(c, u.identity_provider, key + ".identity_provider", r);
        check_provider(c, u.exchange.identity_provider, key + ".exchange.identity_provider", r);
        check_exchange(c, u, r);
    }
}

void check_policy(const config& c, reading& r) {
    for (std::size_t i = 0; i < c.policy.rules.size(); ++i)
        for (const auto& pattern : c.policy.rules[i].match.upstream) {
            const bool used = std::any_of(c.upstreams.begin(), c.upstreams.end(),
                                          [&](const auto& u) { return names_upstream(pattern, u.name); });
            if (!used)
                r.problems.warning(r.where("policy[" + std::to_string(i) + "].match.upstream"),
                                   "match.upstream '" + pattern + "' matches no configured upstream.");
        }
}

/// What people and their ends need of the rest.
void check_people(const config& c, reading& r) {
    if (const auto& s = c.approval.sign_in) {
        check_provider(c, s->identity_provider, "approval.sign_in.identity_provider", r);
        const auto found = c.identity_providers.find(s->identity_provider);
        if (found != c.identity_providers.end() && found->second.id_token.from != secret_source::kind::none)
            r.problems.error(r.where("approval.sign_in.identity_provider"),
                             "approval.sign_in.identity_provider has a supplied id_token: nobody signs in "
                             "there.");
        if (c.client_auth.empty())
            r.problems.warning(r.where("approval.sign_in"),
                               "approval.sign_in tells people apart, but without client_auth all clients are "
                               "`local`, which is nobody's: only operators see what they ask for.");
    }
    for (const auto& [name, p] : c.identity_providers) {
        const bool push = p.signals && p.signals->delivery == signal_delivery::push;
        if ((p.back_channel_logout || push) && c.approval.public_url.empty() && c.approval.listen.port == 0)
            r.problems.warning(r.where("identity_providers." + name),
                               "identity_providers." + name +
                                   " is to call us, and approval.listen has no port of its own: give it one, "
                                   "or a public_url.");
    }
}

/// What an entry of client_auth needs of the rest.
void check_callers(const config& c, reading& r) {
    bool unix_socket = !c.listen.unix_path.empty();
    for (const auto& u : c.upstreams)
        unix_socket = unix_socket || (u.listen && !u.listen->unix_path.empty());
    for (std::size_t i = 0; i < c.client_auth.size(); ++i) {
        const auto& e = c.client_auth[i];
        const auto key = "client_auth[" + std::to_string(i) + "]";
        if (e.proof == caller_proof::mtls && !c.tls)
            r.problems.error(r.where(key),
                             "client_auth: mtls needs `tls: {cert: …, key: …}`: a certificate is "
                             "shown in a TLS handshake.");
        if (e.proof == caller_proof::header && e.header.secret_name.empty() && !unix_socket)
            r.problems.error(
                r.where(key),
                "client_auth: header has no `secret`, and nothing listens on a Unix socket: anybody who "
                "connects could say who they are. Add secret: {name: …, value: {file: …}}, or "
                "listen: unix:/path.");
    }
}

} // namespace

void check_config(const config& c, reading& r) {
    check_listeners(c, r);
    check_openness(c, r);
    check_callers(c, r);
    check_upstreams(c, r);
    check_policy(c, r);
    check_people(c, r);
}

} // namespace reauth
