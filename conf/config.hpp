// The configuration as the rest of the program sees it: validated, with every default filled in.
#pragma once

#include "conf/callers.hpp"
#include "core/base/secret.hpp"
#include "core/http/outbound_proxy.hpp"
#include "core/oauth/token_form.hpp"
#include "policy/flows/discovery_flow.hpp"
#include "policy/life/attention.hpp"
#include "policy/rules/grant.hpp"
#include "policy/rules/rules.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

using milliseconds = std::chrono::milliseconds;

/// Where a listener binds: TCP host and port, or a Unix socket path (then host is empty and port 0).
struct endpoint_config {
    std::string host;       ///< a name or an address, IPv6 without brackets; empty: a Unix socket
    std::uint16_t port = 0; ///< 0: any free one
    std::string unix_path;  ///< `unix:PATH`; empty: TCP
    bool loopback() const;  ///< also true for a Unix socket
    std::string to_string() const;
};

/// A secret as configured. `file` secrets are read when the configuration is loaded, except where
/// a field says it is read anew each time.
struct secret_source {
    enum class kind { none, literal, env, file } from = kind::none; ///< where it comes from
    std::string name;                                               ///< variable or path; empty for a literal
    secret value;                                                   ///< what was read at load time
};

/// `tls` of a listener.
struct tls_server_config {
    std::string cert; ///< PEM file: the certificate and its chain
    std::string key;  ///< PEM file: its private key
};

/// `tls` towards a server.
struct tls_client_config {
    std::string ca_file; ///< PEM file that is trusted in place of the system's; empty: the system's
    std::string cert;    ///< PEM file: the client certificate (RFC 8705); empty: none
    std::string key;     ///< … and its private key
};

/// `approval.sign_in`: people sign in to the page with the company.
struct page_sign_in_config {
    std::string identity_provider;            ///< key of identity_providers
    std::vector<std::string> operator_groups; ///< who is in one of them sees and decides everything
    std::string name;      ///< what the names of people begin with, as for client_auth_entry::name
    std::string principal; ///< claim that names a person
    std::string groups;    ///< claim that holds the groups; a dot goes into an object
    scope_set scopes{"openid", "profile", "email"}; ///< asked for
    milliseconds idle{60 * 60 * 1000};              ///< a session that is not used ends after so long
    milliseconds lifetime{12 * 60 * 60 * 1000};     ///< … and every one
};

/// `approval`: the page on which persons decide, its API and the OAuth callback.
struct approval_config {
    endpoint_config listen{"127.0.0.1", 8971, ""}; ///< where it listens
    std::optional<tls_server_config> tls;          ///< nothing: plain HTTP
    std::string public_url; ///< no trailing slash; default http(s)://LISTEN; empty: LISTEN has port 0
    browser_opening open_browser = browser_opening::automatic; ///< for an approval that waits
    secret_source token;                        ///< the operator's; none: made once in the state directory
    milliseconds lifetime{15 * 60 * 1000};      ///< how long an approval waits for a person
    std::optional<page_sign_in_config> sign_in; ///< nothing: links, and the operator's token
    std::vector<std::string>
        notify_command; ///< `notify.command`: run without a shell, the approval as JSON on stdin
};

/// Where credentials are kept. `memory`: lost with the process.
enum class vault_backend { sqlite, postgres, memory };

/// `vault`: sealed records that survive a restart.
struct vault_config {
    vault_backend backend = vault_backend::sqlite; ///< `postgres`: shared by replicas
    std::string path;                              ///< sqlite; ~ expanded
    secret dsn;                                    ///< postgres
    std::string key_file; ///< made with a new vault where missing; default beside the vault: PATH + ".key"
    secret key;           ///< literal or env key; else key_file is used
};

/// Our client at an authorization server.
struct oauth_client_config {
    std::string id; ///< empty: none is pre-registered
    secret client_secret;
    std::string auth;   ///< token_endpoint_auth_method; empty: chosen from the metadata
    secret private_key; ///< PEM or JWK for private_key_jwt
    std::string alg = "ES256";
    std::string issuer; ///< the only issuer that this client's secrets go to
};

