// Acting as whoever calls: the caller's token exchanged for one of the server's (RFC 8693).
#include "tests/integration/company_fixture.hpp"

#ifdef REAUTH_POSTGRES
#include "proxy/vault/postgres_connection.hpp"

#include <cstdlib>
#endif

using namespace relay_test;

namespace {

const std::string exchanging =
    "grant: token_exchange, exchange: {identity_provider: acme, audience: mcp-server}";

struct exchanging_house {
    company acme;
    running_proxy proxy;
    explicit exchanging_house(const std::string& more = {}, const std::string& upstream = exchanging)
        : proxy(acme.client_auth() + acme.provider() + more +
                running_proxy::upstream(acme.server_url(), upstream)) {}

    message call(const std::string& token) const { return call_with(proxy, company::shown(token)); }
    std::string who(const std::string& token) const {
        const auto back = call(token).parsed();
        return back.contains("result") ? back["result"]["who"].get<std::string>() : back.dump();
    }
    std::string code(const std::string& token) const {
        const auto back = call(token).parsed();
        return back.contains("error") ? back["error"]["data"]["code"].get<std::string>() : back.dump();
    }
};

std::string value_of(const form_fields& form, const std::string& name) {
    for (const auto& [key, value] : form)
        if (key == name)
            return value;
    return {};
}

} // namespace

TEST_CASE("each caller's token is exchanged for its own, once, and never used for another", "[exchange]") {
    exchanging_house house;
    const auto ada = house.acme.token("ada"), grace = house.acme.token("grace");
    for (int i = 0; i < 5; ++i) {
        CHECK(house.who(ada) == "ada");
        CHECK(house.who(grace) == "grace");
    }
    CHECK(house.acme.exchanges == 2);
    const auto form = house.acme.last_exchange();
    CHECK(value_of(form, "grant_type") == "urn:ietf:params:oauth:grant-type:token-exchange");
    CHECK(value_of(form, "subject_token") == grace);
    CHECK(value_of(form, "subject_token_type") == "urn:ietf:params:oauth:token-type:access_token");
    CHECK(value_of(form, "audience") == "mcp-server");
    CHECK(value_of(form, "resource") == house.acme.server_url());
    CHECK(value_of(form, "requested_token_type").empty());
}

TEST_CASE("what came of a token ends with it, and the next token brings the next one", "[exchange]") {
    exchanging_house house;
    CHECK(house.who(house.acme.token("ada", std::chrono::seconds(2))) == "ada");
    const auto all = json::parse(house.proxy.api("GET", "credentials").body)["credentials"];
    REQUIRE(all.size() == 1);
    CHECK(all[0]["principal"] == "acme/ada");
    const auto next = house.acme.token("ada", std::chrono::seconds(60));
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (house.acme.exchanges == 1 && std::chrono::steady_clock::now() < until)
        CHECK(house.who(next) == "ada");
    CHECK(house.acme.exchanges == 2);
}

TEST_CASE("a server that takes what was exchanged no longer gets another, and the request its answer",
          "[exchange]") {
    exchanging_house house;
    const auto ada = house.acme.token("ada");
    CHECK(house.who(ada) == "ada");
    house.acme.kill_tokens();
    CHECK(house.who(ada) == "ada");
    CHECK(house.acme.exchanges == 2);
}

TEST_CASE("an exchange that is refused is an error, unless a person could help and may be asked",
          "[exchange]") {
    SECTION("refused for good") {
        exchanging_house house;
        house.acme.refuse_exchanges("invalid_grant");
        CHECK(house.code(house.acme.token("ada")) == "reauth_failed");
    }
    SECTION("interaction is required, and nobody may be asked") {
        exchanging_house house;
        house.acme.refuse_exchanges("interaction_required");
        CHECK(house.code(house.acme.token("ada")) == "reauth_failed");
        CHECK(house.proxy.approvals().empty());
    }
    SECTION("interaction is required, and the person is asked for the ordinary login") {
        exchanging_house house({}, exchanging + ", fallback: interactive");
        const auto* error = GENERATE("interaction_required", "consent_required", "invalid_target");
        house.acme.refuse_exchanges(error);
        auto client = house.proxy.connect();
        client.send(house.proxy.request("POST /up", json_fields + company::shown(house.acme.token("ada")),
                                        rpc(1, "tools/call", {{"name", "t"}}).dump()));
        const auto waiting = house.proxy.approval();
        CHECK(waiting["kind"] == "login");
        CHECK(waiting["principal"] == "acme/ada");
        // who has it by itself meanwhile is not asked
        house.acme.refuse_exchanges("");
        CHECK(house.who(house.acme.token("grace")) == "grace");
    }
    SECTION("what a person can't help is no question, either") {
        exchanging_house house({}, exchanging + ", fallback: interactive");
        house.acme.refuse_exchanges("unauthorized_client");
        CHECK(house.code(house.acme.token("ada")) == "reauth_failed");
        CHECK(house.proxy.approvals().empty());
    }
}

