// Step-up through the organisation: silent, confirmed on the page, or denied, as the policy says.
#include "enterprise_fixture.hpp"

#include "tests/support/text.hpp"

using namespace enterprise_test;
using reauth::test::has;

namespace {

organisation_options with_rule(const std::string& action) {
    organisation_options o;
    o.policy = "  - {name: the rule, match: {reason: insufficient_scope}, action: " + action + "}\n";
    return o;
}

} // namespace

TEST_CASE("a silent rule steps up without a person", "[enterprise]") {
    organisation acme(with_rule("silent"));
    auto session = acme.signed_in();
    CHECK(session.call("publish", {{"text", "hi"}}).has_value());
    CHECK(acme.idp->server().counters().authorizations == 1);
    auto scopes = acme.api("GET", "/api/credentials")["credentials"][0]["scopes"];
    CHECK(scopes == json({"mcp:tools", "notes:write"}));
}

TEST_CASE("a confirm rule asks, then mints without leaving the page", "[enterprise]") {
    organisation acme(with_rule("confirm"));
    auto session = acme.signed_in();
    auto call = std::async(std::launch::async, [&] { return session.call("publish", {{"text", "hi"}}); });
    auto question = acme.approval();
    CHECK(question["kind"] == "step_up");
    CHECK(question["needs_operator"] == true);
    CHECK(question["scopes"]["added"] == json({"notes:write"}));
    CHECK(acme.approve(question) == R"({"status":"done"})");
    CHECK(call.get().has_value());
    CHECK(acme.idp->server().counters().authorizations == 1);
}

TEST_CASE("a confirmation that is remembered is not asked for again, until it is revoked", "[enterprise]") {
    organisation acme(with_rule("confirm"));
    auto session = acme.signed_in();
    const auto publish = [&] { return session.call("publish", {{"text", "hi"}}); };
    auto call = std::async(std::launch::async, publish);
    const auto question = acme.approval();
    CHECK(question["rememberable"] == true);
    const auto id = question["id"].get<std::string>();
    const auto said = acme.api("POST", "/api/approvals/" + id + "/approve", {{"remember", true}});
    CHECK(said["remembered"] == true);
    CHECK(call.get().has_value());
    const auto rules = acme.api("GET", "/api/rules")["rules"];
    REQUIRE(rules.size() == 1);
    CHECK(rules[0]["scopes"] == json({"notes:write"}));
    CHECK(has(rules[0]["rule"].get<std::string>(), "action: silent"));
    CHECK(has(rules[0]["rule"].get<std::string>(), "notes:write"));
    // signed out and in again, the same is needed again
    acme.api("POST", "/api/logout", {{"upstream", "app0"}});
    CHECK(publish().has_value());
    CHECK(acme.api("GET", "/api/approvals")["approvals"].empty());
    CHECK(acme.api("POST", "/api/rules/" + rules[0]["id"].get<std::string>() + "/revoke")["status"] ==
          "done");
    CHECK(acme.api("GET", "/api/rules")["rules"].empty());
    acme.api("POST", "/api/logout", {{"upstream", "app0"}});
    auto again = std::async(std::launch::async, publish);
    const auto asked = acme.approval();
    CHECK(asked["kind"] == "step_up");
    acme.approve(asked);
    CHECK(again.get().has_value());
}

TEST_CASE("a confirmed step-up whose session is gone goes on as a login", "[enterprise]") {
    organisation acme(with_rule("confirm"));
    auto session = acme.signed_in();
    auto call = std::async(std::launch::async, [&] { return session.call("publish", {{"text", "hi"}}); });
    auto question = acme.approval();
    acme.idp->server().kill_sessions();
    acme.idp->refuse_exchanges("invalid_grant", "The session has ended.");
    auto answer = acme.api("POST", "/api/approvals/" + question["id"].get<std::string>() + "/approve");
    REQUIRE(answer["status"] == "redirect");
    acme.idp->refuse_exchanges("", "");
    REQUIRE(demo_browse(answer["location"].get<std::string>()).has_value());
    CHECK(call.get().has_value());
    CHECK(acme.idp->server().counters().authorizations == 2);
}

TEST_CASE("a deny rule answers at once and names itself", "[enterprise]") {
    organisation acme(with_rule("deny"));
    auto session = acme.signed_in();
    auto minted = acme.as->counters().jwt_bearers;
    auto refused = session.call("publish", {{"text", "hi"}});
    REQUIRE_FALSE(refused.has_value());
    CHECK_THAT(refused.error().message, Catch::Contains("the rule"));
    CHECK(acme.as->counters().jwt_bearers == minted);
    CHECK(session.call("echo", {{"text", "hi"}}).has_value());
}

TEST_CASE("an organisation that grants less ends the step-up with the reason, not in a loop",
          "[enterprise]") {
    auto o = with_rule("silent");
    o.allowed_scopes = scope_set{"mcp:tools"};
    organisation acme(o);
    auto session = acme.signed_in();
    auto minted = acme.as->counters().jwt_bearers;
    auto refused = session.call("publish", {{"text", "hi"}});
    REQUIRE_FALSE(refused.has_value());
    CHECK_THAT(refused.error().message, Catch::Contains("notes:write") && Catch::Contains("not granted"));
    CHECK(acme.as->counters().jwt_bearers == minted + 1);
    CHECK(session.call("echo", {{"text", "hi"}}).has_value());
}

TEST_CASE("a fresh sign-in that an upstream wants is asked of the identity provider, in its own words",
          "[enterprise]") {
    for (const std::string acr : {"mfa", "pwd"}) {
        auto options = with_rule("silent");
        options.acr = acr;
        organisation acme(options);
        auto session = acme.signed_in();
        demo_mcp_faults faults;
        auto wanted = std::make_shared<std::atomic<bool>>(true);
        faults.patch_challenge = [wanted](unsigned, std::string& challenge) { // RFC 9470 section 3
            if (wanted->exchange(false))
                challenge =
                    R"(Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="0")";
        };
        acme.servers[0]->set_faults(faults);
        auto call = std::async(std::launch::async, [&] { return session.call("publish", {{"text", "hi"}}); });
        const auto question = acme.approval();
        CHECK(question["kind"] == "idp_login");
        CHECK(question["authentication"]["acr_values"] == "mfa");
        const auto answer =
            acme.api("POST", "/api/approvals/" + question["id"].get<std::string>() + "/approve");
        const auto location = answer["location"].get<std::string>();
        CHECK(has(location, "acr_values=mfa"));
        CHECK(has(location, "max_age=0"));
        REQUIRE(demo_browse(location).has_value());
        CHECK(call.get().has_value() == (acr == "mfa")); // a sign-in of another kind will not do
    }
}
