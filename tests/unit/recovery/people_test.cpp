// People who sign in to the page: sent to the company's provider, named as callers are, and over in time.
#include "core/crypto/jose.hpp"
#include "core/text/encoding.hpp"
#include "tests/support/text.hpp"
#include "tests/unit/recovery/recovery_world.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct signing_world : recovery_world {
    secret key = generate_ec_jwk().value();
    json more_claims = json::object();
    std::string state, nonce;
    std::chrono::seconds provider_ahead{0}; ///< its clock

    explicit signing_world(
        const std::string& sign_in = "operators: {group: [admins, root]}, idle: 10m, lifetime: 1h")
        : recovery_world(
              "url: \"" + mcp_url + "\"",
              "client_auth: {name: acme, jwt: {issuer: \"https://idp.example\", audience: gate}}\n"
              "identity_providers: {acme: {issuer: \"https://idp.example\", client: {id: gate}}}\n",
              "sign_in: {identity_provider: acme, " + sign_in + "}") {
        network.on("https://idp.example/.well-known/openid-configuration", 200,
                   R"({"issuer":"https://idp.example","jwks_uri":"https://idp.example/jwks",)"
                   R"("authorization_endpoint":"https://idp.example/authorize","token_endpoint":)"
                   R"("https://idp.example/token","code_challenge_methods_supported":["S256"]})");
        network.on("https://idp.example/jwks", 200,
                   json{{"keys", json::array({public_jwk(key).value()})}}.dump());
        network.on("https://idp.example/token", [this](const http_request&) {
            const auto at = (now + provider_ahead).time_since_epoch() / 1s;
            json claims{{"iss", "https://idp.example"},
                        {"aud", "gate"},
                        {"sub", "ada"},
                        {"nonce", nonce},
                        {"iat", at},
                        {"exp", at + 300}};
            claims.update(more_claims);
            http_response r;
            r.status = 200;
            r.body = json{{"access_token", "a"},
                          {"token_type", "Bearer"},
                          {"id_token", sign_jwt(key, "ES256", json::object(), claims).value()}}
                         .dump();
            return r;
        });
        start();
    }
    std::string value_in(const std::string& url, const std::string& name) const {
        const auto fields = parse_form(url.substr(url.find('?') + 1));
        return std::string(form_value(fields, name).value_or(""));
    }
    page_sign_in begin_at(const std::string& to) {
        auto begun = wait(manager->people().begin_page_sign_in(to));
        REQUIRE(begun.has_value());
        nonce = value_in(begun->location, "nonce");
        CHECK(value_in(begun->location, "state") == begun->state);
        return *begun;
    }
    result<page_person> come_back(const page_sign_in& begun, const std::string& binding) {
        authorization_callback back;
        back.code = "code";
        back.state = begun.state;
        return wait(manager->people().finish_page_sign_in(back, binding));
    }
    page_person sign_in() {
        const auto begun = begin_at("/");
        auto who = come_back(begun, std::string(begun.browser_binding.reveal()));
        REQUIRE(who.has_value());
        return *who;
    }
};

} // namespace

TEST_CASE("who signs in to the page is called as they are when they call, and comes back where they wanted") {
    signing_world w;
    CHECK(w.manager->people().people_sign_in());
    const auto begun = w.begin_at("/a/some-link");
    CHECK(w.value_in(begun.location, "scope") == "openid profile email");
    CHECK(w.value_in(begun.location, "redirect_uri") == "http://127.0.0.1:8971/oauth/callback");
    CHECK(w.value_in(begun.location, "code_challenge_method") == "S256");
    CHECK(w.wait(w.manager->people().page_sign_in_of(begun.state)) == "/a/some-link");
    CHECK_FALSE(w.wait(w.manager->people().page_sign_in_of("another")));
    w.more_claims = {{"email", "ada@acme.example"}, {"sid", "s1"}, {"groups", {"staff"}}};
    const auto who = w.come_back(begun, std::string(begun.browser_binding.reveal()));
    REQUIRE(who.has_value());
    CHECK(who->principal == "acme/ada");
    CHECK(who->shown == "ada@acme.example");
    CHECK(who->session == "s1");
    CHECK_FALSE(who->operates);
    CHECK_FALSE(w.manager->people().over(*who));
    // one use
    CHECK_FALSE(w.come_back(begun, std::string(begun.browser_binding.reveal())).has_value());
}

