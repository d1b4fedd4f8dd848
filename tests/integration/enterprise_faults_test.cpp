// Enterprise-managed authorization when something is down, refused, expired, narrower or late.
#include "enterprise_fixture.hpp"

using namespace enterprise_test;

TEST_CASE("the identity provider is down during a re-mint: the client is told, nothing is lost",
          "[enterprise]") {
    organisation acme({});
    auto session = acme.signed_in();
    acme.as->kill_access_tokens();
    demo_authorization_faults faults;
    faults.unavailable_next = 1000;
    acme.idp->server().set_faults(faults);
    auto refused = session.call("echo", {{"text", "hi"}});
    REQUIRE_FALSE(refused.has_value());
    CHECK_THAT(refused.error().message, Catch::Contains("identity provider acme"));
    CHECK(acme.api("GET", "/api/approvals")["approvals"].empty());
    auto held = acme.api("GET", "/api/credentials");
    CHECK(held["idp_sessions"].size() == 1);
    CHECK(held["credentials"][0]["held"] == true);
    CHECK(held["credentials"][0]["last_outcome"] == "authorization_server_unavailable");
    acme.idp->server().set_faults({});
    CHECK(session.call("echo", {{"text", "hi"}}).has_value());
    CHECK(acme.idp->server().counters().authorizations == 1);
}

TEST_CASE("an expired ID token is renewed with the IdP's refresh token, once for all upstreams",
          "[enterprise]") {
    organisation_options o;
    o.upstreams = 3;
    o.id_token_lifetime = std::chrono::seconds(30); // less than the margin: always to be renewed
    organisation acme(o);
    acme.signed_in(0);
    std::vector<demo_client_session> sessions;
    for (std::size_t i = 0; i < 3; ++i) {
        sessions.push_back(acme.client(i));
        REQUIRE(sessions.back().open().has_value());
    }
    acme.as->kill_access_tokens();
    std::vector<std::future<std::string>> calls;
    for (auto& s : sessions)
        calls.push_back(std::async(std::launch::async, [&s] {
            const auto said = s.call("echo", {{"text", "hi"}});
            return said ? std::string("answered") : said.error().describe();
        }));
    for (auto& c : calls)
        CHECK(c.get() == "answered");
    auto seen = acme.idp->server().counters();
    CHECK(seen.refreshes > 0);
    CHECK(seen.refresh_reuses == 0);
    CHECK(seen.authorizations == 1);
}

TEST_CASE("an expired ID token without a refresh token asks for one login", "[enterprise]") {
    organisation_options o;
    o.id_token_lifetime = std::chrono::seconds(7); // good for two: one that ends within 5 s is not sent
    organisation acme(o);
    demo_authorization_faults faults;
    faults.no_refresh_token = true;
    acme.idp->server().set_faults(faults);
    auto session = acme.signed_in();
    std::atomic<bool> asked{false};
    auto calls = std::async(std::launch::async, [&] {
        bool all = true;
        while (!asked) {
            acme.as->kill_access_tokens();
            all = session.call("echo", {{"text", "hi"}}).has_value() && all;
        }
        return all;
    });
    auto question = acme.approval();
    asked = true;
    CHECK(question["kind"] == "idp_login");
    acme.approve(question);
    CHECK(calls.get());
    CHECK(acme.idp->server().counters().authorizations == 2);
    CHECK(acme.as->counters().authorizations == 0);
}

TEST_CASE("an ID token from a clock far behind lives as long as its issuer meant", "[enterprise]") {
    organisation_options o;
    o.id_token_lifetime = std::chrono::minutes(3);
    o.clock_offset = std::chrono::minutes(-4); // by our clock it ended before it was made
    organisation acme(o);
    demo_authorization_faults faults;
    faults.no_refresh_token = true;
    acme.idp->server().set_faults(faults);
    auto session = acme.signed_in();
    acme.as->kill_access_tokens();
    CHECK(session.call("echo", {{"text", "hi"}}).has_value());
    CHECK(acme.idp->server().counters().authorizations == 1);
}

