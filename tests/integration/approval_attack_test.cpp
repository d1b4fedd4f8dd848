// Attacks on the approval listener: other sites, other hosts, guesses, and hostile text.
#include "approval_fixture.hpp"

#include "tests/support/catch.hpp"
#include <boost/asio/read_until.hpp>

using namespace approval_test;

TEST_CASE("a foreign Host is refused on every route, before anything else is looked at") {
    listener_fixture f;
    f.open();
    const auto other_port = "127.0.0.1:" + std::to_string(f.port == 65535 ? 1 : f.port + 1);
    for (const std::string& host :
         {std::string("evil.example"), other_port, std::string("127.0.0.1"),
          "evil.example:" + std::to_string(f.port), "127.0.0.1.evil.example:" + std::to_string(f.port)})
        for (const auto* target : {"/", "/open", "/a/link-secret-of-aaaa", "/api/approvals",
                                   "/oauth/callback?code=c&state=s", "/assets/style.css"}) {
            INFO(host << " " << target);
            CHECK(f.ask("GET", target, {{"Host", host}, {"Authorization", f.bearer()}}).status == 403);
        }
    CHECK(f.actions.callback_calls == 0);
}

TEST_CASE("a foreign Origin is refused although the token or the link is right") {
    listener_fixture f;
    f.open();
    const auto port = std::to_string(f.port);
    for (const std::string& origin :
         {std::string("https://evil.example"), std::string("null"),
          "http://127.0.0.1:" + std::to_string(f.port == 65535 ? 1 : f.port + 1), "http://localhost:" + port,
          "https://127.0.0.1:" + port, "http://127.0.0.1:" + port + ".evil.example", std::string()}) {
        INFO(origin);
        CHECK(
            f.ask("POST", "/api/approvals/aaaa/approve", {{"Authorization", f.bearer()}, {"Origin", origin}})
                .status == 403);
        CHECK(f.ask("GET", "/api/approvals", {{"Authorization", f.bearer()}, {"Origin", origin}}).status ==
              403);
        CHECK(f.ask("POST", page + "/approve", {{"Origin", origin}}).status == 403);
        CHECK(f.ask("POST", page + "/deny", {{"Origin", origin}}).status == 403);
        CHECK(f.ask("POST", page + "/callback", {{"Origin", origin}}, "url=%3Fstate%3Ds").status == 403);
        CHECK(f.ask("POST", "/open/redeem", {{"Origin", origin}}, "{}").status == 403);
    }
    CHECK(f.actions.approve_calls + f.actions.deny_calls + f.actions.callback_calls == 0);
}

TEST_CASE("a cross-site or same-site request is refused by Sec-Fetch-Site, a followed link is not") {
    listener_fixture f;
    f.open();
    for (const auto* site : {"cross-site", "same-site", "none"})
        CHECK(f.ask("POST", page + "/approve", {{"Sec-Fetch-Site", site}}).status == 403);
    CHECK(f.ask("GET", "/api/approvals", {{"Authorization", f.bearer()}, {"Sec-Fetch-Site", "same-site"}})
              .status == 403);
    CHECK(f.ask("GET", page + "/events", {{"Sec-Fetch-Site", "cross-site"}}).status == 403);
    CHECK(f.ask("GET", page,
                {{"Sec-Fetch-Site", "cross-site"},
                 {"Sec-Fetch-Mode", "navigate"},
                 {"Sec-Fetch-Dest", "document"}})
              .status == 200);
    CHECK(
        f.ask(
             "GET", page,
             {{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "iframe"}})
            .status == 403);
    CHECK(
        f.ask("GET", page,
              {{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "no-cors"}, {"Sec-Fetch-Dest", "script"}})
            .status == 403);
    CHECK(f.actions.approve_calls == 0);
}

