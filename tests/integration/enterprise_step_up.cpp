// Step-up through the organisation: silent, confirmed on the page, or denied, as the policy says.
#include "enterprise_fixture.hpp"

using namespace enterprise_test;

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
