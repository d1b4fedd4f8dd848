// The configuration as the rest of the program sees it: validated, with every default filled in.
#pragma once

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
    std::string host;
    std::uint16_t port = 0;
    std::string unix_path;
    bool loopback() const; ///< also true for a Unix socket
    std::string to_string() const;
};

/// A secret as configured. `file` secrets are read when the configuration is loaded, except where
/// a field says it is read anew each time.
struct secret_source {
    enum class kind { none, literal, env, file } from = kind::none;
    std::string name; ///< variable or path; empty for a literal
    secret value;     ///< what was read at load time
};

struct client_principal {
    std::string principal = "local";
    secret bearer;
};

struct tls_server_config {
    std::string cert, key;
};

struct tls_client_config {
    std::string ca_file, cert, key;
};

struct approval_config {
    endpoint_config listen{"127.0.0.1", 8971, ""};
    std::optional<tls_server_config> tls;
    std::string public_url; ///< no trailing slash; default http(s)://LISTEN; empty: LISTEN has port 0
    browser_opening open_browser = browser_opening::automatic;
    secret_source token; ///< none: made once in the state directory
    milliseconds lifetime{15 * 60 * 1000};
    std::vector<std::string>
        notify_command; ///< `notify.command`: run without a shell, the approval as JSON on stdin
};

enum class vault_backend { sqlite, postgres, memory };

struct vault_config {
    vault_backend backend = vault_backend::sqlite;
    std::string path;     ///< sqlite; ~ expanded
    secret dsn;           ///< postgres
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

struct identity_provider_config {
    std::string name;
    std::string issuer;
    oauth_client_config client;
    secret_source id_token; ///< re-read when it changes
    login_kind login = login_kind::browser;
    tls_client_config tls;
};

enum class dpop_mode { automatic, require, never };
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

struct upstream_config {
    std::string name;
    std::string url;  ///< as configured
    std::string path; ///< prefix, starts with '/', no trailing '/' unless it is the root
    std::vector<std::string>
        also_at; ///< further prefixes that mean the same (`serve URL`); same shape as `path`
    std::optional<endpoint_config> listen;
    grant_kind grant = grant_kind::authorization_code;
    oauth_client_config client;
    std::string identity_provider;
    exchange_subject subject = exchange_subject::session; ///< of its token exchange (enterprise)
    std::optional<scope_set> scopes;
    std::string resource = "auto";              ///< auto | omit | a URI
    secret_source token;                        ///< grant static; re-read when it changes
    token_form token_type = token_form::bearer; ///< … how it is sent
    std::string token_header = "Authorization"; ///< … and in which header field
    secret_source assertion;                    ///< grant jwt_bearer; read anew each time
    dpop_mode dpop = dpop_mode::automatic;
    cookie_mode cookies = cookie_mode::strip;
    bearer_kind bearer = bearer_kind::access_token;
    login_kind login = login_kind::browser;
    par_mode par = par_mode::automatic;
    std::string callback_path = "/oauth/callback"; ///< where its authorization server sends people back to
    address_family prefer = address_family::any;
    era_mode era = era_mode::pass;
    configured_server_settings authorization_server; ///< overrides or replaces discovery
    metadata_mode metadata = metadata_mode::shield;
    bool result_challenges = false; ///< `challenges: [result]`: a tool's result may hold a challenge
    std::vector<unsigned> treat_as_challenge; ///< statuses that this server refuses a token with
    bool allow_missing_pkce = false;          ///< explicit override for metadata without S256
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::pair<std::string, std::string>> header_files; ///< those read from a file: name, path
    /// Digest of `headers` as they are written (credential::headers); "-": there are none.
    std::string header_binding = "-";
    std::vector<std::pair<std::string, std::string>> authorize_params;
    tls_client_config tls;
    std::optional<milliseconds> token_request; ///< nothing: limits.token_request
    bool allow_http = false;                   ///< http beyond loopback, to it and to what its metadata names

    plain_http http() const noexcept { return allow_http ? plain_http::allowed : plain_http::on_loopback; }
};

struct egress_config {
    std::vector<std::string> allow; ///< CIDR networks or host names
};

struct limits_config {
    std::uint64_t replay_body = 4ull << 20;
    std::uint64_t replay_memory = 256ull << 20;
    unsigned attempts = 3;
    milliseconds refresh_ahead{60'000};
    unsigned waiters = 10'000; ///< requests held at once
    /// … of one principal; 0: no limit. Nothing: 100 where clients are told apart (`client_auth`), else none.
    std::optional<unsigned> held_per_principal;
    milliseconds upstream_connect{10'000};
    milliseconds upstream_answer{300'000}; ///< from the request's end to the end of its answer's head
    milliseconds token_request{10'000};
    milliseconds client_idle{75'000};       ///< keep-alive of client connections
    milliseconds head_timeout{30'000};      ///< a client must send a whole head within this
    unsigned connections = 20'000;          ///< client connections at once
    unsigned connections_per_peer = 10'000; ///< … from one address that is not loopback
};

enum class log_format { text, json };
struct log_config {
    log_format format = log_format::text;
    std::string level = "info";
};

/// Everything. Immutable once loaded; a reload makes a new one.
struct config {
    endpoint_config listen{"127.0.0.1", 8970, ""};
    unsigned workers = 0; ///< 0: one per core
    std::vector<client_principal> client_auth;
    std::vector<std::string> allowed_hosts, allowed_origins;
    std::optional<tls_server_config> tls;
    approval_config approval;
    vault_config vault;
    std::string client_metadata_url;     ///< CIMD; empty: none
    bool serves_client_metadata = false; ///< `self`: that document is ours, on the approval listener
    std::map<std::string, identity_provider_config> identity_providers;
    std::vector<upstream_config> upstreams;
    rule_set policy; ///< the file's rules, then the built-in ones
    egress_config egress;
    limits_config limits;
    log_config log;
    std::optional<endpoint_config> metrics;
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
