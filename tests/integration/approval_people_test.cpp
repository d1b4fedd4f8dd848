// People at the page: cookies, what is theirs, and what providers deliver; without a provider.
#include "approval_fixture.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/text.hpp"

using namespace approval_test;
using reauth::test::has;

namespace {

/// A page behind https, where people sign in.
struct people_page : listener_fixture {
    explicit people_page(std::string url = "https://approve.example") : listener_fixture(std::move(url)) {
        people.enabled = true;
        open([](approval& a) { a.principal = "acme/ada"; });
    }
    answer get(const std::string& target, const std::string& cookie = {}) {
        headers fields{{"Host", "approve.example"}};
        if (!cookie.empty())
            fields.emplace_back("Cookie", cookie);
        return ask("GET", target, fields);
    }
    answer post(const std::string& target, const std::string& cookie,
                const nlohmann::json& body = nlohmann::json::object()) {
        return ask("POST", target,
                   {{"Host", "approve.example"}, {"Origin", "https://approve.example"}, {"Cookie", cookie}},
                   body.dump());
    }
    /// The session's cookie of somebody who signs in.
    std::string sign_in(const std::string& who, const std::string& to = "/") {
        const auto begun = get("/sign-in?to=" + to);
        const auto bound = begun.header("Set-Cookie");
        const auto back =
            get("/oauth/callback?code=" + who + "&state=page-state", bound.substr(0, bound.find(';')));
        const auto cookie = back.header("Set-Cookie");
        return cookie.substr(0, cookie.find(';'));
    }
};

} // namespace

TEST_CASE(
    "behind https a session's cookie is this host's alone, sealed, and sent by no other site's requests") {
    people_page f;
    const auto begun = f.get("/sign-in?to=" + std::string(page));
    CHECK(begun.status == 303);
    CHECK(begun.header("Location") == "https://idp.example/authorize?state=page-state");
    const auto bound = begun.header("Set-Cookie");
    for (const auto* part : {"Path=/oauth/callback", "HttpOnly", "SameSite=Lax", "Secure"})
        CHECK(has(bound, part));
    CHECK(f.get("/oauth/callback?code=ada&state=page-state").status == 400); // another browser
    const auto back = f.get("/oauth/callback?code=ada&state=page-state", bound.substr(0, bound.find(';')));
    CHECK(back.status == 303);
    CHECK(back.header("Location") == page);
    const auto cookie = back.header("Set-Cookie");
    CHECK(cookie.starts_with("__Host-mcp-reauth="));
    for (const auto* part : {"; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age=3600"})
        CHECK(has(cookie, part));
    CHECK_FALSE(has(cookie, "ada"));
    CHECK_FALSE(has(cookie, "Domain"));
    people_page plain("");
    CHECK(plain.get("/sign-in").status == 403); // of another host
    const auto local = plain.ask("GET", "/sign-in");
    CHECK_FALSE(has(local.header("Set-Cookie"), "Secure"));
}

TEST_CASE("a sign-in leads to no other address than a page of ours") {
    people_page f;
    for (const auto* evil :
         {"https://evil.example/", "//evil.example", "/a/x/../../api", "/%5Cevil.example"}) {
        const auto begun = f.get("/sign-in?to=" + std::string(evil));
        const auto bound = begun.header("Set-Cookie");
        const auto back =
            f.get("/oauth/callback?code=ada&state=page-state", bound.substr(0, bound.find(';')));
        CHECK(back.header("Location") == "/");
    }
}

TEST_CASE("nobody sees an approval before the sign-in, and then only whose it is") {
    people_page f;
    const auto sent = f.get(page);
    CHECK(sent.status == 303);
    CHECK(sent.header("Location") == "/sign-in?to=%2Fa%2Flink-secret-of-aaaa");
    CHECK(f.ask("POST", page + "/deny", {{"Host", "approve.example"}, {"Origin", "https://approve.example"}})
              .status == 401);
    const auto ada = f.sign_in("ada"), bob = f.sign_in("bob"), root = f.sign_in("root");
    CHECK(f.get(page, ada).status == 200);
    CHECK(f.get(page, ada).shows("Signed in as <strong>ada</strong>"));
    CHECK(f.get(page, bob).status == 403);
    CHECK(f.get(page, root).status == 200);
    CHECK(f.get(page, root).shows("This sign-in is for <strong>acme/ada</strong>"));
    CHECK_FALSE(f.get(page, ada).shows("This sign-in is for"));
    CHECK(f.get(page, "__Host-mcp-reauth=deadbeef").status == 303);
    CHECK(f.post(page + "/approve", bob).status == 403);
    CHECK(f.post(page + "/deny", bob).status == 403);
    CHECK(f.get(page + "/events", bob).status == 403);
    CHECK(f.actions.approve_calls + f.actions.deny_calls == 0);
    CHECK(f.post(page + "/approve", ada).status == 303);
    CHECK(f.actions.last_approver == approver::person);
    CHECK(f.actions.last_by == "acme/ada");
    // an operator's token needs no person
    CHECK(f.api("GET", "approvals").json()["approvals"].size() == 1);
}