/// Where a person signs in: in a browser that comes back to us, or on any device with a code (RFC 8628).
enum class login_kind { browser, device };

/// How security events come: they are sent to us (RFC 8935), or asked for (RFC 8936).
enum class signal_delivery { push, poll };

/// `identity_providers.NAME.signals`: security events of an SSF transmitter.
struct signals_config {
    signal_delivery delivery = signal_delivery::push;
    std::string endpoint; ///< poll: where
    secret token;         ///< push: what the transmitter presents; poll: what we do; empty: nothing
    std::string issuer;   ///< of the events
    std::vector<std::string> audience; ///< we are one of these
    std::string jwks_uri;              ///< empty: as the issuer's metadata says
};

/// `identity_providers.NAME`: the organisation's, from whose session enterprise credentials are minted.
struct identity_provider_config {
    std::string name;
    std::string issuer;         ///< its exact issuer string (OpenID Connect Discovery)
    oauth_client_config client; ///< our client there
    secret_source id_token;     ///< a session that is supplied in place of a login; re-read when it changes
    login_kind login = login_kind::browser; ///< how a person signs in there
    tls_client_config tls;                  ///< towards it
    bool back_channel_logout = false;       ///< its logout tokens end identities
    std::optional<signals_config> signals;  ///< its security events do
};

/// Whether tokens are bound to a key of ours (RFC 9449). `automatic`: where the server asks for it.
enum class dpop_mode { automatic, require, never };
/// What becomes of cookies between client and upstream. `jar`: the upstream's are kept here, per MCP session.
enum class cookie_mode { strip, pass, jar };
/// Which token of an answer is sent to the upstream.
enum class bearer_kind { access_token, id_token };
/// Which addresses of a host are connected to.
enum class address_family { any, ipv4 };
/// What `/.well-known/oauth-*` of an upstream looks like through us.
enum class metadata_mode { shield, pass };

/// `era`: what a client of the 2025 revisions gets before a server that speaks 2026-07-28 only.
enum class era_mode {
    pass,   ///< what the server says
    bridge, ///< it is made understood, if it is such a server
};

/// `upstreams.NAME.exchange`: where, and for what, the caller's token is exchanged (RFC 8693 §2.1).
struct exchange_config {
    std::string identity_provider;    ///< at its token endpoint, with our client there
    std::string token_endpoint;       ///< at this one; both empty: at the upstream's authorization server
    std::string audience;             ///< empty: not sent
    std::string resource;             ///< empty: the upstream's
    std::string requested_token_type; ///< empty: not sent
    secret_source actor;              ///< actor_token: a JWT of ours, read anew each time
};