TEST_CASE("no API route answers without the operator token") {
    listener_fixture f;
    f.open();
    const std::pair<const char*, const char*> routes[] = {{"GET", "approvals"},
                                                          {"GET", "approvals/aaaa"},
                                                          {"POST", "approvals/aaaa/approve"},
                                                          {"POST", "approvals/aaaa/deny"},
                                                          {"GET", "events"},
                                                          {"GET", "credentials"},
                                                          {"POST", "login"},
                                                          {"POST", "logout"},
                                                          {"POST", "open"},
                                                          {"POST", "callback"},
                                                          {"GET", "unknown"}};
    for (const auto& [method, route] : routes)
        for (const std::string& auth :
             {std::string(), std::string("Bearer"), std::string("Bearer "), std::string("Bearer wrong"),
              "Basic " + f.token, f.token, f.bearer() + "x", f.bearer().substr(0, f.bearer().size() - 1),
              std::string("Bearer link-secret-of-aaaa")}) {
            INFO(method << " " << route << " [" << auth << "]");
            const auto got = f.ask(method, "/api/" + std::string(route),
                                   auth.empty() ? headers{} : headers{{"Authorization", auth}});
            CHECK(got.status == 401);
            CHECK(got.body.find("aaaa") == std::string::npos);
        }
    CHECK(f.ask("GET", "/api/approvals?token=" + f.token).status == 401);
    CHECK(f.actions.approve_calls + f.actions.deny_calls == 0);
}

TEST_CASE("ids and guesses are not links") {
    listener_fixture f;
    f.open();
    for (const auto* guess :
         {"/a/aaaa", "/a/", "/a/link-secret-of-aaa", "/a/link-secret-of-aaaaa", "/a/LINK-SECRET-OF-AAAA",
          "/a/link-secret-of-aaaa/", "/a/link-secret-of-aaaa/x", "/a/%6cink-secret-of-aaaa",
          "/a//link-secret-of-aaaa", "/a/../a/link-secret-of-aaaa"}) {
        INFO(guess);
        CHECK(f.ask("GET", guess).status == 404);
    }
    CHECK(f.form("/a/aaaa/approve").status == 404);
}

TEST_CASE("every answer forbids framing, sniffing, caching and foreign scripts, and grants no CORS") {
    listener_fixture f;
    f.open();
    for (const auto* target : {"/", "/open", "/a/link-secret-of-aaaa", "/a/unknown", "/api/approvals",
                               "/oauth/callback", "/assets/style.css", "/assets/dashboard.js", "/nowhere"}) {
        INFO(target);
        const auto got = f.ask("GET", target);
        const auto csp = got.header("Content-Security-Policy");
        CHECK(csp.find("default-src 'none'") == 0);
        CHECK(csp.find("frame-ancestors 'none'") != std::string::npos);
        CHECK(csp.find("base-uri 'none'") != std::string::npos);
        CHECK(csp.find("unsafe") == std::string::npos);
        CHECK(got.header("X-Frame-Options") == "DENY");
        CHECK(got.header("X-Content-Type-Options") == "nosniff");
        CHECK(got.header("Referrer-Policy") == "same-origin");
        CHECK(got.header("Cache-Control") == "no-store");
        CHECK(got.head.find("Access-Control-") == std::string::npos);
    }
    CHECK(f.ask("OPTIONS", "/api/approvals",
                {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "GET"}})
              .status == 403);
}

TEST_CASE("no string from outside becomes markup, on the page, in messages or in headers") {
    const std::string evil = "\"'><script>alert(1)</script>{{base}}\xe2\x80\xae\x1b[31m\r\nX: y";
    listener_fixture f;
    f.open([&](approval& a) {
        a.upstream = a.tool = a.method = a.client_name = a.reason = a.principal = a.outcome = evil;
        a.upstream_host = a.issuer = a.token_host = evil;
        a.login_host = "evil.example; script-src *";
    });
    f.actions.fail_with = failure::permanent(fault::reauth_failed, evil, evil).with_oauth_error(evil);
    f.actions.callback_answer = {false, evil, evil, "aaaa"};
    const auto check = [&](const answer& got) {
        INFO(got.head << got.body);
        CHECK(got.body.find("<script>alert") == std::string::npos);
        CHECK(got.body.find("'>") == std::string::npos);
        CHECK(got.body.find("\xe2\x80\xae") == std::string::npos);
        CHECK(got.body.find('\x1b') == std::string::npos);
        CHECK(got.head.find("script-src *") == std::string::npos);
        CHECK(got.header("X").empty());
    };
    check(f.ask("GET", page));
    check(f.form(page + "/approve"));
    check(f.ask("GET", "/oauth/callback?state=s&error="
                       "%3Cscript%3Ealert(1)%3C%2Fscript%3E"));
    check(f.form(page + "/callback", "url=%3Fstate%3Ds"));
    check(f.ask("GET", "/<script>alert(1)</script>"));
    const auto json = f.api("GET", "approvals");
    CHECK(json.body.find("\xe2\x80\xae") == std::string::npos);
    CHECK(json.header("Content-Type") == "application/json");
}

