// The approval API as the CLI and the dashboard use it.
#include "approval_fixture.hpp"

#include "tests/support/catch.hpp"

using namespace approval_test;

TEST_CASE("the API lists what waits, in the documented shape, without any secret but the link") {
    listener_fixture f;
    f.open();
    const auto got = f.api("GET", "approvals");
    REQUIRE(got.status == 200);
    const auto list = got.json()["approvals"];
    REQUIRE(list.size() == 1);
    const auto& a = list[0];
    CHECK(a["id"] == "aaaa");
    CHECK(a["status"] == "pending");
    CHECK(a["kind"] == "step_up");
    CHECK(a["upstream"] == "github");
    CHECK(a["reason"] == "insufficient_scope");
    CHECK(a["scopes"] ==
          nlohmann::json({{"granted", {"read"}}, {"requested", {"read", "write"}}, {"added", {"write"}}}));
    CHECK(a["tool"] == "create_issue");
    CHECK(a["method"] == "tools/call");
    CHECK(a["principal"] == "local");
    CHECK(a["created_at"] == "2027-01-15T08:00:00Z");
    CHECK(a["expires_at"] == "2027-01-15T08:15:00Z");
    CHECK(a["link"].get<std::string>().ends_with(page));
}

TEST_CASE("approve gives the same location each time, and is not bound to a browser") {
    listener_fixture f;
    f.open();
    for (int i = 0; i < 2; ++i) {
        const auto got = f.api("POST", "approvals/aaaa/approve");
        CHECK(got.status == 200);
        CHECK(got.json() == nlohmann::json({{"status", "redirect"}, {"location", f.actions.location}}));
        CHECK(got.header("Set-Cookie").empty());
    }
    CHECK(f.actions.last_approver == approver::operator_token);
    CHECK_FALSE(f.actions.last_from_page);
    CHECK(f.api("GET", "approvals/aaaa").json()["status"] == "authorizing");
}

TEST_CASE("what needs no provider visit is done for the operator, then conflicts with the outcome") {
    listener_fixture f;
    f.open([](approval& a) { a.completes_without_login = true; });
    CHECK(f.api("POST", "approvals/aaaa/approve").json() == nlohmann::json({{"status", "done"}}));
    for (const auto* verb : {"approve", "deny"}) {
        const auto again = f.api("POST", "approvals/aaaa/" + std::string(verb));
        CHECK(again.status == 409);
        CHECK(again.json()["status"] == "approved");
        CHECK(again.json()["outcome"] == "It is done.");
    }
    CHECK(f.api("GET", "approvals").json()["approvals"].empty());
    CHECK(f.api("GET", "approvals/aaaa").json()["outcome"] == "It is done.");
}

TEST_CASE("deny answers denied; unknown ids and routes are 404, wrong methods 405") {
    listener_fixture f;
    f.open();
    CHECK(f.api("POST", "approvals/aaaa/deny").json() == nlohmann::json({{"status", "denied"}}));
    CHECK(f.api("POST", "approvals/bbbb/approve").status == 404);
    CHECK(f.api("POST", "approvals/bbbb/deny").status == 404);
    CHECK(f.api("GET", "approvals/").status == 404);
    CHECK(f.api("POST", "approvals/aaaa/shred").status == 404);
    CHECK(f.api("GET", "nothing").status == 404);
    CHECK(f.api("GET", "approvals/aaaa/approve").status == 405);
    CHECK(f.api("DELETE", "approvals").status == 405);
    CHECK(f.api("GET", "login").status == 405);
}

TEST_CASE("a failure of an action reaches the caller with its word, sentence and fix") {
    listener_fixture f;
    f.open();
    f.actions.fail_with = failure::permanent(fault::discovery_failed, "metadata is missing", "Run doctor.");
    const auto got = f.api("POST", "approvals/aaaa/approve");
    CHECK(got.status == 502);
    CHECK(got.json() ==
          nlohmann::json(
              {{"error", "discovery_failed"}, {"message", "Metadata is missing."}, {"fix", "Run doctor."}}));
}

