// What the service itself needs: listeners, clients, vault, limits, log.
#include "conf/readers.hpp"

#include "conf/values.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {

using namespace std::chrono_literals;

namespace {

void read_hosts(section& top, config& out) {
    for (auto& h : top.texts("allowed_hosts")) {
        const auto port = h.text.rfind(':');
        const bool bare = is_host(h.text) || (h.text.starts_with('[') && h.text.ends_with(']'));
        if (!bare && !(port != h.text.npos && parse_endpoint(h.text)))
            top.error("allowed_hosts",
                      "must hold HOST or HOST:PORT without a scheme, not '" + clean_text(h.text, 60) + "'.");
        out.allowed_hosts.push_back(std::move(h.text));
    }
    for (auto& o : top.texts("allowed_origins")) {
        while (o.text.ends_with('/'))
            o.text.pop_back();
        if (origin_of(o.text) != o.text)
            top.error("allowed_origins", "must hold origins like https://app.example.com, not '" +
                                             clean_text(o.text, 60) + "'.");
        out.allowed_origins.push_back(std::move(o.text));
    }
}

void read_egress(section s, egress_config& out) {
    for (auto& a : s.texts("allow")) {
        if (!is_network(a.text) && !is_host(a.text))
            s.error("allow", "must hold networks like 10.0.0.0/8 or host names, not '" +
                                 clean_text(a.text, 60) + "'.");
        out.allow.push_back(std::move(a.text));
    }
    s.finish();
}

} // namespace

std::optional<tls_server_config> read_server_tls(section s) {
    if (!s.present())
        return {};
    tls_server_config tls;
    s.readable_file("cert", tls.cert);
    s.readable_file("key", tls.key);
    for (const auto* key : {"cert", "key"})
        s.require(key, "TLS needs both cert and key (PEM files).");
    s.finish();
    return tls;
}

void read_client_tls(section s, tls_client_config& out) {
    s.readable_file("ca_file", out.ca_file);
    s.readable_file("cert", out.cert);
    s.readable_file("key", out.key);
    if (s.has("cert") != s.has("key"))
        s.error(!s.has("cert") ? "cert" : "key", "is missing: a client certificate needs both cert and key.");
    s.finish();
}

void read_approval(section s, approval_config& out) {
    if (auto e = s.endpoint("listen", out.listen.to_string())) {
        if (!e->unix_path.empty())
            s.error("listen", "must be HOST:PORT: a browser has to reach it.");
        out.listen = *e;
    }
    out.tls = read_server_tls(s.sub("tls"));
    s.text("public_url", out.public_url);
    if (!out.public_url.empty()) {
        while (out.public_url.ends_with('/'))
            out.public_url.pop_back();
        auto url = parse_secure_url(out.public_url, "approval.public_url");
        if (!url)
            s.error("public_url", "is not usable: " + url.error().message + " Write https://HOST[:PORT].");
        else if (!url->path.empty() || url->has_query)
            s.error("public_url", "must be an origin (https://HOST[:PORT]) without a path.");
    }
    s.choice<browser_opening>("open_browser", out.open_browser,
                              {{"auto", browser_opening::automatic},
                               {"never", browser_opening::never},
                               {"always", browser_opening::always},
                               {"once", browser_opening::automatic}}); // as it was called before
    out.token = s.token_value("token");
    if (!out.token.value.empty() && out.token.value.size() < 16)
        s.error("token", "is shorter than 16 characters; make one with `openssl rand -hex 32`.");
    s.duration("lifetime", out.lifetime, 10s);
    auto notify = s.sub("notify");
    for (auto& word : notify.texts("command", {key_kind::list, {}, {}, {}, true}))
        out.notify_command.push_back(std::move(word.text));
    if (notify.present() && out.notify_command.empty())
        notify.error("command", "is missing: give the program and its arguments as a list.");
    notify.finish();
    out.sign_in = read_sign_in(s.sub("sign_in"));
    for (auto& word :
         s.texts("notify_command", {key_kind::list, {}, {}, {}, true})) // as it was called before
        out.notify_command.push_back(std::move(word.text));
    if (s.has("notify_command"))
        s.warning("notify_command", "is now called approval.notify.command.");
    s.finish();
}

void read_vault(section s, vault_config& out) {
    s.choice<vault_backend>("backend", out.backend,
                            {{"sqlite", vault_backend::sqlite},
                             {"postgres", vault_backend::postgres},
                             {"memory", vault_backend::memory}});
    s.path("path", out.path);
    out.dsn = s.secret_value("dsn").value;
    auto key = s.secret_value("key", secret_file::made_if_missing);
    if (key.from == secret_source::kind::file)
        out.key_file = key.name;
    else
        out.key = key.value;
    if (out.backend != vault_backend::sqlite && !out.path.empty())
        s.error("path", "is only for the sqlite backend.");
    if (out.backend == vault_backend::postgres && !s.has("dsn"))
        s.error("dsn", "is missing: the postgres backend needs it, e.g. {env: MCP_REAUTH_DSN}.");
    if (out.backend != vault_backend::postgres && !out.dsn.empty())
        s.error("dsn", "is only for the postgres backend; set backend: postgres.");
    if (out.backend == vault_backend::postgres && key.from == secret_source::kind::none)
        s.error("key", "is missing: replicas share one key, so give it as {env: NAME} or {file: PATH}.");
    s.finish();
}