TEST_CASE("no browser is sent to what is not http or https") {
    listener_fixture f;
    f.open();
    for (const auto* location :
         {"javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "//evil.example", "/relative",
          "https://user@evil.example/", "https://a.example/\r\nSet-Cookie: a=b", ""}) {
        INFO(location);
        f.on_io([&] { f.actions.location = location; });
        const auto by_page = f.form(page + "/approve");
        CHECK(by_page.status == 502);
        CHECK(by_page.header("Location").empty());
        CHECK(by_page.header("Set-Cookie").empty());
        CHECK(f.api("POST", "approvals/aaaa/approve").status == 502);
    }
}

TEST_CASE("scopes with forbidden characters never reach the page") {
    listener_fixture f;
    f.open([](approval& a) { a.added = scope_set::parse("ok \"quoted\" back\\slash <b>"); });
    const auto got = f.ask("GET", page);
    CHECK(got.shows("<li>ok</li>"));
    CHECK(got.shows("<li>&lt;b&gt;</li>"));
    CHECK_FALSE(got.shows("quoted"));
}

TEST_CASE("the link secret is not shown to the holder of an id, and the operator token only by redeeming") {
    listener_fixture f;
    f.open();
    for (const auto* target : {"/", "/open", "/oauth/callback?state=s&code=c", "/a/link-secret-of-aaaa"})
        CHECK(f.ask("GET", target).body.find(f.token) == std::string::npos);
    CHECK(f.ask("GET", "/oauth/callback?state=s&code=c").body.find("link-secret-of-aaaa") ==
          std::string::npos);
}

TEST_CASE("oversized requests are refused without being read whole") {
    listener_fixture f;
    f.open();
    CHECK(f.form(page + "/callback", "url=" + std::string(70 * 1024, 'x')).status == 413);
}

TEST_CASE("a crowd of idle connections does not lock anybody out") {
    listener_fixture f;
    f.open();
    asio::io_context io;
    std::vector<std::unique_ptr<asio::ip::tcp::socket>> crowd;
    for (int i = 0; i < 300; ++i) {
        crowd.push_back(std::make_unique<asio::ip::tcp::socket>(io));
        crowd.back()->connect({asio::ip::address_v4::loopback(), f.port});
    }
    CHECK(f.ask("GET", page).status == 200);
    CHECK(f.api("GET", "approvals").status == 200);
    // the one that had been idle longest has given way, the newest has not
    error_code gone;
    char byte;
    crowd.front()->read_some(asio::buffer(&byte, 1), gone);
    CHECK(gone);
    asio::write(*crowd.back(), asio::buffer("GET " + page + " HTTP/1.1\r\nHost: 127.0.0.1:" +
                                            std::to_string(f.port) + "\r\nConnection: close\r\n\r\n"));
    std::string answer;
    error_code end;
    asio::read(*crowd.back(), asio::dynamic_buffer(answer), end);
    CHECK(answer.rfind("HTTP/1.1 200", 0) == 0);
}

TEST_CASE("whoever holds a link can't take the operator's streams, nor the page's connections") {
    listener_fixture f;
    f.open();
    asio::io_context io;
    const auto stream_of = [&](const std::string& target, const std::string& more) {
        auto s = std::make_unique<asio::ip::tcp::socket>(io);
        s->connect({asio::ip::address_v4::loopback(), f.port});
        asio::write(*s, asio::buffer("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" +
                                     std::to_string(f.port) + "\r\n" + more + "\r\n"));
        return s;
    };
    std::vector<std::unique_ptr<asio::ip::tcp::socket>> crowd;
    for (int i = 0; i < 300; ++i)
        crowd.push_back(stream_of(page + "/events", ""));
    const auto first_line = [](asio::ip::tcp::socket& s) {
        std::string line;
        asio::read_until(s, asio::dynamic_buffer(line), "\r\n");
        return line;
    };
    auto mine = stream_of("/api/events", "Authorization: " + f.bearer() + "\r\n");
    CHECK(first_line(*mine).rfind("HTTP/1.1 200", 0) == 0);
    CHECK(f.ask("GET", page).status == 200);
    CHECK(f.api("GET", "approvals").status == 200);
    // the oldest of the link's streams have ended, the last few live
    std::string whole;
    error_code end;
    asio::read(*crowd.front(), asio::dynamic_buffer(whole), end);
    CHECK(end);
    CHECK(first_line(*crowd.back()).rfind("HTTP/1.1 200", 0) == 0);
}