TEST_CASE("a link to the dashboard is told once the vault has it: any replica may be asked to redeem it") {
    listener_fixture f;
    f.open();
    CHECK(f.api("POST", "open").status == 200);
    CHECK(f.actions.links_kept == 1);
}

TEST_CASE("login opens an approval, logout forgets, and both need an upstream") {
    listener_fixture f;
    f.open();
    const auto in = f.api("POST", "login", {{"upstream", "github"}});
    CHECK(in.status == 200);
    CHECK(in.json()["id"] == "aaaa");
    CHECK(in.json()["link"].get<std::string>().ends_with(page));
    CHECK(f.api("POST", "login", {{"upstream", "nowhere"}}).status == 400);
    CHECK(f.api("POST", "login", nlohmann::json::object()).status == 400);
    CHECK(f.api("POST", "login", nlohmann::json::array({1})).status == 400);
    CHECK(f.api("POST", "logout", {{"all", true}, {"principal", "ada"}}).json()["status"] == "done");
    CHECK(f.actions.logged_out == "identity ada by operator");
    CHECK(f.api("POST", "logout", {{"upstream", "github"}, {"principal", "ada"}}).json()["status"] == "done");
    CHECK(f.actions.logged_out == "github/ada");
}

TEST_CASE("a callback URL can be handed over through the API, unbound") {
    listener_fixture f;
    const auto got =
        f.api("POST", "callback", {{"url", "http://127.0.0.1:1/oauth/callback?code=c%2B1&state=s&iss=i"}});
    CHECK(got.json()["ok"] == true);
    CHECK(got.json()["title"] == "Signed in");
    CHECK(f.actions.last_callback.code == "c+1");
    CHECK(f.actions.last_callback.state == "s");
    CHECK(f.actions.last_callback.iss == "i");
    CHECK_FALSE(f.actions.last_binding.has_value());
    CHECK(f.api("POST", "callback", {{"url", "http://127.0.0.1:1/oauth/callback"}}).status == 400);
    CHECK(f.actions.callback_calls == 1);
}

TEST_CASE("credentials are summarised without tokens") {
    listener_fixture f;
    credential_summary c;
    c.upstream = "github";
    c.principal = "local";
    c.issuer = "https://login.example";
    c.grant = grant_kind::authorization_code;
    c.scopes = scope_set{"read"};
    c.held = true;
    c.expires_at = f.now.load();
    c.last_outcome = "ok";
    f.on_io([&] { f.credentials = {c}; });
    const auto got = f.api("GET", "credentials").json()["credentials"];
    REQUIRE(got.size() == 1);
    CHECK(got[0]["upstream"] == "github");
    CHECK(got[0]["expires_at"] == "2027-01-15T08:00:00Z");
    CHECK(got[0]["last_recovery_at"].is_null());
}

TEST_CASE("a one-time link hands over the operator token once, and not after five minutes") {
    listener_fixture f;
    const auto link = f.api("POST", "open").json()["link"].get<std::string>();
    const auto mark = link.find("/open#");
    REQUIRE(mark != std::string::npos);
    const auto redeem = [&](const std::string& secret_text) {
        return f.ask("POST", "/open/redeem", {{"Origin", f.origin()}},
                     nlohmann::json({{"secret", secret_text}}).dump());
    };
    CHECK(redeem("").status == 403);
    CHECK(redeem("guess").status == 403);
    const auto first = redeem(link.substr(mark + 6));
    CHECK(first.status == 200);
    CHECK(first.json()["token"] == f.token);
    CHECK(redeem(link.substr(mark + 6)).status == 403);
    const auto late = f.api("POST", "open").json()["link"].get<std::string>();
    f.now = f.now.load() + std::chrono::minutes(5);
    CHECK(redeem(late.substr(late.find('#') + 1)).status == 403);
    CHECK(f.ask("GET", "/open/redeem").status == 405);
}
