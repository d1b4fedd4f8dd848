// Response heads are read as strictly as requests', with the body rules of RFC 9112 §6.3.
#include "core/http/http_head.hpp"

#include "tests/support/catch.hpp"

#include <string>

using namespace reauth;

namespace {

std::string response_verdict(const std::string& text, response_head& head, bool to_head = false) {
    const auto outcome = parse_response_head(text, to_head, head);
    if (outcome.is == head_outcome::kind::complete)
        return "complete";
    return outcome.is == head_outcome::kind::incomplete ? "incomplete" : outcome.reason;
}

std::string response_verdict(const std::string& text) {
    response_head head;
    return response_verdict(text, head);
}

body_framing framing(const std::string& text, bool to_head = false) {
    response_head head;
    REQUIRE(response_verdict(text, head, to_head) == "complete");
    return head.framing;
}

} // namespace

TEST_CASE("an answer's body ends as its status and fields say") {
    CHECK(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") == body_framing::sized);
    CHECK(framing("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == body_framing::none);
    CHECK(framing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") == body_framing::chunked);
    CHECK(framing("HTTP/1.1 200 OK\r\n\r\n") == body_framing::until_close);
    CHECK(framing("HTTP/1.0 200 OK\r\n\r\n") == body_framing::until_close);
    CHECK(framing("HTTP/1.1 204 No Content\r\n\r\n") == body_framing::none);
    CHECK(framing("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n") == body_framing::none);
    CHECK(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true) == body_framing::none);
    CHECK(framing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true) == body_framing::none);
    CHECK(framing("HTTP/1.1 200 OK\r\n\r\n", true) == body_framing::none);
}

TEST_CASE("a body that ends with the connection costs the connection") {
    response_head head;
    REQUIRE(response_verdict("HTTP/1.1 200 OK\r\n\r\n", head) == "complete");
    CHECK_FALSE(head.keep_alive);
    REQUIRE(response_verdict("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", head) == "complete");
    CHECK(head.keep_alive);
    REQUIRE(response_verdict("HTTP/1.1 204 X\r\nConnection: close\r\n\r\n", head) == "complete");
    CHECK_FALSE(head.keep_alive);
}

TEST_CASE("interim answers have no body and no upgrade is taken") {
    response_head head;
    REQUIRE(response_verdict("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", head) == "complete");
    CHECK(head.status == 103);
    CHECK(head.framing == body_framing::none);
    CHECK(response_verdict("HTTP/1.1 100 Continue\r\n\r\n") == "complete");
    CHECK(response_verdict("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n") ==
          "an interim answer with a body");
    CHECK(response_verdict("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n") ==
          "unexpected protocol upgrade");
}

TEST_CASE("answers with doubtful framing are refused") {
    const auto with = [](const std::string& fields) {
        return response_verdict("HTTP/1.1 200 OK\r\n" + fields + "\r\n");
    };
    CHECK(with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") ==
          "both Content-Length and Transfer-Encoding");
    CHECK(with("Transfer-Encoding: gzip, chunked\r\n") == "unsupported Transfer-Encoding");
    CHECK(with("Transfer-Encoding: gzip\r\n") == "unsupported Transfer-Encoding");
    CHECK(with("Content-Length: 5\r\nContent-Length: 5\r\n") == "repeated Content-Length");
    CHECK(with("Content-Length: -1\r\n") == "malformed Content-Length");
    CHECK(with("Content-Length: 5\r\n folded\r\n") == "folded field line");
    CHECK(with("X : 1\r\n") == "malformed field name");
    CHECK(response_verdict("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          "Transfer-Encoding in HTTP/1.0");
    CHECK(response_verdict("HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n") == "line not ended by CRLF");
}

TEST_CASE("status lines are read strictly") {
    response_head head;
    const std::string odd = "HTTP/1.1 207 Multi  Status\r\n\r\n";
    REQUIRE(response_verdict(odd, head) == "complete");
    CHECK(head.status == 207);
    CHECK(head.status_line_rest == "207 Multi  Status");
    CHECK(response_verdict("HTTP/1.1 200\r\n\r\n") == "complete");
    CHECK(response_verdict("HTTP/1.1 200 \r\n\r\n") == "complete");
    CHECK(response_verdict("HTTP/1.1 20 OK\r\n\r\n") == "malformed status line");
    CHECK(response_verdict("HTTP/1.1 2000 OK\r\n\r\n") == "malformed status line");
    CHECK(response_verdict("HTTP/1.1 099 OK\r\n\r\n") == "malformed status line");
    CHECK(response_verdict("HTTP/1.1  200 OK\r\n\r\n") == "malformed status line");
    CHECK(response_verdict("HTTP/1.2 200 OK\r\n\r\n") == "malformed status line");
    CHECK(response_verdict("HTTP/1.1 200 O\x01K\r\n\r\n") == "malformed status line");
    CHECK(response_verdict("HTTP/2 200 OK\r\n\r\n") == "malformed status line");
    CHECK(response_verdict("SSH-2.0-x") == "not an HTTP/1 answer");
    CHECK(response_verdict("HTTP/1.") == "incomplete");
    CHECK(response_verdict("") == "incomplete");
}

TEST_CASE("what Keep-Alive promises is read in seconds") {
    const auto promised = [](const std::string& value) {
        response_head head;
        const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: " + value + "\r\n\r\n";
        REQUIRE(parse_response_head(text, false, head).is == head_outcome::kind::complete);
        return keep_alive_timeout(head);
    };
    CHECK(promised("timeout=5") == 5);
    CHECK(promised("max=100, Timeout=72") == 72);
    CHECK(promised("timeout=99999999999") == 86400);
    CHECK(promised("timeout=0") == 1);
    CHECK(promised("timeout=soon") == 0);
    CHECK(promised("") == 0);
}
