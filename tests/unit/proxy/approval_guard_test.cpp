// Host and Origin rules, templates, callback parameters: the pure parts of the approval listener.
#include "proxy/approval/html_template.hpp"
#include "proxy/approval/origin_guard.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

namespace {

bool lets(const origin_guard& g, route_kind kind, std::vector<header_field> headers,
          std::string method = "POST") {
    service_request r;
    r.method = std::move(method);
    r.headers = std::move(headers);
    return !g.refuse(r, kind);
}

} // namespace

TEST_CASE("a loopback listener answers under its loopback names and its own port only") {
    const origin_guard g("127.0.0.1", 8971, "", false);
    for (const auto* host : {"127.0.0.1:8971", "localhost:8971", "LOCALHOST:8971", "[::1]:8971"})
        CHECK(lets(g, route_kind::action, {{"Host", host}}));
    for (const auto* host :
         {"127.0.0.1", "127.0.0.1:80", "127.0.0.2:8971", "localhost.evil.example:8971", ""})
        CHECK_FALSE(lets(g, route_kind::action, {{"Host", host}}));
    CHECK_FALSE(lets(g, route_kind::action, {}));
}

TEST_CASE("an IPv6 listener and default ports are known by the names browsers use") {
    CHECK(lets(origin_guard("::1", 8971, "", false), route_kind::action, {{"Host", "[::1]:8971"}}));
    CHECK(lets(origin_guard("10.0.0.5", 443, "", true), route_kind::action,
               {{"Host", "10.0.0.5"}, {"Origin", "https://10.0.0.5"}}));
    CHECK_FALSE(lets(origin_guard("10.0.0.5", 443, "", true), route_kind::action, {{"Host", "localhost"}}));
}

TEST_CASE("the public URL is ours as Host and as Origin, also when a gateway rewrites Host") {
    const origin_guard g("127.0.0.1", 8971, "https://reauth.example/base", false);
    CHECK(lets(g, route_kind::action, {{"Host", "reauth.example"}, {"Origin", "https://reauth.example"}}));
    CHECK(lets(g, route_kind::action, {{"Host", "reauth.example:443"}}));
    CHECK(lets(g, route_kind::action, {{"Host", "127.0.0.1:8971"}, {"Origin", "https://reauth.example"}}));
    CHECK_FALSE(
        lets(g, route_kind::action, {{"Host", "reauth.example"}, {"Origin", "https://reauth.example:444"}}));
    CHECK_FALSE(
        lets(g, route_kind::action, {{"Host", "reauth.example"}, {"Origin", "http://127.0.0.1:8971"}}));
}

TEST_CASE("only pages may be reached by a navigation from elsewhere, and only on top") {
    const origin_guard g("127.0.0.1", 1, "", false);
    const std::vector<header_field> link{{"Host", "127.0.0.1:1"},
                                         {"Sec-Fetch-Site", "cross-site"},
                                         {"Sec-Fetch-Mode", "navigate"},
                                         {"Sec-Fetch-Dest", "document"}};
    CHECK(lets(g, route_kind::page, link, "GET"));
    CHECK(lets(g, route_kind::callback, link, "GET"));
    CHECK_FALSE(lets(g, route_kind::action, link, "GET"));
    CHECK_FALSE(lets(g, route_kind::page, link, "POST"));
    CHECK_FALSE(lets(g, route_kind::asset, link, "GET"));
}

TEST_CASE("a template escapes what goes in, once, and never looks inside") {
    template_values v;
    v.text("a", "<b>{{b}}</b>").text("b", "no").html("c", {"<i>"});
    CHECK(fill("x{{a}}y{{c}}", v).text == "x&lt;b&gt;{{b}}&lt;/b&gt;y<i>");
    CHECK_THROWS_AS(fill("{{missing}}", v), std::logic_error);
    CHECK_THROWS_AS(fill("{{a", v), std::logic_error);
}
