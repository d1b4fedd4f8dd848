// Request heads judged byte by byte.
#include "proxy/net/service_head.hpp"

#include <catch2/catch.hpp>

using namespace reauth;

TEST_CASE("a clean head passes; folded lines, bare line ends and control characters do not") {
    CHECK_FALSE(malformed_head_bytes("GET / HTTP/1.1\r\nHost: h\r\nX:\ty\r\n\r\n"));
    using namespace std::string_literals;
    for (const auto& head :
         {"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n"s, "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n"s,
          "GET / HTTP/1.1\r\nX: a\0b\r\n\r\n"s, "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n"s,
          "GET / HTTP/1.1\r\n\tX: a\r\n\r\n"s, "GET / HTTP/1.1\r\nX : a\r\n\r\n"s,
          "GET / HTTP/1.1\r\n: a\r\n\r\n"s, "GET / HTTP/1.1\r\nno colon\r\n\r\n"s,
          "\r\nGET / HTTP/1.1\r\n\r\n"s, "\r\n\r\n"s}) {
        INFO(head);
        CHECK(malformed_head_bytes(head));
    }
}

TEST_CASE("framing is accepted only where it can mean one thing") {
    const auto status = [](std::vector<header_field> h, unsigned version = 11) {
        return check_framing("POST", "/", version, h).status;
    };
    CHECK(status({{"Host", "h"}}) == 0);
    CHECK(status({{"host", "h"}, {"content-LENGTH", "0"}}) == 0);
    CHECK(status({{"Host", "[::1]:80"}, {"Transfer-Encoding", "Chunked"}}) == 0);
    CHECK(status({}, 10) == 0);
    CHECK(status({}) == 400);
    CHECK(status({{"Host", ""}}) == 400);
    CHECK(status({{"Host", "a b"}}) == 400);
    CHECK(status({{"Host", "h"}, {"Content-Length", ""}}) == 400);
    CHECK(status({{"Host", "h"}, {"Content-Length", "0x1"}}) == 400);
    CHECK(status({{"Host", "h"}, {"Content-Length", "99999999999999999999"}}) == 400);
    CHECK(status({{"Host", "h"}, {"Transfer-Encoding", "identity"}}) == 501);
    CHECK(status({{"Host", "h"}, {"Transfer-Encoding", ""}}) == 501);
    for (const auto* target : {"", "*", "a", "http://h/", "/a b", "/a#b", "/a\\b", "/\xc3\xa9"})
        CHECK(check_framing("GET", target, 11, {{"Host", "h"}}).status == 400);
}

TEST_CASE("a response head cannot be split by a field value") {
    CHECK(format_response_head(404, {{"A", "b"}}).find("HTTP/1.1 404 Not Found\r\n") == 0);
    CHECK_THROWS_AS(format_response_head(200, {{"A", "b\r\nC: d"}}), std::invalid_argument);
    CHECK_THROWS_AS(format_response_head(200, {{"A: b\r\nC", "d"}}), std::invalid_argument);
    CHECK_THROWS_AS(format_response_head(200, {{"", "d"}}), std::invalid_argument);
}
