// Who signs in to the page, what ends an identity, and accounts at one server.
#include "conf/accounts.hpp"
#include "conf/stdio_config.hpp"
#include "given.hpp"

using namespace reauth;
using given::bad;
using given::good;
using given::has;

namespace {

const std::string provider_row =
    "identity_providers: {acme: {issuer: https://idp.acme.example, client: {id: gate, secret: {env: S}}";
const std::map<std::string, std::string> with_secret{{"S", "0123456789abcdef"}};

std::string with_provider(const std::string& more, const std::string& rest = {}) {
    return std::string(given::one_upstream) + provider_row + more + "}}\n" + rest;
}

std::string with_accounts(const std::string& accounts, const std::string& more = {}) {
    return "upstreams:\n  github:\n    {url: https://api.example.com/mcp, scopes: [repo, read], accounts: " +
           accounts + (more.empty() ? "" : ", " + more) + "}\n";
}

} // namespace

TEST_CASE("people have one name, whether they call or look at the page") {
    const auto jwt = "client_auth: {name: staff, jwt: {issuer: https://idp.acme.example, audience: x, "
                     "principal: email, groups: realm.roles}}\n";
    const std::string page =
        "approval: {sign_in: {identity_provider: acme, operators: {group: mcp-admins}}}\n";
    const auto c = good(with_provider("", jwt + page), with_secret);
    REQUIRE(c.approval.sign_in);
    CHECK(c.approval.sign_in->name == "staff");
    CHECK(c.approval.sign_in->principal == "email");
    CHECK(c.approval.sign_in->groups == "realm.roles");
    CHECK(c.approval.sign_in->operator_groups == std::vector<std::string>{"mcp-admins"});
    CHECK(c.approval.sign_in->scopes == scope_set{"openid", "profile", "email"});
    const auto alone = good(with_provider("", page), with_secret);
    CHECK(alone.approval.sign_in->name == "idp.acme.example");
    CHECK(alone.approval.sign_in->principal == "sub");
    const auto own =
        good(with_provider("", "approval: {sign_in: {identity_provider: acme, name: gateway, principal: "
                               "email, scopes: [groups], idle: 10m, lifetime: 1h}}\n"),
             with_secret);
    CHECK(own.approval.sign_in->name == "gateway");
    CHECK(own.approval.sign_in->scopes == scope_set{"openid", "groups"});
    CHECK(own.approval.sign_in->idle == std::chrono::minutes(10));
}

TEST_CASE("a sign-in to the page that can't work is an error that says what to write") {
    CHECK(has(bad(with_provider("", "approval: {sign_in: {operators: {group: x}}}\n"), with_secret),
              "identity_provider is missing"));
    CHECK(has(bad(with_provider("", "approval: {sign_in: {identity_provider: amce}}\n"), with_secret),
              "did you mean 'acme'"));
    CHECK(
        has(bad(with_provider("", "approval: {sign_in: {identity_provider: acme, idle: 2h, lifetime: 1h}}\n"),
                with_secret),
            "is longer than approval.sign_in.lifetime"));
    CHECK(has(bad(with_provider(", id_token: {file: t}", "approval: {sign_in: {identity_provider: acme}}\n"),
                  with_secret),
              "nobody signs in there"));
    CHECK(has(
        bad(with_provider("", "approval: {sign_in: {identity_provider: acme, operator: x}}\n"), with_secret),
        "did you mean 'operators'"));
}

TEST_CASE(
    "what a provider tells of people has the provider's issuer and our client, unless it says otherwise") {
    const auto c =
        good(with_provider(", logout: {back_channel: true}, signals: {token: {env: S}}"), with_secret);
    const auto& p = c.identity_providers.at("acme");
    CHECK(p.back_channel_logout);
    REQUIRE(p.signals);
    CHECK(p.signals->delivery == signal_delivery::push);
    CHECK(p.signals->issuer == "https://idp.acme.example");
    CHECK(p.signals->audience == std::vector<std::string>{"gate"});
    CHECK(p.signals->token.equals("0123456789abcdef"));
    CHECK_FALSE(good(with_provider(""), with_secret).identity_providers.at("acme").signals);
    CHECK(has(bad(with_provider(", signals: {delivery: poll}"), with_secret), "signals.endpoint is missing"));
    CHECK(has(bad(with_provider(", signals: {endpoint: https://x.example}"), with_secret),
              "is for delivery: poll"));
    CHECK(has(bad(with_provider(", signals: {token: short}"), with_secret), "shorter than 16"));
    CHECK(has(bad(with_provider(", signals: {delivery: poll, endpoint: http://x.example}"), with_secret),
              "endpoint is not usable"));
}