TEST_CASE("who calls with a bearer of ours has no token that could be exchanged", "[exchange]") {
    company acme;
    running_proxy proxy(
        "client_auth: [{principal: robot, bearer: token-of-the-robot-1}, {name: acme, jwt: {issuer: \"" +
        acme.issuer() + "\", audience: gate}}]\n" + acme.provider() +
        running_proxy::upstream(acme.server_url(), exchanging));
    const auto back = call_with(proxy, "Authorization: Bearer token-of-the-robot-1\r\n").parsed();
    CHECK(back["error"]["data"]["code"] == "reauth_failed");
    CHECK(has(back["error"]["message"].get<std::string>(), "robot has shown no token"));
    CHECK(acme.exchanges == 0);
}

TEST_CASE("an exchange may be at the server's own authorization server, or at one that is named",
          "[exchange]") {
    company acme;
    std::string how = "grant: token_exchange, client: {id: gate, secret: gate-secret-1}";
    SECTION("its own") {
        how += "";
    }
    SECTION("a named one, with somebody who acts") {
        how += ", exchange: {token_endpoint: \"" + acme.issuer() +
               "/token\", actor: actor.header.signature, " +
               "requested_token_type: \"urn:ietf:params:oauth:token-type:jwt\"}";
    }
    running_proxy proxy(acme.client_auth() + running_proxy::upstream(acme.server_url(), how));
    CHECK(call_with(proxy, company::shown(acme.token("ada"))).parsed()["result"]["who"] == "ada");
    if (how.find("actor") != how.npos) {
        CHECK(value_of(acme.last_exchange(), "actor_token") == "actor.header.signature");
        CHECK(value_of(acme.last_exchange(), "actor_token_type") == "urn:ietf:params:oauth:token-type:jwt");
    }
}

TEST_CASE("more principals than are kept in memory: each finds its own again, and exchanges nothing anew",
          "[exchange]") {
    exchanging_house house("limits: {principals: 3}\n");
    std::vector<std::string> tokens;
    for (int i = 0; i < 12; ++i)
        tokens.push_back(house.acme.token("p" + std::to_string(i)));
    for (int i = 0; i < 12; ++i)
        CHECK(house.who(tokens[static_cast<std::size_t>(i)]) == "p" + std::to_string(i));
    CHECK(house.proxy.await("principals", 3) <= 3);
    for (int i = 0; i < 12; ++i)
        CHECK(house.who(tokens[static_cast<std::size_t>(i)]) == "p" + std::to_string(i));
    CHECK(house.acme.exchanges == 12);
}

#ifdef REAUTH_POSTGRES
TEST_CASE("what one replica has exchanged for a caller another uses; a sign-out at one ends it at both "
          "(PostgreSQL)",
          "[exchange]") {
    const char* dsn = std::getenv("REAUTH_TEST_DSN");
    if (dsn == nullptr)
        FAIL("no PostgreSQL: run this by `./dev integration`, or under tests/fleet/with_postgres");
    company acme;
    postgres_connection cleaner(secret(dsn), {});
    REQUIRE(cleaner.script("DROP TABLE IF EXISTS mcp_reauth_records, mcp_reauth_properties").has_value());
    const auto yaml =
        acme.client_auth() + acme.provider() + running_proxy::upstream(acme.server_url(), exchanging);
    const auto shared = [&](config& c) {
        c.vault.backend = vault_backend::postgres;
        c.vault.dsn = secret(dsn);
        c.vault.key = secret(std::string(32, 'k'));
    };
    const running_proxy one(yaml, shared), two(yaml, shared);
    const auto ada = company::shown(acme.token("ada")), grace = company::shown(acme.token("grace"));
    const auto who = [](const running_proxy& at, const std::string& as) {
        return call_with(at, as).parsed()["result"]["who"];
    };
    CHECK(who(one, ada) == "ada");
    CHECK(who(two, ada) == "ada");
    CHECK(who(two, grace) == "grace");
    CHECK(who(one, grace) == "grace");
    CHECK(acme.exchanges == 2);
    const auto said = one.api("POST", "logout", R"({"upstream":"up","principal":"acme/ada"})");
    INFO(said.body);
    CHECK(said.status == 200);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (acme.exchanges == 2 && std::chrono::steady_clock::now() < until)
        CHECK(who(two, ada) == "ada");
    CHECK(acme.exchanges == 3);
    CHECK(who(two, grace) == "grace");
    CHECK(acme.exchanges == 3);
}
#endif
