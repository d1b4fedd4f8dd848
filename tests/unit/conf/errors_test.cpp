// What is wrong with a configuration is named with its place and its mending.
#include "given.hpp"

#include <algorithm>

using namespace reauth;
using given::bad;
using given::good;
using given::has;

namespace {
std::string upstream(const std::string& members) {
    return "upstreams:\n  a: {url: https://a.example/mcp, " + members + "}\n";
}
} // namespace

TEST_CASE("an unknown key names its place and the nearest known key") {
    const auto e = bad("listn: 127.0.0.1:1\nupstreams: {a: {url: https://a.example}}\n");
    CHECK(has(e, "test.yaml:1:1: unknown key 'listn' (did you mean 'listen'?)"));
    CHECK(has(bad("approval:\n  lifetimes: 15m\n" + std::string(given::one_upstream)),
              "test.yaml:2:3: unknown key 'lifetimes' in approval (did you mean 'lifetime'?)"));
    CHECK(has(bad(upstream("grnt: static")), "unknown key 'grnt' in upstreams.a (did you mean 'grant'?)"));
}

TEST_CASE("all errors are reported at once, in the order of the file") {
    const auto e = bad(
        "listen: 8970\nlog: {level: loud, format: xml}\nlimits:\n  attempts: many\n  replay_body: 4 megs\n"
        "upstreams:\n  a: {url: 'http://a.example', cookies: eat}\n");
    CHECK(std::count(e.begin(), e.end(), '\n') == 6);
    CHECK(e.starts_with("test.yaml:1:9: listen is not an address"));
    CHECK(has(e, "log.level must be trace, debug, info, warn, error or off, not 'loud'."));
    CHECK(has(e, "test.yaml:4:13: limits.attempts must be a whole number from 1 to 10, not 'many'."));
    CHECK(has(e, "limits.replay_body must be a size like 4MiB"));
    CHECK(has(e, "upstreams.a.url must be https"));
    CHECK(has(e, "upstreams.a.cookies must be strip, pass or jar, not 'eat' (did you mean 'jar'?)."));
}

TEST_CASE("duplicate keys are refused at every depth") {
    CHECK(has(bad("listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n" + std::string(given::one_upstream)),
              "test.yaml:2:1: the key 'listen' is here twice"));
    CHECK(has(bad("upstreams:\n  a: {url: https://a.example}\n  a: {url: https://b.example}\n"),
              "test.yaml:3:3: the key 'a' is here twice"));
}

TEST_CASE("broken YAML names its place") {
    CHECK(has(bad("upstreams: {a: [}\n"), "test.yaml:1:"));
    CHECK(has(bad("a: b: c\n"), "this is not YAML"));
    CHECK(has(bad("- just\n- a list\n"), "the configuration must be a mapping (key: value), not a list."));
    CHECK(has(bad(""), "no upstream is configured"));
    CHECK(has(bad(std::string(given::one_upstream) + "---\nlisten: x\n"), "a second document"));
    CHECK(has(bad(std::string("listen: a\0b", 11)), "NUL"));
    CHECK(has(bad("listen: [a]\n" + std::string(given::one_upstream)),
              "listen must be a single value, not a list."));
    CHECK(has(bad("listen:\n" + std::string(given::one_upstream)), "listen has no value"));
    CHECK(has(bad("policy: {a: b}\n" + std::string(given::one_upstream)), "policy must be a list"));
}

TEST_CASE("anchors, aliases, tags, deep nesting and large files are refused") {
    CHECK(has(bad("listen: &a 127.0.0.1:1\n"), "anchors"));
    CHECK(has(bad("listen: *a\n"), "alias"));
    CHECK(has(bad("listen: !!str x\n"), "tags"));
    CHECK(has(bad("listen: " + std::string(200, '[') + std::string(200, ']') + "\n"), "nested too deeply"));
    CHECK(has(bad(std::string((1 << 20) + 1, '#')), "larger than 1 MiB"));
}

