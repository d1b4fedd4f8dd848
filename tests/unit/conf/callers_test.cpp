// client_auth, and upstreams that are used as whoever calls.
#include "given.hpp"

using namespace reauth;
using given::bad;
using given::good;
using given::has;

namespace {

const std::string up_row = given::one_upstream;
const std::string acme_jwt = "jwt: {issuer: https://idp.acme.example, audience: https://mcp.acme.example}";

std::string with_callers(const std::string& entries) {
    return up_row + "client_auth: " + entries + "\n";
}

std::string used_by_callers(const std::string& members,
                            const std::string& callers = "client_auth: {" + acme_jwt + "}\n") {
    return callers +
           "identity_providers: {acme: {issuer: https://idp.acme.example, client: {id: gate, secret: {env: "
           "S}}}}\n" +
           "upstreams:\n  a: {url: https://a.example/mcp, " + members + "}\n";
}

const std::map<std::string, std::string> secrets{{"S", "0123456789abcdef"}};

} // namespace

TEST_CASE("callers may be known by tokens, certificates and a gateway's word, several at once") {
    given::directory dir;
    const auto c = good(up_row + "listen: unix:/tmp/gate.sock\ntls: {cert: " + dir.write("c", "x") +
                            ", key: " + dir.write("k", "x") +
                            "}\nclient_auth:\n  - {principal: robot, bearer: {env: S}}\n  - {" + acme_jwt +
                            "}\n  - mtls: {ca_file: " + dir.write("ca", "x") +
                            ", principal: cn}\n  - header: {name: X-User, groups: X-Groups}\n",
                        secrets);
    REQUIRE(c.client_auth.size() == 4);
    CHECK(c.client_auth[1].name == "idp.acme.example");
    CHECK(c.client_auth[1].jwt.algorithms == std::vector<std::string>{"RS256", "ES256", "EdDSA"});
    CHECK(c.client_auth[1].jwt.leeway == std::chrono::seconds(30));
    CHECK(c.client_auth[2].mtls.principal == certificate_name::cn);
    CHECK(c.client_auth[3].header.groups == "X-Groups");
    CHECK(may_call(c.client_auth, "robot"));
    CHECK(may_call(c.client_auth, "idp.acme.example/ada"));
    CHECK(may_call(c.client_auth, "mtls/Ada"));
    CHECK_FALSE(may_call(c.client_auth, "idp.acme.example/"));
    CHECK_FALSE(may_call(c.client_auth, "idp.acme.example.evil/ada"));
    CHECK_FALSE(may_call(c.client_auth, "local"));
}

TEST_CASE("an entry of client_auth that nobody could check is an error that says what to write") {
    CHECK(has(bad(with_callers("{jwt: {audience: x}}")), "jwt.issuer is missing"));
    CHECK(has(bad(with_callers("{jwt: {issuer: https://i.example}}")), "jwt.audience is missing"));
    CHECK(
        has(bad(with_callers("{jwt: {issuer: http://i.example, audience: x}}")), "jwt.issuer is not usable"));
    CHECK(has(bad(with_callers("{jwt: {issuer: https://i.example, audience: x, algorithms: [HS256]}}")),
              "signed with a shared secret, are never taken"));
    CHECK(has(bad(with_callers("{jwt: {issuer: https://i.example, audience: x, algorithms: [none]}}")),
              "RS256"));
    CHECK(has(bad(with_callers("{jwt: {issuer: https://i.example, audience: x, leeway: 1h}}")),
              "more than 5m"));
    CHECK(has(bad(with_callers("{bearer: {env: S}, " + acme_jwt + "}"), secrets), "an entry of its own"));
    CHECK(has(bad(with_callers("{principal: ada, " + acme_jwt + "}")), "principal is for a bearer"));
    CHECK(has(bad(with_callers("{mtls: {}}")), "ca_file is missing"));
    given::directory dir;
    CHECK(has(bad(with_callers("{mtls: {ca_file: " + dir.write("ca", "x") + "}}")), "mtls needs `tls:"));
    CHECK(has(bad(with_callers("{header: {name: X-User}}")), "anybody who connects could say who they are"));
    CHECK(has(bad(with_callers("{header: {name: Host}}")), "a meaning of its own"));
    CHECK(has(bad(with_callers("{header: {name: X-User, secret: {name: X-Gate, value: short}}}")),
              "16 characters"));
    CHECK(has(bad(with_callers("{jwtt: {issuer: https://i.example}}")), "did you mean 'jwt'?"));
}

TEST_CASE("no two entries can name the same principal") {
    const std::string two =
        "[{" + acme_jwt + "}, {jwt: {issuer: https://idp.acme.example/other, audience: x}";
    CHECK(has(bad(with_callers(two + "}]")), "give one a `name` of its own"));
    CHECK(good(with_callers(two + ", name: other}]")).client_auth[1].name == "other");
    CHECK(has(bad(with_callers("[{" + acme_jwt + "}, {principal: idp.acme.example/ada, bearer: {env: S}}]"),
                  secrets),
              "call it otherwise"));
    CHECK(has(bad(with_callers("{name: a/b, " + acme_jwt + "}")), "without '/'"));
}

TEST_CASE("an upstream is used as its caller where callers show tokens, and only there") {
    const auto c = good(
        used_by_callers("grant: token_exchange, exchange: {identity_provider: acme, audience: x}"), secrets);
    CHECK(c.upstreams[0].acts_as_caller());
    CHECK(c.upstreams[0].exchanges_at_named_server());
    const auto minted = "grant: enterprise, identity_provider: acme";
    CHECK(good(used_by_callers(minted), secrets).upstreams[0].subject == exchange_subject::caller);
    CHECK(good(used_by_callers(minted, ""), secrets).upstreams[0].subject == exchange_subject::session);
    CHECK(good(used_by_callers(minted + std::string(", subject: session")), secrets).upstreams[0].subject ==
          exchange_subject::session);
    CHECK(has(bad(used_by_callers("grant: token_exchange", ""), secrets),
              "no caller shows one: add client_auth: {jwt:"));
    CHECK(has(bad(used_by_callers(minted + std::string(", subject: caller"), ""), secrets),
              "no caller shows one"));
    CHECK(has(bad(used_by_callers("exchange: {audience: x}"), secrets), "only for grant: token_exchange"));
    CHECK(has(bad(used_by_callers("fallback: interactive"), secrets), "only for grant: token_exchange"));
    CHECK(has(bad(used_by_callers("grant: token_exchange, exchange: {identity_provider: acm}"), secrets),
              "did you mean 'acme'"));
    CHECK(has(bad(used_by_callers("grant: token_exchange, exchange: {token_endpoint: https://s.example/t}"),
                  secrets),
              "needs client: {id:"));
}

TEST_CASE(
    "names of principals are told apart by every byte, and hold nothing that means something elsewhere") {
    CHECK(principal_name("a", "ada@acme.example") == "a/ada@acme.example");
    CHECK(principal_name("a", "a|b c\"\\{}%?#&=\n\x80") == "a/a%7Cb%20c%22%5C%7B%7D%25%3F%23%26%3D%0A%80");
    CHECK(principal_name("a", "a%7Cb") != principal_name("a", "a|b"));
}
