// What leaves through a company's proxy, and cookies that a load balancer wants back.
#include "core/http/cookie_jar.hpp"
#include "core/http/outbound_proxy.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using namespace std::chrono_literals;

namespace {

const time_point noon = time_point(1'800'000'000s);

bool applies(const char* no_proxy, const char* url) {
    return parse_outbound_proxy("http://proxy.corp:3128", no_proxy)->applies_to(*parse_http_url(url));
}

std::string jar_after(std::initializer_list<const char*> set, const char* path = "/mcp",
                      time_point now = noon) {
    cookie_jar jar;
    for (const char* line : set)
        jar.take(line, "mcp.example", "/mcp", noon);
    return jar.header_for(path, now);
}

} // namespace

TEST_CASE("HTTPS_PROXY is read in the spellings in use") {
    const auto plain = parse_outbound_proxy("proxy.corp:3128", "");
    REQUIRE(plain);
    CHECK(plain->host == "proxy.corp");
    CHECK(plain->port == 3128);
    CHECK(plain->authorization.empty());
    const auto whole = parse_outbound_proxy(" http://us%40er:p%3Aw@[::1]:80/ ", "");
    REQUIRE(whole);
    CHECK(whole->host == "::1");
    CHECK(whole->authorization.equals("Basic dXNAZXI6cDp3"));
    for (const char* bad :
         {"https://proxy.corp:3128", "socks5://proxy.corp", "http://", "http://p:99999", "http://a%zz@p:1"}) {
        const auto r = parse_outbound_proxy(bad, "");
        REQUIRE_FALSE(r);
        CHECK(r.error().code == fault::invalid_configuration);
        CHECK_THAT(r.error().message, Catch::Contains("HTTPS_PROXY"));
    }
}

TEST_CASE("NO_PROXY lists hosts, what is under them, addresses, ports, or everything") {
    CHECK(applies("", "https://mcp.example/"));
    CHECK_FALSE(applies("", "http://127.0.0.1:1/"));
    CHECK_FALSE(applies("", "https://localhost/"));
    for (const char* no :
         {"mcp.example", ".example", "*.example", "a, mcp.example ,b", "MCP.Example", "*", "mcp.example:443"})
        CHECK_FALSE(applies(no, "https://mcp.example/"));
    for (const char* no : {"cp.example", "mcp.example:8443", "other.example", "mcp.example.com", ","})
        CHECK(applies(no, "https://mcp.example/"));
    CHECK_FALSE(applies("example", "https://a.b.example/"));
    CHECK_FALSE(applies("10.0.0.1,::1", "https://10.0.0.1/"));
    CHECK_FALSE(applies("2001:db8::1", "https://[2001:db8::1]/"));
}

TEST_CASE("a tunnel is asked for by host and port, with the proxy's credentials") {
    const auto proxy = parse_outbound_proxy("http://u:p@proxy.corp:3128", "").value();
    CHECK(connect_request(proxy, "mcp.example", 443)
              .equals("CONNECT mcp.example:443 HTTP/1.1\r\nHost: mcp.example:443\r\nProxy-Authorization: "
                      "Basic dTpw\r\n\r\n"));
    CHECK(connect_request(parse_outbound_proxy("p:1", "").value(), "2001:db8::1", 8443)
              .equals("CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n\r\n"));
    const auto said = [&](std::string_view head) { return read_connect_answer(head, proxy); };
    CHECK_FALSE(said(""));
    CHECK_FALSE(said("HTTP/1.1 200 Connection established\r\nVia: x\r\n"));
    CHECK(said("HTTP/1.0 200 OK\r\n\r\n")->has_value());
    const auto refused = said("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    REQUIRE(refused);
    REQUIRE_FALSE(refused->has_value());
    CHECK_THAT(refused->error().message, Catch::Contains("proxy.corp:3128") && Catch::Contains("407"));
    CHECK_THAT(refused->error().fix, Catch::Contains("HTTPS_PROXY"));
    CHECK_THAT(said("HTTP/1.1 403 Forbidden\r\n\r\n")->error().fix, Catch::Contains("NO_PROXY"));
    CHECK_FALSE(said("SSH-2.0-x\r\n")->has_value());
    CHECK_FALSE(said("HTTP/1.1 200 " + std::string(largest_connect_answer, 'x'))->has_value());
}

TEST_CASE("cookies come back to the origin and path that they were set for") {
    CHECK(jar_after({"LB=a1; Path=/; HttpOnly; Secure"}) == "LB=a1");
    CHECK(jar_after({"a=1", "b=2; Path=/mcp/deep", "c=3; path=/mcp"}, "/mcp/deep/x?q") == "b=2; c=3; a=1");
    CHECK(jar_after({"a=1; Path=/mcp"}, "/mcpx").empty());
    CHECK(jar_after({"a=1", "a=2"}) == "a=2");
    CHECK(jar_after({"a=1; Domain=example"}).empty());
    CHECK(jar_after({"a=1; Domain=evil.example"}).empty());
    CHECK(jar_after({"a=1; Domain=.mcp.example"}) == "a=1");
    for (const char* bad : {"", "novalue", "=x", "a=\r\nb", ";"})
        CHECK(jar_after({bad}).empty());
    CHECK(jar_after({(std::string("a=") + std::string(5000, 'x')).c_str()}).empty());
}

TEST_CASE("a cookie ends when it says so") {
    CHECK(jar_after({"a=1; Max-Age=60"}, "/mcp", noon + 59s) == "a=1");
    CHECK(jar_after({"a=1; Max-Age=60"}, "/mcp", noon + 60s).empty());
    CHECK(jar_after({"a=1", "a=; Max-Age=0"}).empty());
    CHECK(jar_after({"a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}).empty());
    CHECK(jar_after({"a=1; Expires=Fri, 15 Jan 2100 08:00:00 GMT"}) == "a=1");
    CHECK(jar_after({"a=1; Expires=Tue, 15 Jan 2300 08:00:00 GMT"}) == "a=1"); // beyond 64-bit nanoseconds
    CHECK(jar_after({"a=1; Expires=Thu, 01 Jan 0001 00:00:00 GMT"}).empty());
    CHECK(jar_after({"a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}) == "a=1");
    CHECK(jar_after({"a=1; Max-Age=99999999999999999999"}) == "a=1");
    cookie_jar many;
    for (int i = 0; i < 100; ++i)
        many.take("c" + std::to_string(i) + "=1", "h", "/", noon);
    const auto all = many.header_for("/", noon);
    CHECK(std::count(all.begin(), all.end(), '=') == static_cast<int>(cookie_jar::most_cookies));
    CHECK_THAT(all, Catch::Contains("c99=1"));
}