TEST_CASE("a sign-in that another browser has begun, or whose token has another nonce, is nobody's") {
    signing_world w;
    CHECK_FALSE(w.come_back(w.begin_at("/"), "another").has_value());
    w.more_claims = {{"nonce", "another"}};
    const auto begun = w.begin_at("/");
    CHECK_FALSE(w.come_back(begun, std::string(begun.browser_binding.reveal())).has_value());
}

TEST_CASE("whoever is in a group of operators is one") {
    signing_world w;
    w.more_claims = {{"groups", {"staff", "root"}}};
    CHECK(w.sign_in().operates);
    w.more_claims = {{"groups", "administrators"}};
    CHECK_FALSE(w.sign_in().operates);
}

TEST_CASE("a claim that does not come is told, with what to change") {
    signing_world w("principal: employee_id");
    const auto begun = w.begin_at("/");
    const auto who = w.come_back(begun, std::string(begun.browser_binding.reveal()));
    REQUIRE_FALSE(who.has_value());
    CHECK(has(who.error().describe(), "employee_id"));
    CHECK(has(who.error().describe(), "approval.sign_in.scopes"));
}

TEST_CASE("a session at the page ends unused, at its time, with the identity, and at the sign-out") {
    signing_world w;
    const auto& people = w.manager->people();
    auto who = w.sign_in();
    SECTION("unused") {
        w.now += 9min;
        CHECK_FALSE(people.over(who));
        w.now += 2min;
        CHECK(people.over(who));
    }
    SECTION("at its time, however it is used") {
        w.now += 61min;
        who.seen = w.now;
        CHECK(people.over(who));
    }
    SECTION("with the identity") {
        w.now += 1s;
        REQUIRE(w.wait(w.manager->persons().end_identity("acme/ada", "operator")).has_value());
        CHECK(people.over(who));
        w.now += 1s;
        CHECK_FALSE(people.over(w.sign_in())); // signed in again
    }
    SECTION("at the sign-out: this one alone") {
        auto other = w.sign_in();
        w.wait([](credential_manager& m, page_person p) -> task<bool> {
            co_await m.people().end_page_session(std::move(p));
            co_return true;
        }(*w.manager, who));
        CHECK(people.over(who));
        CHECK_FALSE(people.over(other));
    }
    SECTION("another replica's clock may be behind") {
        w.now -= 4min;
        CHECK_FALSE(people.over(who));
        w.now -= 4min;
        CHECK(people.over(who)); // that no clock explains
    }
}

TEST_CASE("what the provider ends is compared by its clock, whatever ours says") {
    signing_world w;
    w.provider_ahead = -90s; // ours is ahead
    const auto who = w.sign_in();
    identity_event ended;
    ended.id = "e";
    ended.change = identity_change::ended;
    ended.what = "session-revoked";
    ended.at = w.now - 80s; // ten seconds later, by the provider's
    ended.about.push_back({"https://idp.example", "ada", "", ""});
    REQUIRE(w.wait(w.manager->identities().heard(ended, "https://idp.example")).has_value());
    CHECK(w.manager->people().over(who));
    w.now += 20s;
    CHECK_FALSE(w.manager->people().over(w.sign_in()));
}

TEST_CASE("a provider that is down lets nobody in, and everybody stay") {
    signing_world w;
    const auto who = w.sign_in();
    w.now += 5min;
    w.network.on("https://idp.example/token", 503, "");
    const auto begun = w.begin_at("/"); // its metadata is known yet
    const auto refused = w.come_back(begun, std::string(begun.browser_binding.reveal()));
    REQUIRE_FALSE(refused.has_value());
    CHECK(has(refused.error().message, "identity provider acme"));
    CHECK_FALSE(w.manager->people().over(who));
}