/// `upstreams.NAME`: one MCP server.
struct upstream_config {
    std::string name;       ///< its key, or KEY@ACCOUNT; in the log, the policy and the command line
    std::string account;    ///< one of `accounts`; empty: there is one, without a name
    std::string login_hint; ///< who is to sign in, as the provider calls them; empty: not said
    std::string url;        ///< as configured
    std::string path;       ///< prefix, starts with '/', no trailing '/' unless it is the root
    std::vector<std::string>
        also_at; ///< further prefixes that mean the same (`serve URL`); same shape as `path`
    std::optional<endpoint_config> listen;                ///< an address of its own, beside the common one
    grant_kind grant = grant_kind::authorization_code;    ///< how its credential is obtained
    oauth_client_config client;                           ///< our client at its authorization server
    std::string identity_provider;                        ///< grant enterprise: key of identity_providers
    exchange_subject subject = exchange_subject::session; ///< of its token exchange (enterprise)
    exchange_config exchange;                             ///< grant token_exchange
    exchange_fallback fallback = exchange_fallback::fail; ///< where what the caller has shown is not enough
    std::optional<scope_set> scopes; ///< asked for; nothing: the challenge's, else what the metadata lists
    std::string resource = "auto";   ///< auto | omit | a URI (RFC 8707)
    secret_source token;             ///< grant static; re-read when it changes
    token_form token_type = token_form::bearer;      ///< … how it is sent
    std::string token_header = "Authorization";      ///< … and in which header field
    secret_source assertion;                         ///< grant jwt_bearer; read anew each time
    dpop_mode dpop = dpop_mode::automatic;           ///< tokens bound to a key (RFC 9449)
    cookie_mode cookies = cookie_mode::strip;        ///< between client and server
    bearer_kind bearer = bearer_kind::access_token;  ///< which token is sent to the server
    login_kind login = login_kind::browser;          ///< how a person signs in
    par_mode par = par_mode::automatic;              ///< authorization requests are pushed (RFC 9126)
    std::string callback_path = "/oauth/callback";   ///< where its authorization server sends people back to
    address_family prefer = address_family::any;     ///< which addresses are connected to
    era_mode era = era_mode::pass;                   ///< clients of 2025 before a server of 2026-07-28
    configured_server_settings authorization_server; ///< overrides or replaces discovery
    metadata_mode metadata = metadata_mode::shield;  ///< its OAuth metadata through us
    bool result_challenges = false; ///< `challenges: [result]`: a tool's result may hold a challenge
    std::vector<unsigned> treat_as_challenge; ///< statuses that this server refuses a token with
    bool allow_missing_pkce = false;          ///< explicit override for metadata without S256
    std::vector<std::pair<std::string, std::string>> headers; ///< fields that every request gets: name, value
    std::vector<std::pair<std::string, std::string>> header_files; ///< those read from a file: name, path
    /// Digest of `headers` as they are written (credential::headers); "-": there are none.
    std::string header_binding = "-";
    std::vector<std::pair<std::string, std::string>> authorize_params; ///< added to the authorization URL
    tls_client_config tls;                     ///< towards it and its authorization server
    std::optional<milliseconds> token_request; ///< nothing: limits.token_request
    bool allow_http = false;                   ///< http beyond loopback, to it and to what its metadata names

    /// Its credential comes of the token that the caller has shown, and ends with it.
    bool acts_as_caller() const noexcept {
        return grant == grant_kind::token_exchange ||
               (grant == grant_kind::enterprise && subject == exchange_subject::caller);
    }
    /// … at a server that stands in the configuration, and a person is never asked: nothing is discovered.
    bool exchanges_at_named_server() const noexcept {
        return grant == grant_kind::token_exchange && fallback == exchange_fallback::fail &&
               !(exchange.identity_provider.empty() && exchange.token_endpoint.empty());
    }
    /// … of a person's session at the identity provider.
    bool mints_from_session() const noexcept {
        return grant == grant_kind::enterprise && subject != exchange_subject::caller;
    }
    plain_http http() const noexcept { return allow_http ? plain_http::allowed : plain_http::on_loopback; }
};

/// `egress`: where metadata, tokens and registrations may be asked for, beyond public addresses.
struct egress_config {
    std::vector<std::string> allow; ///< CIDR networks or host names
};

