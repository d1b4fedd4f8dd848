// The approval page as a browser without JavaScript meets it, and the OAuth callback.
#include "approval_fixture.hpp"

#include "tests/support/catch.hpp"

using namespace approval_test;

TEST_CASE("the page says who asks, what for, which scopes are new, and where the browser will go") {
    listener_fixture f;
    f.open();
    const auto got = f.ask("GET", page);
    REQUIRE(got.status == 200);
    for (const auto* text :
         {"Some Client", "create_issue", "github", "Already granted", "Newly requested", "<li>read</li>",
          "<li>write</li>", "Approve and go to login.example", "15 min left", "Deny",
          "action=\"/a/link-secret-of-aaaa/approve\"", "action=\"/a/link-secret-of-aaaa/deny\"",
          "action=\"/a/link-secret-of-aaaa/callback\""}) {
        INFO(text);
        CHECK(got.shows(text));
    }
    CHECK_FALSE(got.shows("Look twice before you go on"));
    CHECK(got.header("Content-Security-Policy").find("form-action 'self' https://login.example;") !=
          std::string::npos);
}

TEST_CASE("hosts that differ are named before the button") {
    listener_fixture f;
    f.open([](approval& a) { a.login_host = "evil.example:8443"; });
    const auto got = f.ask("GET", page);
    const auto warned = got.body.find("Look twice before you go on"), button = got.body.find("<button");
    REQUIRE(warned != std::string::npos);
    CHECK(warned < button);
    CHECK(got.shows("You sign in at evil.example:8443, but the access is issued by login.example"));
}

TEST_CASE("approving on the page leads to the provider and binds the flow to the browser") {
    listener_fixture f;
    f.open();
    const auto got = f.form(page + "/approve");
    CHECK(got.status == 303);
    CHECK(got.header("Location") == f.actions.location);
    CHECK(f.actions.last_approver == approver::link_holder);
    CHECK(f.actions.last_from_page);
    const auto cookie = got.header("Set-Cookie");
    CHECK(cookie.find("=binding-value; Path=/oauth/callback; HttpOnly; SameSite=Lax; Max-Age=900") !=
          std::string::npos);
    CHECK(cookie.find("Secure") == std::string::npos);

    const auto pair = cookie.substr(0, cookie.find(';'));
    const auto back = f.ask("GET", "/oauth/callback?code=c&state=the-state&iss=i",
                            {{"Cookie", "x=y; " + pair}, {"Sec-Fetch-Site", "cross-site"}});
    CHECK(back.status == 200);
    CHECK(back.shows("Your request has been answered."));
    CHECK(f.actions.last_binding == "binding-value");
    CHECK(f.actions.last_callback.code == "c");
}

TEST_CASE("the binding of one flow is not taken for another's") {
    listener_fixture f;
    f.open();
    const auto cookie = f.form(page + "/approve").header("Set-Cookie");
    f.ask("GET", "/oauth/callback?code=c&state=another", {{"Cookie", cookie.substr(0, cookie.find(';'))}});
    CHECK_FALSE(f.actions.last_binding.has_value());
}

TEST_CASE("behind https the binding cookie is Secure, and a path prefix is kept") {
    listener_fixture f("https://reauth.example/proxy");
    f.open();
    const auto got = f.ask("POST", "/proxy" + page + "/approve",
                           {{"Host", "reauth.example"}, {"Origin", "https://reauth.example"}});
    CHECK(got.status == 303);
    CHECK(got.header("Set-Cookie").find("Path=/proxy/oauth/callback; ") != std::string::npos);
    CHECK(got.header("Set-Cookie").find("; Secure") != std::string::npos);
    // The gateway may also have taken the prefix away and put its own Host.
    CHECK(f.ask("POST", page + "/deny", {{"Origin", "https://reauth.example"}}).header("Location") ==
          "/proxy" + page);
}

