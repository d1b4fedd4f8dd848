// Answers of the small HTTP server, byte by byte.
#include "proxy/net/service_head.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

TEST_CASE("a response head cannot be split by a field value") {
    CHECK(format_response_head(404, {{"A", "b"}}).find("HTTP/1.1 404 Not Found\r\n") == 0);
    CHECK_THROWS_AS(format_response_head(200, {{"A", "b\r\nC: d"}}), std::invalid_argument);
    CHECK_THROWS_AS(format_response_head(200, {{"A: b\r\nC", "d"}}), std::invalid_argument);
    CHECK_THROWS_AS(format_response_head(200, {{"", "d"}}), std::invalid_argument);
}
