// Host and Origin rules, templates, callback parameters: the pure parts of the approval listener.
#include "proxy/approval/callback_query.hpp"
#include "proxy/approval/html_template.hpp"
#include "proxy/approval/origin_guard.hpp"

#include <catch2/catch.hpp>

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

TEST_CASE("callback parameters are decoded, each at most once, others ignored") {
    const auto p = parse_callback_query("code=a%20b&state=s%2B&foo=1&foo=2&error=access_denied&error_"
                                        "description=no+way&iss=https%3A%2F%2Fas");
    REQUIRE(p.has_value());
    CHECK(p->code == "a b");
    CHECK(p->state == "s+");
    CHECK(p->error == "access_denied");
    CHECK(p->error_description == "no way");
    CHECK(p->iss == "https://as");
    CHECK_FALSE(parse_callback_query("state=a&state=a").has_value());
    CHECK_FALSE(parse_callback_query("state=a&error=x&error=y").has_value());
    CHECK_FALSE(parse_callback_query("")->state.has_value());
}

TEST_CASE("a pasted callback may be a URL or its query, with spaces around and a fragment behind") {
    for (const auto* text : {"http://h/cb?code=c&state=s", "  https://h:1/cb?code=c&state=s#frag \n",
                             "?code=c&state=s", "code=c&state=s"}) {
        const auto p = parse_pasted_callback(text);
        REQUIRE(p.has_value());
        CHECK(p->code == "c");
        CHECK(p->state == "s");
    }
    for (const auto* text : {"", "http://h/cb", "http://h/cb#state=s", "https://h/cb?code=c&code=d&state=s"})
        CHECK_FALSE(parse_pasted_callback(text).has_value());
}
