// Durations, sizes, endpoints and networks as text.
#include "conf/problems.hpp"
#include "conf/values.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using namespace std::chrono_literals;

TEST_CASE("durations have a unit") {
    CHECK(parse_duration("250ms") == 250ms);
    CHECK(parse_duration("60s") == 60s);
    CHECK(parse_duration("15m") == 15min);
    CHECK(parse_duration("2h") == 2h);
    CHECK(parse_duration("7d") == 168h);
    CHECK(parse_duration("0s") == 0s);
    for (const auto* wrong :
         {"", "5", "m", "-5s", "1.5s", "5 minutes", "367d", "99999999999999999999s", "5S"})
        CHECK_FALSE(parse_duration(wrong));
}

TEST_CASE("sizes are binary or decimal") {
    CHECK(parse_size("4MiB") == 4u << 20);
    CHECK(parse_size("64 KiB") == 64u << 10);
    CHECK(parse_size("10MB") == 10'000'000u);
    CHECK(parse_size("0") == 0u);
    CHECK(parse_size("512B") == 512u);
    for (const auto* wrong : {"", "MiB", "4M", "-1", "4mib", "2000GiB", "99999999999999999999"})
        CHECK_FALSE(parse_size(wrong));
}

TEST_CASE("endpoints are host and port or a Unix socket") {
    CHECK(parse_endpoint("localhost:80")->loopback());
    CHECK(parse_endpoint("[::1]:80")->loopback());
    CHECK(parse_endpoint("[::1]:80")->host == "::1");
    CHECK_FALSE(parse_endpoint("0.0.0.0:80")->loopback());
    CHECK_FALSE(parse_endpoint("[::]:80")->loopback());
    CHECK(parse_endpoint("unix:/run/x.sock")->unix_path == "/run/x.sock");
    CHECK(parse_endpoint("unix:/run/x.sock")->loopback());
    CHECK(parse_endpoint("unix:/run/x.sock")->to_string() == "unix:/run/x.sock");
    for (const auto* wrong :
         {"", "80", ":80", "a:", "a:65536", "a:-1", "::1:80", "[x]:1", "a b:1", "unix:x", "a/b:1"})
        CHECK(parse_endpoint(wrong).has_error());
    CHECK(parse_endpoint("unix:/" + std::string(120, 'x')).has_error());
}

TEST_CASE("networks are addresses with a prefix") {
    CHECK(is_network("10.0.0.0/8"));
    CHECK(is_network("::1"));
    CHECK(is_network("fd00::/8"));
    CHECK_FALSE(is_network("10.0.0.0/33"));
    CHECK_FALSE(is_network("10.0.0/8"));
    CHECK_FALSE(is_network("host"));
}

TEST_CASE("variables are the key in capitals") {
    CHECK(environment_name("approval.listen") == "MCP_REAUTH_APPROVAL_LISTEN");
    CHECK(environment_name("upstreams.my-api.url") == "MCP_REAUTH_UPSTREAMS_MY_API_URL");
}

TEST_CASE("the nearest key is few edits away or none") {
    const std::vector<std::string> keys{"listen", "limits", "log", "lifetime"};
    CHECK(nearest("listne", keys) == "listen");
    CHECK(nearest("limit", keys) == "limits");
    CHECK(nearest("logs", keys) == "log");
    CHECK(nearest("banana", keys).empty());
    CHECK(nearest("", keys).empty());
    CHECK(nearest(std::string(10000, 'a'), keys).empty());
}
