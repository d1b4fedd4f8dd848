// Who may come in: Host, Origin, Sec-Fetch-Site and client authentication.
#include "proxy/relay/admission.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

namespace {

struct door {
    config settings;
    listener_identity listener;

    door() {
        listener.address = "127.0.0.1:8970";
        listener.port = 8970;
    }
    admission knock(const std::string& fields) const {
        const std::string text = "POST / HTTP/1.1\r\n" + fields + "\r\n";
        request_head head;
        REQUIRE(parse_request_head(text, head).is == head_outcome::kind::complete);
        return admit(head, settings, listener);
    }
    unsigned host(const std::string& value) const { return knock("Host: " + value + "\r\n").status; }
};

const std::string ours = "Host: 127.0.0.1:8970\r\n";

} // namespace

TEST_CASE("our own names at our own port come in, in any case") {
    door d;
    for (const auto* name : {"127.0.0.1:8970", "localhost:8970", "LocalHost:8970", "[::1]:8970"})
        CHECK(d.host(name) == 0);
}

TEST_CASE("a rebound or foreign Host is refused") {
    door d;
    for (const auto* name :
         {"evil.example:8970", "evil.example", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8971",
          "127.0.0.1.evil.example:8970", "localhost.evil.example:8970", "127.0.0.2:8970", "0.0.0.0:8970",
          "localhost:", "localhost:89700", "localhost:8970x", "localhost:8970:8970", "localhost:08970x",
          "[::1]", ":8970", "localhost:-8970"}) {
        INFO(name);
        CHECK(d.host(name) == 403);
    }
}

TEST_CASE("allowed_hosts adds names, with or without a port") {
    door d;
    d.settings.allowed_hosts = {"mcp.team.example", "gate:444"};
    CHECK(d.host("mcp.team.example") == 0);
    CHECK(d.host("MCP.team.example:1234") == 0);
    CHECK(d.host("gate:444") == 0);
    CHECK(d.host("gate:445") == 403);
}

TEST_CASE("bound to every address, an address literal is what the person typed, a name is not") {
    door d;
    d.listener.any_address = true;
    CHECK(d.host("192.0.2.7:8970") == 0);
    CHECK(d.host("[2001:db8::1]:8970") == 0);
    CHECK(d.host("evil.example:8970") == 403);
}

TEST_CASE("a Unix socket takes any Host: no browser reaches it") {
    door d;
    d.listener.address = "unix:/run/x";
    d.listener.port = 0;
    CHECK(d.host("whatever") == 0);
}

TEST_CASE("requests of web pages are refused unless their origin is allowed") {
    door d;
    d.settings.allowed_origins = {"http://localhost:6274"};
    CHECK(d.knock(ours + "Origin: https://evil.example\r\n").status == 403);
    CHECK(d.knock(ours + "Origin: null\r\n").status == 403);
    CHECK(d.knock(ours + "Origin: http://localhost:6275\r\n").status == 403);
    CHECK(d.knock(ours + "Origin: http://127.0.0.1:8971\r\n").status == 403);
    CHECK(d.knock(ours + "Origin: https://127.0.0.1:8970\r\n").status == 403);
    CHECK(d.knock(ours + "Origin: http://localhost:8970\r\n").status == 403);
    CHECK(d.knock(ours + "Origin: http://127.0.0.1:8970\r\n").status == 0); // the very address it calls
    CHECK(d.knock(ours + "Origin: http://localhost:6274\r\nSec-Fetch-Site: cross-site\r\n").status == 0);
}

TEST_CASE("cross-site and same-site requests are refused") {
    door d;
    CHECK(d.knock(ours + "Sec-Fetch-Site: cross-site\r\n").status == 403);
    CHECK(d.knock(ours + "Sec-Fetch-Site: same-site\r\n").status == 403);
    CHECK(d.knock(ours + "Sec-Fetch-Site: none\r\n").status == 0);
    CHECK(d.knock(ours + "Sec-Fetch-Site: same-origin\r\n").status == 0);
}