TEST_CASE("a session that the identity provider ended asks for one login, not for the upstream's own",
          "[enterprise]") {
    organisation acme({});
    auto session = acme.signed_in();
    acme.as->kill_access_tokens();
    acme.idp->server().kill_sessions();
    acme.idp->refuse_exchanges("invalid_grant", "The session has ended.");
    auto call = std::async(std::launch::async, [&] { return session.call("echo", {{"text", "hi"}}); });
    auto question = acme.approval();
    CHECK(question["kind"] == "idp_login");
    acme.idp->refuse_exchanges("", "");
    acme.approve(question);
    CHECK(call.get().has_value());
    CHECK(acme.idp->server().counters().authorizations == 2);
    CHECK(acme.as->counters().authorizations == 0);
}

TEST_CASE("the authorization server refuses the ID-JAG: the client learns it, and nobody is sent to a login",
          "[enterprise]") {
    organisation acme({});
    auto session = acme.signed_in();
    acme.as->kill_access_tokens();
    demo_authorization_faults faults;
    faults.invalid_grant_next = 1;
    acme.as->set_faults(faults);
    auto refused = session.call("echo", {{"text", "hi"}});
    REQUIRE_FALSE(refused.has_value());
    CHECK_THAT(refused.error().message, Catch::Contains("authorization server of app0"));
    CHECK(acme.api("GET", "/api/approvals")["approvals"].empty());
    CHECK(session.call("echo", {{"text", "hi"}}).has_value());
}

TEST_CASE("the authorization server refuses our client: the client learns it", "[enterprise]") {
    organisation acme({});
    auto session = acme.signed_in();
    acme.as->kill_access_tokens();
    demo_authorization_faults faults;
    faults.invalid_client_next = 1;
    acme.as->set_faults(faults);
    auto refused = session.call("echo", {{"text", "hi"}});
    REQUIRE_FALSE(refused.has_value());
    CHECK_THAT(refused.error().message, Catch::Contains("refuse the client"));
    CHECK(acme.api("GET", "/api/approvals")["approvals"].empty());
    CHECK(session.call("echo", {{"text", "hi"}}).has_value());
}

TEST_CASE("what the organisation refuses is told in its words and ends the recovery", "[enterprise]") {
    for (const std::string error :
         {"access_denied", "invalid_target", "insufficient_user_authentication", "interaction_required"}) {
        organisation acme({});
        auto session = acme.signed_in();
        acme.as->kill_access_tokens();
        acme.idp->refuse_exchanges(error, "Ask the <b>wiki team</b> for access.");
        auto refused = session.call("echo", {{"text", "hi"}});
        REQUIRE_FALSE(refused.has_value());
        CHECK_THAT(refused.error().message, Catch::Contains("Ask the <b>wiki team</b> for access."));
        CHECK(acme.api("GET", "/api/approvals")["approvals"].empty());
    }
}

TEST_CASE("a refusal after the login is shown to the person, escaped", "[enterprise]") {
    organisation acme({});
    acme.idp->refuse_exchanges("access_denied", "Ask the <b>wiki team</b> for access.");
    auto opened = std::async(std::launch::async, [&] { return acme.client().open(); });
    auto page = acme.approve(acme.approval());
    CHECK_THAT(page, Catch::Contains("wiki team") && !Catch::Contains("<b>wiki"));
    CHECK_FALSE(opened.get().has_value());
}

TEST_CASE("clocks that are five minutes apart change nothing", "[enterprise]") {
    for (auto offset : {std::chrono::minutes(-5), std::chrono::minutes(5)}) {
        organisation_options o;
        // the id token's own clock checks allow for just that much
        o.clock_offset =
            offset - (offset > offset.zero() ? std::chrono::seconds(2) : std::chrono::seconds(-2));
        organisation acme(o);
        auto session = acme.signed_in();
        acme.as->kill_access_tokens();
        CHECK(session.call("echo", {{"text", "hi"}}).has_value());
    }
}

TEST_CASE("an ID token that the provider refuses once is renewed and minted from", "[enterprise]") {
    organisation_options o;
    o.supplied_id_token = false;
    organisation acme(o);
    auto session = acme.signed_in();
    acme.as->kill_access_tokens();
    demo_authorization_faults faults;
    faults.invalid_grant_next = 1;
    acme.idp->server().set_faults(faults);
    CHECK(session.call("echo", {{"text", "hi"}}).has_value());
    CHECK(acme.idp->server().counters().authorizations == 1);
    CHECK(acme.idp->server().counters().refreshes == 1);
}