void read_limits(section s, limits_config& out) {
    s.size("replay_body", out.replay_body, 0);
    s.size("replay_memory", out.replay_memory, 0);
    s.number("attempts", out.attempts, 1, 10);
    s.duration("refresh_ahead", out.refresh_ahead, 0ms);
    s.number("waiters", out.waiters, 1, 1'000'000);
    if (s.has("held_per_principal"))
        s.number("held_per_principal", out.held_per_principal.emplace(), 0, 1'000'000);
    s.number("requests_per_principal", out.requests_per_principal, 0, 1'000'000);
    s.number("principals", out.principals, 1, 1'000'000);
    s.duration("upstream_connect", out.upstream_connect, 1ms);
    s.duration("upstream_answer", out.upstream_answer, 1ms);
    s.duration("token_request", out.token_request, 1ms);
    s.duration("client_idle", out.client_idle, 1s);
    s.duration("head_timeout", out.head_timeout, 1s);
    s.number("connections", out.connections, 1, 1'000'000);
    s.number("connections_per_peer", out.connections_per_peer, 1, 1'000'000);
    if (out.replay_body > out.replay_memory)
        s.error("replay_body", "is larger than limits.replay_memory, which all requests share.");
    s.finish();
}

void read_log(section s, log_config& out) {
    s.choice<log_format>("format", out.format, {{"text", log_format::text}, {"json", log_format::json}});
    s.choice<std::string>("level", out.level,
                          {{"trace", "trace"},
                           {"debug", "debug"},
                           {"info", "info"},
                           {"warn", "warn"},
                           {"error", "error"},
                           {"off", "off"}});
    s.finish();
}

namespace {

/// The variables that programs agree on, in either case; the lower-case one wins, as with curl.
std::optional<outbound_proxy> read_outbound(reading& r) {
    const auto value = [&](const char* lower, const char* upper) {
        auto found = r.environment(lower);
        if (!found || found->empty())
            found = r.environment(upper);
        return found.value_or("");
    };
    const auto url = value("https_proxy", "HTTPS_PROXY");
    if (url.empty())
        return std::nullopt;
    auto proxy = parse_outbound_proxy(url, value("no_proxy", "NO_PROXY"));
    if (proxy)
        return std::move(*proxy);
    r.problems.error({}, proxy.error().describe());
    return std::nullopt;
}

} // namespace

void read_config(section top, reading& r, config& out) {
    if (auto e = top.endpoint("listen", out.listen.to_string()))
        out.listen = *e;
    top.count("workers", out.workers, "auto", 256);
    read_client_auth(top, r, out);
    read_hosts(top, out);
    out.tls = read_server_tls(top.sub("tls"));
    top.path("state_directory", out.state_directory);
    read_approval(top.sub("approval"), out.approval);
    read_vault(top.sub("vault"), out.vault);
    top.text("client_metadata_url", out.client_metadata_url);
    out.serves_client_metadata = out.client_metadata_url == "self";
    if (!out.client_metadata_url.empty() && !out.serves_client_metadata) {
        auto url = parse_secure_url(out.client_metadata_url, "client_metadata_url");
        if (!url)
            top.error("client_metadata_url", "is not usable: " + url.error().message);
        else if (url->path.size() < 2)
            top.error("client_metadata_url", "must name a document: a client ID URL needs a path.");
    }
    for (auto& [name, s] : top.named("identity_providers"))
        out.identity_providers.emplace(name, read_identity_provider(s, name));
    for (auto& [name, s] : top.named("upstreams"))
        for (auto& u : read_upstream(s, r, name, out))
            out.upstreams.push_back(std::move(u));
    complete_identity(out);
    out.policy.rules = read_policy(top, r, out.file);
    read_egress(top.sub("egress"), out.egress);
    read_limits(top.sub("limits"), out.limits);
    read_log(top.sub("log"), out.log);
    read_recorder(top.sub("recorder"), out.recorder);
    read_audit(top.sub("audit"), out.audit);
    read_trace(top.sub("trace"), out.trace);
    out.outbound = read_outbound(r);
    if (auto metrics = top.sub("metrics"); metrics.present()) {
        out.metrics = metrics.endpoint("listen");
        metrics.require("listen", "say where metrics are served, e.g. 127.0.0.1:8972.");
        metrics.finish();
    }
    top.finish();
}

} // namespace reauth
