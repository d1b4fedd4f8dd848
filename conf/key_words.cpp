// The rows, in the order of the file.
#include "conf/key_words.hpp"

#include <array>
#include <span>

namespace reauth {

namespace {

constexpr key_words service[] = {
    {"listen",
     "Where clients connect: `HOST:PORT`, or `unix:/path`. What others can reach is refused without "
     "`client_auth`.",
     "127.0.0.1:9970"},
    {"workers", "Threads that relay; `auto`: one a core.", "2"},
    {"allowed_hosts",
     "Further values of `Host` that are us: in a container, or behind a gateway. A name, or `HOST:PORT`.",
     "[mcp.example.com]", "none"},
    {"allowed_origins",
     "Web pages whose requests are let in, by origin. Browsers' requests from any other page are refused.",
     "[https://app.example.com]", "none"},
    {"tls", "TLS on `listen`.", "{cert: server.pem, key: server.key}", "plain HTTP"},
    {"tls.cert", "PEM file with the certificate and its chain.", "server.pem"},
    {"tls.key", "PEM file with the private key.", "server.key"},
    {"state_directory",
     "Where the operator's token, the default vault and notes of running proxies are kept.",
     "/var/lib/mcp-reauth",
     "`$STATE_DIRECTORY`, else `$XDG_STATE_HOME/mcp-reauth`, else `~/.local/state/mcp-reauth`"},
    {"approval", "The page on which people decide, its API, and the OAuth callback."},
    {"approval.listen",
     "Where that page listens, `HOST:PORT`. What others can reach needs `approval.tls` or an https "
     "`public_url`.",
     "127.0.0.1:9971"},
    {"approval.tls", "TLS on `approval.listen`.", "{cert: page.pem, key: page.key}", "plain HTTP"},
    {"approval.tls.cert", "PEM file with the certificate and its chain.", "page.pem"},
    {"approval.tls.key", "PEM file with the private key.", "page.key"},
    {"approval.public_url",
     "The page's origin as browsers see it: through an SSH tunnel, a container's port, a gateway. The OAuth "
     "callback is "
     "`/oauth/callback` below it.",
     "https://approve.example.com", "`http(s)://` and `approval.listen`"},
    {"approval.open_browser",
     "Opens the page by itself for an approval that waits. `auto`: where there is a desktop, not over SSH or "
     "as a service.",
     "never"},
    {"approval.token", "What the dashboard, the API and the command line present; at least 16 characters.",
     "{file: operator.token}", "made once, in `state_directory`"},
    {"approval.lifetime", "How long an approval waits for a person.", "5m"},
    {"approval.notify", "Tells somebody that an approval waits."},
    {"approval.notify.command",
     "A program and its arguments, run without a shell; it gets the approval as JSON on its standard input.",
     "[notify-send, mcp-reauth]"},
    {"approval.notify_command", "As it was called before.", "[notify-send, mcp-reauth]", "", "0.1",
     "approval.notify.command"},
    {"vault", "Where credentials are kept: sealed records that survive a restart."},
    {"vault.backend", "`sqlite`: a file. `postgres`: shared by replicas. `memory`: gone with the process.",
     "memory"},
    {"vault.path", "The SQLite file.", "/var/lib/mcp-reauth/vault.db", "`vault.db` in `state_directory`"},
    {"vault.dsn", "How PostgreSQL is reached: a libpq connection string.", "{env: MCP_REAUTH_DSN}"},
    {"vault.key", "The key that seals the records. A missing file is made together with a new vault.",
     "{file: vault.key}", "beside the SQLite file: its path and `.key`"},
    {"client_metadata_url",
     "Our client ID metadata document (CIMD), which is our client ID where an authorization server supports "
     "it. `self`: "
     "we serve it, at `approval.public_url`, which is then https.",
     "self", "none: registered (RFC 7591), or `client`"},
    {"identity_providers",
     "The organisation's identity providers, by name: from their sessions `grant: enterprise` mints tokens."},
    {"identity_providers.NAME.issuer", "Its issuer, exactly as it calls itself (OpenID Connect Discovery).",
     "https://idp.acme.example"},
    {"identity_providers.NAME.client", "Our client there."},
    {"identity_providers.NAME.id_token",
     "A session that something else keeps up, in place of a login; read again when it changes.",
     "{file: /run/acme/id_token}", "people sign in"},
    {"identity_providers.NAME.login",
     "Where people sign in: in a browser that comes back to us, or on any device, with a code (RFC 8628).",
     "device"},
    {"identity_providers.NAME.tls", "Towards this provider."},
    {"policy", "What may happen silently, what a person decides, what is refused. The first rule that "
               "matches decides; after these "
               "come the built-in ones, which `mcp-reauth check` prints."},
    {"policy[].name", "What the rule is called in the log, the history and `explain`.", "no admin"},
    {"policy[].match",
     "What the rule is about; each key may hold several patterns (`*` is anything). Left out: everything."},
    {"policy[].match.upstream", "Names of upstreams.", "acme-*"},
    {"policy[].match.reason", "Why the upstream refused.", "insufficient_scope"},
    {"policy[].match.scopes",
     "Scopes that would be added. `silent` wants all of them named; every other action is about any of them.",
     "[\"*:read\"]"},
    {"policy[].match.method", "JSON-RPC methods.", "tools/call"},
    {"policy[].match.tool", "Tools that are called.", "delete_*"},
    {"policy[].match.principal", "On whose behalf.", "ada"},
    {"policy[].match.group", "Groups of the caller (`client_auth` with `jwt` or `header`).", "mcp-admins"},
    {"policy[].match.grant", "How the upstream's credential is obtained.", "client_credentials"},
    {"policy[].action",
     "`silent`: only what needs no person, else an error. `confirm`: ask, then silently if possible. "
     "`interactive`: silently "
     "if possible, else ask. `deny`: refuse. `pass`: the client's own Authorization and the upstream's "
     "answer go through. "
     "`approve`: for `tool` and `method`: a person approves exactly this call before it is sent.",
     "deny"},
    {"policy[].observe",
     "The rule is judged and recorded, and the next one decides: `history` and `/metrics` tell what it would "
     "have "
     "done.",
     "true"},
    {"policy[].wait", "How the client waits while a person decides."},
    {"policy[].wait.mode",
     "`auto`: `stream` where the client can, else `hold`. `stream`: server-sent events meanwhile. `hold`: "
     "nothing is sent. "
     "`elicit`: the client's own dialogue shows the link. `fail`: an error with the link, at once.",
     "hold"},
    {"policy[].wait.timeout", "How long the request is held; then it gets an error with the link.", "5m",
     "5m with a progress token, else 50s"},
    {"policy[].wait.grace", "How long a stream is not begun, for decisions that come at once.", "1s"},
    {"policy[].wait.heartbeat",
     "How often a stream that waits gets a comment, so that nobody takes it for dead.", "5s"},
    {"egress", "What metadata, registrations and token requests may reach."},
    {"egress.allow",
     "Private networks (CIDR) and host names that may be reached although they are private; an upstream's "
     "own host always is.",
     "[10.0.0.0/8, idp.corp.example]", "none"},
    {"limits", "Sizes and times."},
    {"limits.replay_body", "Bytes of one request that are kept, so that it can be sent again.", "1MiB"},
    {"limits.replay_memory", "… of all requests together.", "64MiB"},
    {"limits.attempts", "Recoveries of one request.", "2"},
    {"limits.refresh_ahead", "A credential that is used is renewed so long before its end.", "30s"},
    {"limits.waiters", "Requests that are held at once.", "1000"},
    {"limits.held_per_principal", "… of one principal; 0: no limit.", "50",
     "100 where `client_auth` tells clients apart, else none"},
    {"limits.requests_per_principal", "Requests of one principal that are in progress at once; 0: no limit.",
     "50"},
    {"limits.principals",
     "Principals from outside (`client_auth` with `jwt`, `mtls`, `header`) that are kept in memory; the "
     "vault has "
     "the others.",
     "50000"},
    {"limits.upstream_connect", "Name, connection and TLS handshake.", "5s"},
    {"limits.upstream_answer", "From the request's end to the end of its answer's head.", "2m"},
    {"limits.token_request", "One answer of an authorization server.", "20s"},
    {"limits.client_idle", "How long a client's connection is kept without a request.", "2m"},
    {"limits.head_timeout", "A client sends a whole head within this.", "10s"},
    {"limits.connections", "Clients' connections at once.", "5000"},
    {"limits.connections_per_peer", "… from one address that is not loopback.", "500"},
    {"log", "One line an event, on standard error."},
    {"log.format", "Lines for people, or JSON.", "json"},
    {"log.level", "The least that is written. No level writes a secret.", "debug"},
    {"recorder", "Timelines of what happened: `mcp-reauth history ID`, the dashboard."},
    {"recorder.keep", "How long one is kept.", "30d"},
    {"recorder.max", "How many are kept, of all processes on the vault; 0: none.", "1000"},
    {"recorder.header",
     "A request that was recovered is answered with `X-Reauth-Recovery`, the timeline's id.", "true"},
    {"audit", "Lines that say who allowed what, and that can be verified: `mcp-reauth audit verify`.", "",
     "none"},
    {"audit.file",
     "Where they go: JSON, one line an event, each with the hash of the one before. A process of its own "
     "chain; several may share a file.",
     "audit.jsonl"},
    {"audit.rotate", "A file of that size is renamed, and another begun.", "256MiB"},
    {"audit.keep", "How many of those are kept.", "100"},
    {"audit.sign", "Signatures (Ed25519), so that nobody who can write the file can rewrite it."},
    {"audit.sign.key",
     "The key in PEM. A missing file is made; another key in its place takes over at the next reload.",
     "{file: audit.key}", "lines are not signed"},
    {"audit.sign.every", "One of so many lines is signed; what a person has decided always is.", "1"},
    {"audit.sign.within", "… and no line waits longer for one.", "1m"},
    {"audit.required",
     "What a person must answer for does not happen where its line can't be written: it is refused, and said "
     "so.",
     "true"},
    {"audit.journald", "Also to the journal of systemd.", "true"},
    {"trace", "Spans for OpenTelemetry. Nothing is sent without it.", "", "none"},
    {"trace.otlp", "A collector, by OTLP over HTTP: spans go to `/v1/traces` below it, as JSON.",
     "http://127.0.0.1:4318"},
    {"trace.headers", "Fields of each export, e.g. a key; each a text, `{env: NAME}` or `{file: PATH}`.",
     "{Authorization: {env: OTLP_KEY}}", "none"},
    {"trace.sample",
     "`recoveries`: they alone. `all`: every request, too. A number from 0 to 1: that share of the "
     "requests.",
     "0.01"},
    {"trace.ca_file", "PEM file that is trusted for the collector in place of the system's.",
     "collector-ca.pem"},
    {"metrics", "Prometheus' `/metrics`, and `/healthz` and `/readyz`.", "", "none"},
    {"metrics.listen", "Where they are served, `HOST:PORT`.", "127.0.0.1:8972"},
    {"*.client.id", "The client's id.", "mcp-reauth", "registered with the server (RFC 7591)"},
    {"*.client.secret", "Its secret. It goes to the issuer that `issuer` names alone.",
     "{env: CLIENT_SECRET}"},
    {"*.client.auth", "How it authenticates at the token endpoint.", "client_secret_post",
     "chosen from the server's metadata"},
    {"*.client.private_key", "A private key, PEM or JWK, for `private_key_jwt`.", "{file: client.pem}"},
    {"*.client.alg", "What it signs with.", "RS256"},
    {"*.client.issuer",
     "The issuer that this client belongs to: no secret of it goes to any other. Without it one is used only "
     "on loopback or on "
     "the upstream's own origin.",
     "https://login.example.com"},
    {"*.tls.ca_file", "PEM file with the authorities that are trusted.", "ca.pem", "the system's"},
    {"*.tls.cert", "PEM file with a client certificate (RFC 8705).", "client.pem", "none"},
    {"*.tls.key", "PEM file with its private key.", "client.key", "none"},
};

key_words in(std::span<const key_words> rows, std::string_view key) {
    for (const auto& row : rows)
        if (row.key == key || (row.key.starts_with('*') && key.ends_with(row.key.substr(1))))
            return row;
    return {key, {}};
}

} // namespace

key_words words_of(std::string_view key) {
    auto found = in(words_of_upstreams(), key);
    if (found.meaning.empty())
        found = in(words_of_callers(), key);
    if (found.meaning.empty())
        found = in(words_of_identity(), key);
    return found.meaning.empty() ? in(service, key) : found;
}

std::string whole_meaning(const key_words& words) {
    std::string out(words.meaning);
    if (words.since != key_words().since)
        out += " Since version " + std::string(words.since) + ".";
    if (!words.replaced_by.empty())
        out += " Write `" + std::string(words.replaced_by) + "` in its place.";
    return out;
}

} // namespace reauth