TEST_CASE("a script on the page gets the location as JSON, with the same cookie") {
    listener_fixture f;
    f.open();
    const auto got =
        f.ask("POST", page + "/approve", {{"Origin", f.origin()}, {"Accept", "application/json"}});
    CHECK(got.status == 200);
    CHECK(got.json()["location"] == f.actions.location);
    CHECK(got.header("Set-Cookie").find("=binding-value") != std::string::npos);
}

TEST_CASE("denying on the page is final, and the page says so to whoever comes next") {
    listener_fixture f;
    f.open();
    const auto got = f.form(page + "/deny");
    CHECK(got.status == 303);
    CHECK(got.header("Location") == page);
    CHECK(f.ask("GET", page).shows("A person said no."));
    CHECK(f.form(page + "/deny").status == 303);
    CHECK(f.actions.deny_calls == 1);
    CHECK(f.form(page + "/approve").status == 409);
    CHECK(f.actions.approve_calls == 0);
}

TEST_CASE("an agent that holds the link cannot complete what needs no login") {
    listener_fixture f;
    f.open([](approval& a) { a.completes_without_login = true; });
    const auto look = f.ask("GET", page);
    CHECK(look.shows("mcp-reauth approve aaaa"));
    CHECK_FALSE(look.shows("/approve\""));
    const auto got = f.form(page + "/approve");
    CHECK(got.status == 403);
    CHECK(got.shows("mcp-reauth approve aaaa"));
    CHECK(f.api("GET", "approvals/aaaa").json()["status"] == "pending");
}

TEST_CASE("a pasted callback URL finishes the flow of this browser") {
    listener_fixture f;
    f.open();
    const auto set = f.form(page + "/approve").head;
    CHECK(set.find("Path=/a/link-secret-of-aaaa/callback; HttpOnly") != std::string::npos);
    const auto cookie = set.substr(set.find("reauth_flow_"),
                                   set.find(';', set.find("reauth_flow_")) - set.find("reauth_flow_"));
    const auto got =
        f.ask("POST", page + "/callback", {{"Origin", f.origin()}, {"Cookie", cookie}},
              "url=http%3A%2F%2Flocalhost%3A1%2Foauth%2Fcallback%3Fcode%3Dc%26state%3Dthe-state");
    CHECK(got.status == 200);
    CHECK(got.shows("Signed in"));
    CHECK(f.actions.last_callback.code == "c");
    CHECK(f.actions.last_binding == "binding-value");
    CHECK(f.form(page + "/callback", "url=nonsense").status == 400);
    f.actions.callback_answer = {false, "Too late", "This sign-in was finished before.", ""};
    const auto late = f.form(page + "/callback", "url=%3Fcode%3Dc%26state%3Ds");
    CHECK(late.status == 400);
    CHECK(late.shows("This sign-in was finished before."));
}

TEST_CASE("the callback refuses doubled parameters, a missing state, and every method but GET") {
    listener_fixture f;
    for (const auto* query : {"code=a&code=b&state=s", "code=a&state=s&state=t", "code=a&st%61te=s&state=t",
                              "iss=a&iss=b&state=s", "code=a", ""}) {
        INFO(query);
        CHECK(f.ask("GET", "/oauth/callback?" + std::string(query)).status == 400);
    }
    CHECK(f.ask("HEAD", "/oauth/callback?code=a&state=s").status == 405);
    CHECK(f.ask("POST", "/oauth/callback?code=a&state=s").status == 405);
    CHECK(f.actions.callback_calls == 0);
}

TEST_CASE("our client metadata document is for everybody to read, where it is ours") {
    listener_fixture f;
    CHECK(f.ask("GET", "/oauth/client.json").status == 404);
    f.on_io([&] { f.client_metadata = R"({"client_id":"x"})"; });
    const auto got = f.ask("GET", "/oauth/client.json");
    CHECK(got.status == 200);
    CHECK(got.header("Content-Type") == "application/json");
    CHECK(got.header("Cache-Control") == "public, max-age=300");
    CHECK(got.json()["client_id"] == "x");
    CHECK(f.ask("POST", "/oauth/client.json").status != 200);
    CHECK(f.ask("GET", "/oauth/client.json", {{"Host", "evil.example"}}).status == 403);
}