TEST_CASE("no error or warning holds a secret") {
    const auto in_message = [](const std::string& e) { return has(e, "hunter2"); };
    CHECK_FALSE(in_message(bad(upstream("grant: static, token: {fil: hunter2}"))));
    CHECK_FALSE(in_message(bad(upstream("grant: static, token: [hunter2]"))));
    CHECK_FALSE(in_message(bad(upstream("client: hunter2"))));
    CHECK_FALSE(in_message(bad(upstream("client: {id: x, secret: *hunter2}"))));
    CHECK_FALSE(
        in_message(bad("vault: {backend: postgres, dsn: hunter2}\n" + std::string(given::one_upstream))));
    CHECK_FALSE(in_message(bad(given::one_upstream, {{"MCP_REAUTH_APPROVAL_TOKEN", "hunter2"}})));
    CHECK_FALSE(in_message(bad(upstream("headers: {X-Key: \"hunter2\\n\"}"))));
    CHECK_FALSE(in_message(bad("upstreams: {a: {url: 'https://me:hunter2@a.example/'}}")));
    const auto c = good(upstream("client: {id: x, secret: hunter2, issuer: https://as.example}"));
    REQUIRE(c.warnings.size() == 1);
    CHECK(has(c.warnings[0], "upstreams.a.client.secret is written into the configuration itself"));
    CHECK_FALSE(in_message(c.warnings[0]));
}

TEST_CASE("a secret that is not there says which") {
    CHECK(has(bad(upstream("client: {id: x, secret: {env: NOT_THERE}}")),
              "environment variable NOT_THERE, which is not set"));
    CHECK(has(bad(upstream("client: {id: x, secret: {env: EMPTY}}"), {{"EMPTY", ""}}),
              "EMPTY, which is empty"));
    CHECK(has(bad("approval: {token: {file: /nonexistent/token}}\n" + std::string(given::one_upstream)),
              "the file /nonexistent/token cannot be read: No such file"));
    given::directory dir;
    CHECK(has(bad("approval: {token: {file: " + dir.path + "}}\n" + given::one_upstream), "is a directory"));
    CHECK(has(bad("approval: {token: {file: " + dir.write("e", " \n") + "}}\n" + given::one_upstream),
              "is empty"));
}

TEST_CASE("a listener that others can reach needs client_auth") {
    const auto e = bad("listen: 0.0.0.0:8970\n" + std::string(given::one_upstream));
    CHECK(has(e, "test.yaml:1:9: listen is 0.0.0.0:8970, which others can reach"));
    CHECK(has(e, "client_auth"));
    const auto c =
        good("listen: 0.0.0.0:8970\nclient_auth: {bearer: {env: B}}\n" + std::string(given::one_upstream),
             {{"B", "0123456789abcdef"}});
    REQUIRE(c.warnings.size() == 1);
    CHECK(has(c.warnings[0], "without tls"));
    CHECK(has(bad(upstream("listen: 192.168.1.2:1")), "upstreams.a.listen is 192.168.1.2:1, which others"));
}

TEST_CASE("an approval page that others can reach needs TLS") {
    const std::string open = "approval: {listen: 0.0.0.0:8971";
    CHECK(has(bad(open + "}\n" + given::one_upstream), "others can reach without TLS"));
    CHECK(has(bad(open + ", public_url: 'http://team.example'}\n" + given::one_upstream), "public_url"));
    CHECK(good(open + ", public_url: 'https://team.example'}\n" + given::one_upstream).approval.public_url ==
          "https://team.example");
    given::directory dir;
    const auto tls = ", tls: {cert: " + dir.write("c", "x") + ", key: " + dir.write("k", "x") + "}";
    CHECK(good(open + tls + "}\n" + given::one_upstream).approval.public_url == "https://0.0.0.0:8971");
}