TEST_CASE("each account is an upstream of its own, with the upstream's keys where it has none") {
    const auto c = good(with_accounts("{work: {login_hint: ada@acme.example}, personal: {scopes: [read]}}",
                                      "listen: \"127.0.0.1:9980\""));
    REQUIRE(c.upstreams.size() == 2);
    CHECK(c.upstreams[0].name == "github@work");
    CHECK(c.upstreams[0].account == "work");
    CHECK(c.upstreams[0].path == "/github@work");
    CHECK(c.upstreams[0].also_at == std::vector<std::string>{"/github"});
    CHECK(c.upstreams[0].login_hint == "ada@acme.example");
    CHECK(c.upstreams[0].scopes == scope_set{"repo", "read"});
    CHECK(c.upstreams[0].listen);
    CHECK(c.upstreams[1].name == "github@personal");
    CHECK(c.upstreams[1].also_at.empty());
    CHECK(c.upstreams[1].scopes == scope_set{"read"});
    CHECK_FALSE(c.upstreams[1].listen);
    CHECK(upstream_named(c, "github") == &c.upstreams[0]);
    CHECK(upstream_named(c, "github@personal") == &c.upstreams[1]);
    CHECK_FALSE(upstream_named(c, "github@nobody"));
    CHECK_FALSE(upstream_named(c, "git"));
    CHECK(without_account("github@work") == "github");
    // a rule about the server is about each of them
    const auto ruled = good(with_accounts("{work: {}, personal: {}}") +
                            "policy:\n  - {match: {upstream: github}, action: deny}\n");
    CHECK(ruled.warnings.empty());
}

TEST_CASE("accounts with tokens of their own need no token of the upstream, and each needs one") {
    const auto c = good(with_accounts("{work: {token: {env: S}}, other: {token: {env: T}}}", "grant: static"),
                        {{"S", "work-token-123456"}, {"T", "other-token-123456"}});
    CHECK(c.upstreams[0].token.value.equals("work-token-123456"));
    CHECK(c.upstreams[1].token.value.equals("other-token-123456"));
    CHECK(has(bad(with_accounts("{work: {token: {env: S}}, other: {}}", "grant: static"), with_secret),
              "accounts.other.token is missing"));
    CHECK(has(bad(with_accounts("{work: {token: {env: S}}}"), with_secret), "is only for grant: static"));
    CHECK(has(bad(with_accounts("{\"two words\": {}}")), "badly named account"));
    CHECK(has(bad(with_accounts("{work: {login_hnit: x}}")), "did you mean 'login_hint'"));
}

TEST_CASE("stdio serves the account that it is told, else the first") {
    given::directory dir;
    const auto file = dir.write("c.yaml", with_accounts("{work: {}, personal: {}}"));
    const auto name_of = [&](std::string upstream, std::string account) {
        stdio_target target{std::move(upstream), file, {}};
        target.account = std::move(account);
        const auto c = config_for_stdio(target, given::inputs());
        return c ? c->upstreams.front().name : c.error().message + " — " + c.error().fix;
    };
    CHECK(name_of("github", "") == "github@work");
    CHECK(name_of("github", "personal") == "github@personal");
    CHECK(name_of("github@personal", "") == "github@personal");
    CHECK(name_of("https://api.example.com/mcp", "personal") == "github@personal");
    CHECK(has(name_of("github", "peronal"), "did you mean 'personal'"));
    CHECK(has(name_of("github", "other"), "configured are: work, personal"));
    // a URL that no file knows: each account is a sign-in of its own
    const auto one = name_of("https://other.example/mcp", "work"),
               two = name_of("https://other.example/mcp", "home");
    CHECK(has(one, "@work"));
    CHECK(one.substr(0, one.find('@')) == two.substr(0, two.find('@')));
}