/// `limits`.
struct limits_config {
    std::uint64_t replay_body = 4ull << 20;     ///< bytes of one request that are kept for its replay
    std::uint64_t replay_memory = 256ull << 20; ///< … of all
    unsigned attempts = 3;                      ///< recoveries of one request
    milliseconds refresh_ahead{60'000}; ///< a credential that is used is renewed so long before its end
    unsigned waiters = 10'000;          ///< requests held at once
    /// … of one principal; 0: no limit. Nothing: 100 where clients are told apart (`client_auth`), else none.
    std::optional<unsigned> held_per_principal;
    unsigned requests_per_principal = 0; ///< in progress at once; 0: no limit
    unsigned principals = 10'000;        ///< from outside, that are kept in memory; the vault has the others
    milliseconds upstream_connect{10'000};  ///< name, connection and TLS handshake
    milliseconds upstream_answer{300'000};  ///< from the request's end to the end of its answer's head
    milliseconds token_request{10'000};     ///< one answer of an authorization server
    milliseconds client_idle{75'000};       ///< keep-alive of client connections
    milliseconds head_timeout{30'000};      ///< a client must send a whole head within this
    unsigned connections = 20'000;          ///< client connections at once
    unsigned connections_per_peer = 10'000; ///< … from one address that is not loopback
};

enum class log_format { text, json };
/// `log`: one line an event, on standard error.
struct log_config {
    log_format format = log_format::text;
    std::string level = "info"; ///< debug | info | warn | error
};

/// `recorder`: timelines of what happened.
struct recorder_config {
    milliseconds keep{7 * 24 * 60 * 60 * 1000}; ///< how long one is kept
    unsigned max = 10'000;                      ///< … and how many, by all processes on the vault; 0: none
    bool header = false; ///< X-Reauth-Recovery on the answer of a request that was recovered
};

/// `audit`: lines that can be verified.
struct audit_config {
    std::string file;                   ///< absolute; empty: no audit is written
    std::uint64_t rotate = 64ull << 20; ///< bytes, then a new file is begun
    unsigned keep = 10;                 ///< files that are kept beside the one that is written
    secret_source key;    ///< Ed25519, PEM; a file is read anew; none: lines are chained, not signed
    unsigned every = 100; ///< lines, of which the last one is signed
    milliseconds within{5 * 60 * 1000}; ///< … and how long the last line is unsigned at most
    bool required = false;              ///< nothing that a person answers for goes on unrecorded
    bool journald = false;              ///< also to the journal
};

/// `trace`: spans for OpenTelemetry.
struct trace_config {
    std::string otlp; ///< URL of a collector (OTLP over HTTP); empty: nothing is sent
    std::vector<std::pair<std::string, secret>> headers; ///< that every export gets
    double sample = -1;  ///< share of requests that get a span, 0 to 1; negative: recoveries alone
    std::string ca_file; ///< further trust anchor; empty: the system's
    bool enabled() const noexcept { return !otlp.empty(); }
};

/// Everything. Immutable once loaded; a reload makes a new one.
struct config {
    endpoint_config listen{"127.0.0.1", 8970, ""}; ///< for clients
    unsigned workers = 0;                          ///< 0: one per core
    std::vector<client_auth_entry> client_auth;    ///< empty: whoever reaches the listener is "local"
    std::vector<std::string> allowed_hosts;        ///< further values of Host that are ours
    std::vector<std::string> allowed_origins;      ///< pages whose requests are let in
    std::optional<tls_server_config> tls;          ///< of `listen`; nothing: plain HTTP
    approval_config approval;
    vault_config vault;
    std::string client_metadata_url;     ///< CIMD; empty: none
    bool serves_client_metadata = false; ///< `self`: that document is ours, on the approval listener
    std::map<std::string, identity_provider_config> identity_providers; ///< by name
    std::vector<upstream_config> upstreams;                             ///< in the file's order
    rule_set policy; ///< the file's rules, then the built-in ones
    egress_config egress;
    limits_config limits;
    log_config log;
    recorder_config recorder;
    audit_config audit;
    trace_config trace;
    std::optional<endpoint_config> metrics; ///< where /metrics, /healthz and /readyz are; nothing: nowhere
    std::optional<struct outbound_proxy> outbound; ///< HTTPS_PROXY, NO_PROXY of the environment
    std::string state_directory;                   ///< for the operator token and the default vault
    std::string file;                              ///< where it came from; empty for `serve URL`
    std::vector<std::string> warnings;             ///< e.g. a literal secret
    std::vector<std::string>
        secret_variables; ///< environment variables that hold secrets: no child gets them
};

/// A command line for the proxy that runs with this configuration, to be pasted: `mcp-reauth WORDS`, with the
/// --config that it needs.
std::string cli_command(const config& c, const std::string& words);

} // namespace reauth