TEST_CASE("two listeners cannot share a port") {
    CHECK(has(bad("listen: 127.0.0.1:8971\n" + std::string(given::one_upstream)),
              "approval.listen and listen are both 127.0.0.1:8971"));
    CHECK(has(bad("metrics: {listen: 'localhost:8970'}\n" + std::string(given::one_upstream)),
              "metrics.listen and listen are both"));
    CHECK(good("listen: 127.0.0.1:0\napproval: {listen: 127.0.0.1:0}\n" + std::string(given::one_upstream))
              .approval.public_url.empty());
}

TEST_CASE("upstream paths have plain segments and are unique") {
    CHECK(has(bad("upstreams:\n  a: {url: https://a.example}\n  b: {url: https://b.example, path: /a}\n"),
              "test.yaml:3:37: upstreams.b and upstreams.a are both at /a"));
    for (const auto* path :
         {"a", "/a/", "/a//b", "/a/../b", "/.", "/a%2fb", "/a?b", "/a b", "/.well-known/x"})
        CHECK(has(bad(upstream("path: '" + std::string(path) + "'")), "upstreams.a.path "));
    CHECK(good(upstream("path: /")).upstreams[0].path == "/");
    CHECK(has(bad("upstreams: {'a b': {url: https://a.example}}"), "the upstream name 'a b'"));
}

TEST_CASE("an upstream's url is https unless it is loopback") {
    CHECK(has(bad("upstreams: {a: {url: http://a.example}}"), "upstreams.a.url must be https"));
    CHECK(has(bad("upstreams: {a: {url: ftp://a.example}}"), "upstreams.a.url is not usable"));
    CHECK(has(bad("upstreams: {a: {path: /x}}"), "upstreams.a.url is missing"));
    good("upstreams: {a: {url: 'http://localhost:3000/mcp'}, b: {url: 'http://[::1]:3000/'}}");
}

TEST_CASE("each grant needs what it works with and nothing else") {
    CHECK(has(bad(upstream("grant: static")), "static needs token"));
    CHECK(has(bad(upstream("grant: jwt_bearer")), "jwt_bearer needs assertion"));
    CHECK(has(bad(upstream("grant: enterprise")), "enterprise needs identity_provider"));
    CHECK(has(bad(upstream("grant: client_credentials")), "client_credentials needs client"));
    CHECK(has(bad(upstream("token: {env: T}"), {{"T", "t"}}), "token is only for grant: static"));
    CHECK(has(bad("identity_providers: {acme: {issuer: https://i.example, client: {id: x}}}\n" +
                  upstream("grant: enterprise, identity_provider: acne")),
              "which is not in identity_providers (did you mean 'acme'?)"));
    CHECK(has(bad(upstream("grant: implicit")), "upstreams.a.grant must be authorization_code"));
    CHECK(has(bad(upstream("client: {id: x, auth: private_key_jwt}")), "private_key is missing"));
    CHECK(has(bad(upstream("client: {secret: {env: T}}"), {{"T", "t"}}), "client.id is missing"));
}

TEST_CASE("a secret without an issuer is warned about, not on loopback") {
    const auto c = good(upstream("client: {id: x, secret: {env: T}}"), {{"T", "t"}});
    REQUIRE(c.warnings.size() == 1);
    CHECK(has(c.warnings[0], "issuer_not_pinned"));
    CHECK(good("upstreams: {a: {url: 'http://127.0.0.1:1', client: {id: x, secret: {env: T}}}}", {{"T", "t"}})
              .warnings.empty());
}

TEST_CASE("headers that are the proxy's own are refused") {
    CHECK(has(bad(upstream("headers: {authorization: x}")), "grant: static"));
    CHECK(has(bad(upstream("headers: {Host: x}")), "must not set 'Host'"));
    CHECK(has(bad(upstream("headers: {'X Y': x}")), "cannot be a header name"));
    CHECK(has(bad(upstream("headers: {X-Y: \"a\\r\\nb: c\"}")), "control characters"));
    CHECK(has(bad(upstream("authorize_params: {scope: x}")), "use the key scopes"));
}