TEST_CASE("the API shows a person what is theirs, and does for others what only an operator may") {
    people_page f;
    f.open([](approval& a) {
        a.id = "bbbb";
        a.link_secret = secret("link-secret-of-bbbb");
        a.principal = "acme/bob";
    });
    const auto ada = f.sign_in("ada"), root = f.sign_in("root");
    const auto seen = [&](const std::string& cookie) {
        return f.get("/api/approvals", cookie).json()["approvals"].size();
    };
    CHECK(f.get("/api/approvals").status == 401);
    CHECK(seen(ada) == 1);
    CHECK(seen(root) == 2);
    const auto me = f.get("/api/me", ada).json();
    CHECK(me["principal"] == "acme/ada");
    CHECK(me["operator"] == false);
    CHECK(f.get("/api/me", root).json()["operator"] == true);
    CHECK(f.get("/api/approvals/bbbb", ada).status == 404);
    CHECK(f.post("/api/approvals/bbbb/deny", ada).status == 404);
    CHECK(f.post("/api/login", ada, {{"upstream", "github"}, {"principal", "acme/bob"}}).status == 403);
    CHECK(f.post("/api/logout", ada, {{"principal", "acme/bob"}}).status == 403);
    CHECK(f.post("/api/logout", ada, {{"all", true}, {"principal", "local"}}).status == 403);
    CHECK(f.post("/api/callback", ada, {{"url", "x"}}).status == 403);
    CHECK(f.post("/api/open", root).status == 403); // it would bring the operator's token
    CHECK(f.actions.logged_out.empty());
    CHECK(f.post("/api/logout", ada, {{"principal", "acme/ada"}}).status == 200);
    CHECK(f.actions.logged_out == "identity acme/ada by acme/ada");
    CHECK(f.post("/api/logout", root, {{"principal", "acme/bob"}}).status == 200);
    CHECK(f.actions.logged_out == "identity acme/bob by acme/root");
    CHECK(f.post("/api/approvals/aaaa/deny", ada).status == 200);
    CHECK(f.actions.last_by == "acme/ada");
    // another site's page can't use the cookie
    CHECK(f.ask("POST", "/api/approvals/bbbb/deny",
                {{"Host", "approve.example"}, {"Origin", "https://evil.example"}, {"Cookie", root}}, "{}")
              .status == 403);
}

TEST_CASE(
    "a session is renewed while it is used, ends where it is not, with its identity, and at the sign-out") {
    people_page f;
    const auto ada = f.sign_in("ada");
    CHECK(f.get("/api/me", ada).header("Set-Cookie").empty());
    f.now = f.now.load() + std::chrono::minutes(20);
    const auto renewed = f.get("/api/me", ada).header("Set-Cookie");
    CHECK(renewed.starts_with("__Host-mcp-reauth="));
    CHECK(has(renewed, "Max-Age=2400")); // not longer than it was to last
    f.now = f.now.load() + std::chrono::minutes(20);
    CHECK(f.get("/api/me", ada).status == 401); // of 40 minutes ago
    const auto later = renewed.substr(0, renewed.find(';'));
    CHECK(f.get("/api/me", later).status == 200);
    const auto out = f.post("/sign-out", later);
    CHECK(out.status == 303);
    CHECK(has(out.header("Set-Cookie"), "__Host-mcp-reauth=; "));
    CHECK(has(out.header("Set-Cookie"), "Max-Age=0"));
    CHECK(f.people.sessions_ended == 1);
    f.people.ended = f.now.load();
    CHECK(f.get("/api/me", later).status == 401);
    CHECK(f.get("/sign-out", later).status == 405);
}

TEST_CASE("while the provider is down who is signed in stays so, and others are told") {
    people_page f;
    const auto ada = f.sign_in("ada");
    f.people.provider_down = true;
    const auto told = f.get("/sign-in");
    CHECK(told.status == 503);
    CHECK(told.shows("Nobody can sign in at the moment"));
    CHECK(f.get("/api/me", ada).status == 200);
}

TEST_CASE("what providers deliver is answered as their standards say") {
    people_page f;
    const auto deliver = [&](const std::string& path, const std::string& body, headers more = {}) {
        more.emplace_back("Host", "approve.example");
        return f.ask("POST", path, more, body);
    };
    const auto good = deliver("/oauth/backchannel-logout/acme", "logout_token=good");
    CHECK(good.status == 200);
    CHECK(good.header("Cache-Control") == "no-store");
    const auto bad = deliver("/oauth/backchannel-logout/acme", "logout_token=bad");
    CHECK(bad.status == 400);
    CHECK(bad.json()["error"] == "invalid_request");
    CHECK(deliver("/oauth/backchannel-logout/acme", "").status == 400);
    CHECK(deliver("/oauth/signals/acme", "set", {{"Authorization", "Bearer transmitter"}}).status == 202);
    CHECK(deliver("/oauth/signals/acme", "set").json()["err"] == "authentication_failed");
    const auto later = deliver("/oauth/signals/acme", "later");
    CHECK(later.status == 503);
    CHECK_FALSE(later.header("Retry-After").empty());
    CHECK(f.ask("POST", "/oauth/signals/acme", {{"Host", "evil.example"}}, "set").status == 403);
}
