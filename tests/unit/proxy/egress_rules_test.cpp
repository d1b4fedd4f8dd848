// Which addresses are whose, and who may reach them.
#include "proxy/net/egress.hpp"

#include "tests/support/catch.hpp"

#include <map>

using namespace reauth;

namespace {

boost::asio::ip::address at(const std::string& text) {
    return boost::asio::ip::make_address(text);
}

http_url url(const std::string& scheme, const std::string& host, std::uint16_t port = 443) {
    http_url out;
    out.scheme = scheme;
    out.host = host;
    out.port = port;
    return out;
}

bool reachable(const http_url& u, const std::string& address, const std::vector<std::string>& allow = {},
               const std::vector<std::string>& trusted = {}) {
    const auto rules = egress_rules::parse(allow);
    REQUIRE(rules.has_value());
    const auto answer = check_egress(*rules, u, at(address), {trusted});
    if (!answer)
        CHECK(answer.error().code == fault::egress_refused);
    return answer.has_value();
}

} // namespace

TEST_CASE("addresses are classified, wrapped IPv4 by what is inside") {
    const std::vector<std::pair<std::string, address_kind>> known{
        {"1.1.1.1", address_kind::global},
        {"9.255.255.255", address_kind::global},
        {"10.0.0.0", address_kind::private_use},
        {"10.255.255.255", address_kind::private_use},
        {"11.0.0.0", address_kind::global},
        {"172.15.255.255", address_kind::global},
        {"172.16.0.1", address_kind::private_use},
        {"172.31.255.255", address_kind::private_use},
        {"172.32.0.0", address_kind::global},
        {"192.168.1.1", address_kind::private_use},
        {"100.63.255.255", address_kind::global},
        {"100.64.0.1", address_kind::shared},
        {"100.128.0.0", address_kind::global},
        {"127.0.0.1", address_kind::loopback},
        {"127.255.255.255", address_kind::loopback},
        {"169.254.169.254", address_kind::link_local},
        {"0.0.0.0", address_kind::unspecified},
        {"0.1.2.3", address_kind::unspecified},
        {"192.0.0.8", address_kind::reserved},
        {"192.0.2.1", address_kind::reserved},
        {"198.18.0.1", address_kind::reserved},
        {"198.19.255.255", address_kind::reserved},
        {"198.20.0.0", address_kind::global},
        {"198.51.100.7", address_kind::reserved},
        {"203.0.113.7", address_kind::reserved},
        {"224.0.0.1", address_kind::multicast},
        {"239.255.255.255", address_kind::multicast},
        {"240.0.0.1", address_kind::reserved},
        {"255.255.255.255", address_kind::reserved},
        {"2606:4700:4700::1111", address_kind::global},
        {"2001:4860:4860::8888", address_kind::global},
        {"::1", address_kind::loopback},
        {"::", address_kind::unspecified},
        {"::2", address_kind::reserved},
        {"::127.0.0.1", address_kind::reserved},
        {"::ffff:127.0.0.1", address_kind::loopback},
        {"::ffff:10.1.2.3", address_kind::private_use},
        {"::ffff:169.254.169.254", address_kind::link_local},
        {"::ffff:8.8.8.8", address_kind::global},
        {"64:ff9b::10.1.2.3", address_kind::private_use},
        {"64:ff9b::8.8.8.8", address_kind::global},
        {"64:ff9b:1::1", address_kind::private_use},
        {"2002:a9fe:a9fe::1", address_kind::link_local},
        {"2002:0808:0808::1", address_kind::global},
        {"2001::1", address_kind::reserved},
        {"2001:2::1", address_kind::reserved},
        {"2001:20::1", address_kind::reserved},
        {"2001:db8::1", address_kind::reserved},
        {"3fff::1", address_kind::reserved},
        {"5f00::1", address_kind::reserved},
        {"100::1", address_kind::reserved},
        {"fc00::1", address_kind::private_use},
        {"fdff::1", address_kind::private_use},
        {"fec0::1", address_kind::private_use},
        {"fe80::1", address_kind::link_local},
        {"febf::1", address_kind::link_local},
        {"ff02::1", address_kind::multicast},
        {"4000::1", address_kind::reserved},
    };
    for (const auto& [text, kind] : known) {
        INFO(text);
        CHECK(to_string(classify(at(text))) == to_string(kind));
    }
}

TEST_CASE("a public https host is reachable at a global address only") {
    const auto as = url("https", "as.example");
    CHECK(reachable(as, "1.1.1.1"));
    for (const auto* bad :
         {"127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fd00::1",
          "100.64.0.1", "0.0.0.0", "224.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"}) {
        INFO(bad);
        CHECK_FALSE(reachable(as, bad));
    }
}

TEST_CASE("a loopback name or literal may use loopback, with and without TLS") {
    for (const auto* scheme : {"http", "https"}) {
        CHECK(reachable(url(scheme, "localhost", 8080), "127.0.0.1"));
        CHECK(reachable(url(scheme, "localhost", 8080), "::1"));
        CHECK(reachable(url(scheme, "127.0.0.1", 8080), "127.0.0.1"));
        CHECK(reachable(url(scheme, "[::1]", 8080), "::1"));
        CHECK_FALSE(reachable(url(scheme, "localhost", 8080), "10.0.0.1"));
    }
}

