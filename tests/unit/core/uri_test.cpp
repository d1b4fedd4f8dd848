// URLs: strict parse, loopback, resource prefix.
#include "core/text/uri.hpp"

#include "tests/unit/core/printing.hpp"

using namespace reauth;

TEST_CASE("an http URL is taken apart without changing path and query") {
    const auto u = parse_http_url("HTTPS://API.Example:8443/a%2Fb/../c?x=1&y=%20");
    REQUIRE(u);
    CHECK(u->https());
    CHECK(u->host == "api.example");
    CHECK(u->port == 8443);
    CHECK(u->path == "/a%2Fb/../c");
    CHECK(u->query == "x=1&y=%20");
    CHECK(u->origin() == "https://api.example:8443");
    CHECK(u->target() == "/a%2Fb/../c?x=1&y=%20");
    CHECK(parse_http_url("http://a:80")->origin() == "http://a");
    CHECK(parse_http_url("http://a:443")->origin() == "http://a:443");
    CHECK(parse_http_url("https://a:")->port == 443);
    CHECK(parse_http_url("https://a")->target() == "/");
    CHECK(parse_http_url("http://[::1]:9/x")->host == "[::1]");
}

TEST_CASE("what is no plain http URL is refused with the reason") {
    const std::pair<const char*, const char*> bad[] = {
        {"", "empty"},
        {"/path", "absolute"},
        {"ftp://a/", "neither"},
        {"javascript:alert(1)", "neither"},
        {"file:///etc/passwd", "neither"},
        {"https:/a", "no host"},
        {"https:///a", "no host"},
        {"https://u:p@a/", "user name"},
        {"https://a/#f", "fragment"},
        {"https://a:99999/", "port"},
        {"https://a:0/", "port"},
        {"https://a b/", "absolute"},
        {"https://a/\r\nX: y", "absolute"},
        {"https://a/`id`", "absolute"},
    };
    for (const auto& [text, why] : bad) {
        const auto u = parse_http_url(text, "token_endpoint");
        INFO(text);
        REQUIRE_FALSE(u);
        CHECK_THAT(u.error().message, Catch::Contains(why) && Catch::StartsWith("token_endpoint"));
        CHECK(u.error().code == fault::discovery_failed);
    }
    CHECK_FALSE(parse_http_url("https://a/" + std::string(5000, 'x')));
}

TEST_CASE("http is secure enough on loopback only") {
    CHECK(parse_secure_url("http://localhost:3000/a"));
    CHECK(parse_secure_url("https://a.example"));
    CHECK_FALSE(parse_secure_url("http://a.example"));
    CHECK_FALSE(parse_secure_url("x"));
    CHECK_THAT(parse_secure_url("http://a.example", "jwks_uri").error().describe(), Catch::Contains("https"));
}

TEST_CASE("loopback hosts are recognised, lookalikes are not") {
    for (const char* yes :
         {"localhost", "LocalHost", "a.localhost", "localhost.", "127.0.0.1", "127.255.1.2", "::1", "[::1]"})
        CHECK(is_loopback_host(yes));
    for (const char* no :
         {"", "xlocalhost", "localhost.example", "127.example.com", "127.0.0.1.example.com", "128.0.0.1",
          "127.0.0", "127.0.0.0.1", "1270.0.0.1", "127..0.1", "[::2]", "10.127.0.1"})
        CHECK_FALSE(is_loopback_host(no));
    CHECK(parse_http_url("http://127.0.0.1/")->loopback());
}

TEST_CASE("origins compare scheme, host and port") {
    CHECK(same_origin("https://a/x", "https://A:443/y"));
    CHECK_FALSE(same_origin("https://a", "http://a"));
    CHECK_FALSE(same_origin("https://a", "https://a:444"));
    CHECK_FALSE(same_origin("https://a", "https://b"));
    CHECK_FALSE(same_origin("x", "https://b"));
    CHECK_FALSE(same_origin("https://b", "x"));
    CHECK(origin_of("https://a/x") == "https://a");
    CHECK(origin_of("x").empty());
    CHECK(host_of("https://a:1/x") == "a");
    CHECK(host_of("x").empty());
}

TEST_CASE("a resource names the upstream by origin and whole path segments") {
    const char* upstream = "https://a.example/mcp/v1";
    for (const char* yes :
         {"https://a.example", "https://a.example/", "https://a.example/mcp", "https://a.example/mcp/",
          "https://A.EXAMPLE:443/mcp/v1", "https://a.example/mcp/v1/"})
        CHECK(resource_covers(yes, upstream));
    for (const char* no :
         {"https://a.example/mc", "https://a.example/mcp/v", "https://a.example/mcp/v1/x",
          "https://b.example/mcp", "http://a.example/mcp", "https://a.example:8443/mcp",
          "https://a.example/MCP", "https://a.example/mcp?x", "https://a.example/mcp#f", "urn:a", ""})
        CHECK_FALSE(resource_covers(no, upstream));
    CHECK(resource_covers("https://a/m?t=1", "https://a/m?t=1"));
    CHECK_FALSE(resource_covers("https://a/m?t=2", "https://a/m?t=1"));
    CHECK(resource_covers("https://a/m", "https://a/m?t=1"));
    CHECK_FALSE(resource_covers("https://a/m", "x"));
}

TEST_CASE("paths that could climb never match a resource") {
    CHECK_FALSE(resource_covers("https://a/mcp", "https://a/mcp/../admin"));
    CHECK_FALSE(resource_covers("https://a/mcp", "https://a/mcp/%2e%2E/admin"));
    CHECK_FALSE(resource_covers("https://a/.", "https://a/x"));
    CHECK_FALSE(resource_covers("https://a/x%2Fy", "https://a/x%2Fy"));
    CHECK_FALSE(resource_covers("https://a/x%5Cy", "https://a/x%5Cy"));
}

TEST_CASE("query parameters are appended to what is there") {
    std::string url = "https://a/x";
    append_query(url, "a b", "c&d");
    CHECK(url == "https://a/x?a%20b=c%26d");
    append_query(url, "e", "f");
    CHECK(url == "https://a/x?a%20b=c%26d&e=f");
    url = "https://a/x?";
    append_query(url, "a", "b");
    CHECK(url == "https://a/x?a=b");
    url = "https://a/x?q&";
    append_query(url, "a", "b");
    CHECK(url == "https://a/x?q&a=b");
    CHECK(without_query("https://a/x?y#z") == "https://a/x");
    CHECK(without_query("https://a/x#z?y") == "https://a/x");
    CHECK(without_query("https://a") == "https://a");
}

TEST_CASE("a port that goes on as a name is no port") {
    CHECK_FALSE(parse_http_url("http://127.0.0.1:80.evil.example/"));
    CHECK_FALSE(parse_http_url("https://as.example:443evil/token"));
    CHECK_FALSE(resolve_reference("http://127.0.0.1:80/mcp", "http://127.0.0.1:80.evil.example/"));
}
