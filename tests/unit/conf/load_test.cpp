// A configuration is read: defaults, every key, and what beats what.
#include "given.hpp"

#include "conf/values.hpp"

#include <fstream>
#include <iterator>

using namespace reauth;
using namespace std::chrono_literals;
using given::bad;
using given::good;
using given::has;

TEST_CASE("a file with one upstream gets every default") {
    const auto c = good(given::one_upstream);
    CHECK(c.listen.to_string() == "127.0.0.1:8970");
    CHECK(c.approval.listen.to_string() == "127.0.0.1:8971");
    CHECK(c.approval.public_url == "http://127.0.0.1:8971");
    CHECK(c.approval.lifetime == 15min);
    CHECK(c.state_directory == "/home/ada/.local/state/mcp-reauth");
    CHECK(c.vault.path == "/home/ada/.local/state/mcp-reauth/vault.db");
    CHECK(c.vault.key_file == c.vault.path + ".key");
    CHECK(c.limits.attempts == 3);
    CHECK_FALSE(c.metrics);
    REQUIRE(c.upstreams.size() == 1);
    CHECK(c.upstreams[0].name == "a");
    CHECK(c.upstreams[0].path == "/a");
    CHECK(c.upstreams[0].grant == grant_kind::authorization_code);
    CHECK_FALSE(c.upstreams[0].scopes);
    CHECK(c.policy.rules.size() == builtin_rules().size());
    CHECK(c.warnings.empty());
}