TEST_CASE("policy errors name rule and key") {
    const std::string up = given::one_upstream;
    CHECK(
        has(bad(up + "policy:\n  - {match: {upstream: a}}\n"), "test.yaml:3:5: policy[0].action is missing"));
    CHECK(has(bad(up + "policy:\n  - {match: {reason: expired}, action: deny}\n"), "match.reason must be"));
    CHECK(has(bad(up + "policy:\n  - {match: {scope: x}, action: deny}\n"), "(did you mean 'scopes'?)"));
    CHECK(has(bad(up + "policy:\n  - {match: {scopes: []}, action: deny}\n"), "would match nothing"));
    CHECK(has(bad(up + "policy:\n  - {action: deny, wait: {timeout: 5}}\n"), "must be a duration"));
    const auto c = good(up + "policy:\n  - {action: deny}\n  - {match: {upstream: zz}, action: silent}\n");
    REQUIRE(c.warnings.size() == 2);
    CHECK(has(c.warnings[0], "test.yaml:4:"));
}

TEST_CASE("clients are told apart by name and bearer") {
    const std::string up = given::one_upstream;
    const auto two = [&](const std::string& a, const std::string& b) {
        return up + "client_auth: [{principal: " + a + ", bearer: {env: X}}, {principal: " + b +
               ", bearer: {env: Y}}]\n";
    };
    CHECK(
        good(two("ada", "eve"), {{"X", "0123456789abcdef"}, {"Y", "fedcba9876543210"}}).client_auth.size() ==
        2);
    CHECK(has(bad(two("ada", "ada"), {{"X", "0123456789abcdef"}, {"Y", "fedcba9876543210"}}), "twice"));
    CHECK(has(bad(two("ada", "eve"), {{"X", "0123456789abcdef"}, {"Y", "0123456789abcdef"}}), "same bearer"));
    CHECK(has(bad(up + "client_auth: {principal: ada}\n"), "client_auth.bearer is missing"));
}

TEST_CASE(
    "tabs, indentation that does not fit and a second colon are told in words that say what to change") {
    CHECK(has(bad("upstreams:\n\ta: {url: https://a.example}\n"), ":2:1: this line is indented with a tab"));
    CHECK(has(bad("upstreams:\n  a:\n    url: https://a.example\n   grant: static\n"),
              "the indentation of this line does not fit"));
    CHECK(has(bad("upstreams:\n  a:\n    url: https://a.example grant: static\n"),
              "put the value into quotes"));
}

TEST_CASE("a URL without its scheme gets one suggested") {
    CHECK(has(bad("upstreams: {a: {url: mcp.example.com/mcp}}\n"), "Write https://mcp.example.com/mcp."));
    CHECK(has(bad("upstreams: {a: {url: localhost:3000/mcp}}\n"), "Write http://localhost:3000/mcp."));
}

TEST_CASE("every key that exists is suggested, also one that is only looked at where it is given") {
    CHECK(has(bad("upstreams: {a: {url: https://a.example, scops: [x]}}\n"), "did you mean 'scopes'?"));
    CHECK(has(
        bad("upstreams: {a: {url: https://a.example}}\npolicy: [{action: confirm, wait: {timeuot: 1s}}]\n"),
        "did you mean 'timeout'?"));
}

TEST_CASE("approve is for rules about calls") {
    const std::string upstream = "upstreams: {a: {url: https://a.example}}\n";
    CHECK(has(bad(upstream + "policy: [{action: approve}]\n"), "match tool or method"));
    CHECK(has(bad(upstream + "policy: [{match: {tool: x, scopes: [y]}, action: approve}]\n"),
              "nothing of a challenge"));
}