TEST_CASE("plain http leaves the machine for nobody") {
    CHECK_FALSE(reachable(url("http", "as.example", 80), "1.1.1.1"));
    CHECK_FALSE(reachable(url("http", "as.example", 80), "127.0.0.1"));
    CHECK_FALSE(reachable(url("http", "as.example", 80), "10.0.0.1", {"10.0.0.0/8"}, {"as.example"}));
    CHECK_FALSE(reachable(url("http", "localhost", 80), "10.0.0.1", {"10.0.0.0/8"}, {"localhost"}));
    CHECK_FALSE(reachable(url("http", "localhost", 80), "1.1.1.1"));
}

TEST_CASE("a trusted host may resolve to any address, others still not") {
    const std::vector<std::string> trusted{"mcp.corp.example", "idp.corp.example:8443"};
    CHECK(reachable(url("https", "mcp.corp.example"), "10.0.0.1", {}, trusted));
    CHECK(reachable(url("https", "mcp.corp.example", 9000), "127.0.0.1", {}, trusted));
    CHECK(reachable(url("https", "idp.corp.example", 8443), "10.0.0.1", {}, trusted));
    CHECK_FALSE(reachable(url("https", "idp.corp.example"), "10.0.0.1", {}, trusted));
    CHECK_FALSE(reachable(url("https", "evil.mcp.corp.example"), "10.0.0.1", {}, trusted));
}

TEST_CASE("egress.allow opens networks, addresses and hosts") {
    const std::vector<std::string> allow{"10.1.0.0/16", "fd00:1::/32", "192.168.7.7", "fd77::7",
                                         "idp.corp.example"};
    const auto as = url("https", "as.example");
    CHECK(reachable(as, "10.1.2.3", allow));
    CHECK(reachable(as, "::ffff:10.1.2.3", allow));
    CHECK_FALSE(reachable(as, "10.2.0.1", allow));
    CHECK(reachable(as, "fd00:1::5", allow));
    CHECK_FALSE(reachable(as, "fd00:2::5", allow));
    CHECK(reachable(as, "192.168.7.7", allow));
    CHECK_FALSE(reachable(as, "192.168.7.8", allow));
    CHECK(reachable(as, "fd77::7", allow));
    CHECK_FALSE(reachable(as, "fd77::8", allow));
    CHECK(reachable(url("https", "IDP.corp.example."), "10.9.9.9", allow));
    CHECK(reachable(as, "192.168.0.1", {"0.0.0.0/0"}));
    CHECK(reachable(as, "10.1.2.3", {"10.1.200.9/16"}));
}

TEST_CASE("an entry of egress.allow that is nothing is named") {
    for (const std::string wrong : {"10.0.0.0/33", "two words", "", "http://x/", "*.corp"}) {
        const auto rules = egress_rules::parse({"10.0.0.0/8", wrong});
        REQUIRE(rules.has_error());
        CHECK(rules.error().code == fault::invalid_configuration);
        CHECK(rules.error().message.find("\"" + wrong + "\"") != std::string::npos);
    }
}

TEST_CASE("host entries match host and port exactly") {
    CHECK(names_host("as.example", url("https", "as.example", 1)));
    CHECK(names_host("AS.example.:443", url("https", "as.example")));
    CHECK_FALSE(names_host("as.example:44", url("https", "as.example")));
    CHECK(names_host("[::1]:443", url("https", "[::1]")));
    CHECK(names_host("[::1]", url("https", "[::1]")));
    CHECK(names_host("fd00::1", url("https", "[fd00::1]")));
    CHECK_FALSE(names_host("", url("https", "as.example")));
}

TEST_CASE("a refusal names the host, the address, its kind and the way out") {
    const auto answer = check_egress({}, url("https", "as.example"), at("169.254.169.254"), {});
    REQUIRE(answer.has_error());
    const auto text = answer.error().describe();
    for (const auto* part : {"as.example", "169.254.169.254", "link-local", "egress: {allow: [as.example]}"})
        CHECK(text.find(part) != std::string::npos);
}

TEST_CASE(
    "plain http that is allowed reaches the upstream's own host and what egress.allow names, nothing else") {
    const auto reaches = [](const std::string& host, const std::string& address,
                            const std::vector<std::string>& allow = {}) {
        const auto rules = egress_rules::parse(allow);
        const auto answer =
            check_egress(*rules, url("http", host, 8000), at(address), {{"mcp"}, plain_http::allowed});
        if (!answer)
            CHECK(answer.error().fix.find("egress") != std::string::npos);
        return answer.has_value();
    };
    CHECK(reaches("mcp", "172.18.0.5"));
    CHECK(reaches("mcp", "203.0.114.9"));
    CHECK_FALSE(reaches("keycloak", "172.18.0.6"));
    CHECK(reaches("keycloak", "172.18.0.6", {"keycloak"}));
    CHECK(reaches("keycloak", "172.18.0.6", {"172.18.0.0/16"}));
    CHECK_FALSE(reaches("as.example", "203.0.114.9"));
    // without it nothing has changed
    CHECK_FALSE(check_egress({}, url("http", "mcp", 8000), at("172.18.0.5"), {{"mcp"}}).has_value());
}