TEST_CASE("every key is read") {
    given::directory dir;
    dir.write("client.token", "0123456789abcdef-client\n");
    dir.write("ca.pem", "x");
    dir.write("cert.pem", "x");
    dir.write("key.pem", "x");
    dir.write("wl.jwt", "workload");
    dir.write("static.token", "static-token\n");
    const auto file = dir.write("c.yaml", R"(
listen: 127.0.0.1:9970
workers: 3
client_auth: {bearer: {file: client.token}}
allowed_hosts: [gateway, "other:80"]
allowed_origins: https://app.example
tls: {cert: cert.pem, key: key.pem}
state_directory: state
approval:
  listen: "[::1]:9971"
  public_url: https://approve.example/
  open_browser: once
  token: {env: OPERATOR}
  lifetime: 20m
  notify: {command: [notify-send, approval]}
vault: {backend: sqlite, path: ~/v.db, key: {file: v.key}}
client_metadata_url: https://app.example/client.json
identity_providers:
  acme: {issuer: https://idp.example, client: {id: us, secret: {env: IDP}}, id_token: {file: later.jwt}}
upstreams:
  one:
    url: https://one.example/mcp?x=1
    path: /deep/one
    listen: 127.0.0.1:9980
    client: {id: c, secret: {env: IDP}, auth: client_secret_post, issuer: https://as.example}
    scopes: [repo, "read write"]
    resource: api://one
    dpop: require
    cookies: pass
    metadata: pass
    allow_missing_pkce: true
    headers: {X-Org: acme, X-Key: {env: IDP}}
    authorize_params: {prompt: consent}
    tls: {ca_file: ca.pem, cert: cert.pem, key: key.pem}
  two: {url: https://two.example, grant: enterprise, identity_provider: acme, client: {id: x, issuer: https://as.example}}
  three: {url: https://three.example, grant: static, token: {file: static.token}}
  four: {url: https://four.example, grant: jwt_bearer, assertion: {file: wl.jwt}, client: {issuer: https://as.example}}
  five: {url: https://five.example, grant: client_credentials, client: {id: x, private_key: {file: key.pem}, auth: private_key_jwt, alg: RS256, issuer: https://as.example}}
policy:
  - {name: no admin, match: {scopes: ["admin:*"]}, action: deny}
  - match: {upstream: one, reason: [invalid_token, insufficient_scope], method: tools/call, tool: [a, "b*"], principal: local}
    action: confirm
    wait: {mode: hold, timeout: 5m, grace: 250ms, heartbeat: 5s}
egress: {allow: [10.0.0.0/8, "fd00::/8", as.internal]}
limits: {replay_body: 1MiB, replay_memory: 1GiB, attempts: 2, refresh_ahead: 30s, waiters: 5, held_per_principal: 4, upstream_connect: 1s, token_request: 2s, client_idle: 3s, head_timeout: 4s, connections: 6}
log: {format: json, level: debug}
metrics: {listen: 127.0.0.1:9972}
)");
    auto loaded =
        load_config(file, given::inputs({{"OPERATOR", "0123456789abcdef-op"}, {"IDP", "idp-secret"}}));
    INFO((loaded ? "" : loaded.error().message));
    REQUIRE(loaded.has_value());
    const auto& c = *loaded;
    CHECK(c.listen.port == 9970);
    CHECK(c.workers == 3);
    REQUIRE(c.client_auth.size() == 1);
    CHECK(c.client_auth[0].principal == "local");
    CHECK(c.client_auth[0].bearer.equals("0123456789abcdef-client"));
    CHECK(c.allowed_hosts == std::vector<std::string>{"gateway", "other:80"});
    CHECK(c.allowed_origins == std::vector<std::string>{"https://app.example"});
    REQUIRE(c.tls);
    CHECK(c.tls->cert == dir.path + "/cert.pem");
    CHECK(c.state_directory == dir.path + "/state");
    CHECK(c.approval.listen.host == "::1");
    CHECK(c.approval.listen.to_string() == "[::1]:9971");
    CHECK(c.approval.public_url == "https://approve.example");
    CHECK(c.approval.open_browser == browser_opening::automatic);
    CHECK(c.approval.token.value.equals("0123456789abcdef-op"));
    CHECK(c.approval.lifetime == 20min);
    CHECK(c.approval.notify_command.size() == 2);
    CHECK(c.vault.path == "/home/ada/v.db");
    CHECK(c.vault.key_file == dir.path + "/v.key");
    CHECK(c.client_metadata_url == "https://app.example/client.json");
    const auto& idp = c.identity_providers.at("acme");
    CHECK(idp.client.issuer == "https://idp.example");
    CHECK(idp.client.client_secret.equals("idp-secret"));
    CHECK(idp.id_token.name == dir.path + "/later.jwt");
    REQUIRE(c.upstreams.size() == 5);
    const auto& one = c.upstreams[0];
    CHECK(one.url == "https://one.example/mcp?x=1");
    CHECK(one.path == "/deep/one");
    CHECK(one.listen->port == 9980);
    CHECK(one.client.auth == "client_secret_post");
    CHECK(one.scopes->to_string() == "repo read write");
    CHECK(one.resource == "api://one");
    CHECK(one.dpop == dpop_mode::require);
    CHECK(one.cookies == cookie_mode::pass);
    CHECK(one.metadata == metadata_mode::pass);
    CHECK(one.allow_missing_pkce);
    CHECK(one.headers ==
          std::vector<std::pair<std::string, std::string>>{{"X-Org", "acme"}, {"X-Key", "idp-secret"}});
    CHECK(one.authorize_params.front().second == "consent");
    CHECK(one.tls.ca_file == dir.path + "/ca.pem");
    CHECK(c.upstreams[1].identity_provider == "acme");
    CHECK(c.upstreams[2].token.value.equals("static-token"));
    CHECK(c.upstreams[3].assertion.name == dir.path + "/wl.jwt");
    CHECK(c.upstreams[4].client.alg == "RS256");
    REQUIRE(c.policy.rules.size() == 2 + builtin_rules().size());
    CHECK(c.policy.rules[0].name == "no admin");
    CHECK(c.policy.rules[0].where == file + ":40");
    const auto& second = c.policy.rules[1];
    CHECK(second.match.upstream == std::vector<std::string>{"one"});
    CHECK(second.match.reason.size() == 2);
    CHECK(second.match.tool.size() == 2);
    CHECK(second.wait.mode == wait_mode::hold);
    CHECK(second.wait.timeout == 5min);
    CHECK(second.wait.grace == 250ms);
    CHECK(c.egress.allow.size() == 3);
    CHECK(c.limits.replay_body == 1u << 20);
    CHECK(c.limits.connections == 6);
    CHECK(c.limits.waiters == 5);
    CHECK(c.limits.held_per_principal == 4);
    CHECK(c.log.format == log_format::json);
    CHECK(c.log.level == "debug");
    CHECK(c.metrics->port == 9972);
    for (const auto& w : c.warnings)
        UNSCOPED_INFO(w);
    REQUIRE(c.warnings.size() == 1);
    CHECK(has(c.warnings[0], "later.jwt, which is not there yet"));
}

TEST_CASE("a flag beats the environment, which beats the file") {
    auto in = given::inputs({{"MCP_REAUTH_LISTEN", "127.0.0.1:2"},
                             {"MCP_REAUTH_LOG_LEVEL", "warn"},
                             {"MCP_REAUTH_UPSTREAMS_A_URL", "https://env.example/"},
                             {"MCP_REAUTH_METRICS_LISTEN", "127.0.0.1:9"},
                             {"MCP_REAUTH_APPROVAL_TOKEN", "from-the-environment"}});
    in.flags["listen"] = "127.0.0.1:3";
    auto c = load_config_text(
        "listen: 127.0.0.1:1\nlog: {level: debug}\nupstreams: {a: {url: https://a.example}}", "x.yaml", in);
    REQUIRE(c.has_value());
    CHECK(c->listen.port == 3);
    CHECK(c->log.level == "warn");
    CHECK(c->upstreams[0].url == "https://env.example/");
    CHECK(c->metrics->port == 9);
    CHECK(c->approval.token.value.equals("from-the-environment"));
    CHECK(c->warnings.empty());
}

TEST_CASE("an error in an override names the flag or variable") {
    CHECK(has(bad(given::one_upstream, {{"MCP_REAUTH_LOG_LEVEL", "loud"}}),
              "MCP_REAUTH_LOG_LEVEL: log.level must be"));
    auto in = given::inputs();
    in.flags["approval.listen"] = "nowhere";
    auto c = load_config_text(given::one_upstream, "x.yaml", in);
    REQUIRE(c.has_error());
    CHECK(has(c.error().message, "--approval-listen: approval.listen is not an address"));
}

TEST_CASE("a variable that sets nothing is warned about, those of an orchestrator are not") {
    const auto c = good(given::one_upstream, {{"MCP_REAUTH_LISTN", "x"},
                                              {"MCP_REAUTH_CONFIG", "x"},
                                              {"MCP_REAUTH_PORT_8970_TCP", "x"},
                                              {"MCP_REAUTH_SERVICE_HOST", "x"}});
    REQUIRE(c.warnings.size() == 1);
    CHECK(has(c.warnings[0], "MCP_REAUTH_LISTN: "));
}

TEST_CASE("serve URL is one upstream at the root and at the URL's own path") {
    auto c = config_for_url("https://api.example.com/v1/mcp", given::inputs());
    REQUIRE(c.has_value());
    REQUIRE(c->upstreams.size() == 1);
    CHECK(c->upstreams[0].name == "example");
    CHECK(c->upstreams[0].path == "/");
    CHECK(c->upstreams[0].also_at == std::vector<std::string>{"/example", "/v1/mcp"});
    CHECK(c->policy.rules.size() == builtin_rules().size());
    CHECK(config_for_url("https://api.example.com", given::inputs())->upstreams[0].also_at ==
          std::vector<std::string>{"/example"});
    CHECK(config_for_url("http://127.0.0.1:3000/mcp", given::inputs()).has_value());
    CHECK(config_for_url("http://api.example.com/mcp", given::inputs()).has_error());
    CHECK(config_for_url("ftp://x", given::inputs()).has_error());
    CHECK(config_for_url("nonsense", given::inputs()).has_error());
}

TEST_CASE("the default configuration serves client commands without a file") {
    auto in = given::inputs({{"MCP_REAUTH_APPROVAL_LISTEN", "127.0.0.1:7"}});
    auto c = default_config(in);
    REQUIRE(c.has_value());
    CHECK(c->approval.public_url == "http://127.0.0.1:7");
}

TEST_CASE("state goes where the variables of systemd and XDG say") {
    CHECK(good(given::one_upstream, {{"XDG_STATE_HOME", "/s"}}).state_directory == "/s/mcp-reauth");
    CHECK(good(given::one_upstream, {{"XDG_STATE_HOME", "/s"}, {"STATE_DIRECTORY", "/var/lib/mcp-reauth"}})
              .state_directory == "/var/lib/mcp-reauth");
}

TEST_CASE("the example files load") {
    const std::map<std::string, std::string> environment{{"GITHUB_CLIENT_SECRET", "x"},
                                                         {"SEARCH_CLIENT_SECRET", "x"},
                                                         {"ADA_BEARER", "ada-0123456789abcdef"},
                                                         {"GRACE_BEARER", "grace-0123456789abcdef"},
                                                         {"OPERATOR_TOKEN", "op-0123456789abcdef"},
                                                         {"ACME_IDP_SECRET", "x"},
                                                         {"WIKI_CLIENT_SECRET", "x"},
                                                         {"TICKETS_CLIENT_SECRET", "x"}};
    given::directory dir;
    auto in = given::inputs(environment);
    in.environment["MCP_REAUTH_TLS_CERT"] = dir.write("c", "x");
    in.environment["MCP_REAUTH_TLS_KEY"] = dir.write("k", "x");
    for (const auto* name : {"quickstart", "team", "enterprise"}) {
        auto c = load_config(std::string(REAUTH_SOURCE_DIR "/conf/") + name + ".yaml", in);
        INFO((c ? "" : c.error().message));
        REQUIRE(c.has_value());
        CHECK(c->warnings.empty());
    }
}

TEST_CASE("the example of a fleet loads, with its secrets where it says") {
    given::directory dir;
    const std::map<std::string, std::string> files{
        {"/run/secrets/ada.bearer", "ada-0123456789abcdef"},
        {"/run/secrets/grace.bearer", "grace-0123456789abcdef"},
        {"/run/secrets/operator.token", "op-0123456789abcdef"},
        {"/run/secrets/postgres.dsn", "postgresql://mcp_reauth@postgres/mcp_reauth"},
        {"/run/secrets/vault.key", std::string(64, 'k')},
        {"/run/secrets/github.secret", "x"},
        {"/run/tls/tls.crt", "x"},
        {"/run/tls/tls.key", "x"},
    };
    std::ifstream in(REAUTH_SOURCE_DIR "/conf/fleet/mcp-reauth.yaml");
    std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    int number = 0;
    for (const auto& [name, content] : files) {
        REQUIRE(text.find(name) != std::string::npos);
        const auto path = dir.write("f" + std::to_string(++number), content);
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name))
            text.replace(at, name.size(), path);
    }
    auto c = load_config_text(text, "mcp-reauth.yaml", given::inputs({}));
    INFO((c ? "" : c.error().message));
    REQUIRE(c.has_value());
    CHECK(c->warnings.empty());
    CHECK(c->vault.backend == vault_backend::postgres);
}

TEST_CASE("a command that only talks to the proxy needs none of its other secrets") {
    auto in = given::inputs({{"OPERATOR", "0123456789abcdef"}});
    in.approval_only = true;
    const std::string text =
        "approval: {token: {env: OPERATOR}}\n"
        "tls: {cert: /nonexistent/c, key: /nonexistent/k}\n"
        "client_auth: {bearer: {file: /nonexistent/b}}\n"
        "upstreams: {a: {url: 'https://a.example', client: {id: x, secret: {env: NOT_SET}}}}\n";
    auto c = load_config_text(text, "x.yaml", in);
    INFO((c ? "" : c.error().message));
    REQUIRE(c.has_value());
    CHECK(c->approval.token.value.equals("0123456789abcdef"));
    in.environment.erase("OPERATOR");
    CHECK(load_config_text(text, "x.yaml", in).has_error());
}

TEST_CASE("ways to sign in and to reach a server are read, and what can't work is refused") {
    const auto c = good(
        "upstreams:\n  a:\n    url: https://a.example/mcp\n    login: device\n    bearer: id_token\n"
        "    cookies: jar\n    prefer: ipv4\n"
        "    authorization_server: {issuer: https://as.example, token_endpoint: https://as.example/t}\n");
    const auto& u = c.upstreams.front();
    CHECK(u.login == login_kind::device);
    CHECK(u.bearer == bearer_kind::id_token);
    CHECK(u.cookies == cookie_mode::jar);
    CHECK(u.prefer == address_family::ipv4);
    CHECK(u.authorization_server.replaces_discovery());
    CHECK(u.authorization_server.token_endpoint == "https://as.example/t");
    const auto refused = [](const std::string& keys) {
        return bad("upstreams: {a: {url: 'https://a.example/mcp', " + keys + "}}", {{"S", "secret-value"}});
    };
    CHECK(has(refused("authorization_server: {issuer: https://as.example}"), "alone names no server"));
    CHECK(has(refused("authorization_server: {issuer: https://as.example, jwks_uri: https://as.example/j}"),
              "token_endpoint is missing"));
    CHECK(has(refused("authorization_server: {token_endpoint: http://as.example/t}"),
              "token_endpoint is not usable"));
    CHECK(has(refused("authorization_server: {token_endpont: https://as.example/t}"), "token_endpoint"));
    CHECK(
        has(refused("grant: client_credentials, client: {id: x, secret: {env: S}}, login: device"), "login"));
    CHECK(has(refused("grant: static, token: {env: S}, bearer: id_token"), "bearer"));
}

TEST_CASE("the outbound proxy is taken from the environment, and checked") {
    const auto c =
        good(given::one_upstream, {{"HTTPS_PROXY", "http://proxy.corp:3128"}, {"NO_PROXY", "corp"}});
    REQUIRE(c.outbound.has_value());
    CHECK(c.outbound->host == "proxy.corp");
    CHECK(c.outbound->except == std::vector<std::string>{"corp"});
    const auto lower =
        good(given::one_upstream, {{"HTTPS_PROXY", "http://proxy.corp:1"}, {"https_proxy", "other.corp:1"}});
    CHECK(lower.outbound->host == "other.corp");
    CHECK(has(bad(given::one_upstream, {{"https_proxy", "socks5://x"}}), "HTTPS_PROXY"));
    CHECK_FALSE(good(given::one_upstream).outbound.has_value());
}

TEST_CASE("an upstream that is only a URL is called after its host") {
    CHECK(name_for_host("mcp.example.com") == "example");
    CHECK(name_for_host("api.githubcopilot.com") == "githubcopilot");
    CHECK(name_for_host("mcp.shop.example.co.uk") == "example");
    CHECK(name_for_host("tools.example") == "tools");
    CHECK(name_for_host("localhost") == "localhost");
    for (const auto* host : {"127.0.0.1", "[::1]", "::1", "", ".",
                             "mcp.b\xc3\xbc"
                             "cher.example"})
        CHECK(name_for_host(host) == "upstream");
}

TEST_CASE(
    "a command to be pasted names the configuration that it needs, quoted where a shell would break it") {
    config c;
    CHECK(cli_command(c, "approve 1") == "mcp-reauth approve 1");
    c.file = "/etc/mcp-reauth/config.yaml";
    CHECK(cli_command(c, "approve 1") == "mcp-reauth approve 1 --config /etc/mcp-reauth/config.yaml");
    c.file = "/home/o'neil/my files/c.yaml";
    CHECK(cli_command(c, "approve 1") == "mcp-reauth approve 1 --config '/home/o'\\''neil/my files/c.yaml'");
}

TEST_CASE("the old spellings of the notification and of the browser's key are still understood") {
    const auto c = good("approval: {open_browser: once, notify_command: [a, b]}\n"
                        "upstreams: {a: {url: https://a.example}}\n");
    CHECK(c.approval.open_browser == browser_opening::automatic);
    CHECK(c.approval.notify_command.size() == 2);
    REQUIRE(c.warnings.size() == 1);
    CHECK(c.warnings[0].find("approval.notify.command") != std::string::npos);
}

TEST_CASE("environment variables that hold secrets are known, so that no child gets them") {
    auto in = given::inputs();
    in.environment["THE_SECRET"] = "0123456789abcdef";
    const auto c = load_config_text(
        "upstreams: {a: {url: https://a.example, grant: static, token: {env: THE_SECRET}}}\n", "c.yaml", in);
    REQUIRE(c.has_value());
    CHECK(c->secret_variables == std::vector<std::string>{"THE_SECRET"});
}
