// Request heads: what smuggles is refused, what is odd but legal passes, however the bytes arrive.
#include "core/http/http_head.hpp"

#include "tests/support/catch.hpp"

#include <string>
#include <vector>

using namespace reauth;

namespace {

head_outcome parse(const std::string& text, request_head& head) {
    return parse_request_head(text, head);
}

/// Why a head is refused; "complete" or "incomplete" where it is not.
std::string verdict(const std::string& text) {
    request_head head;
    const auto outcome = parse(text, head);
    if (outcome.is == head_outcome::kind::complete)
        return "complete";
    if (outcome.is == head_outcome::kind::incomplete)
        return "incomplete";
    return outcome.reason;
}

std::string with(const std::string& fields) {
    return "POST /mcp HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

} // namespace

TEST_CASE("an ordinary head is read into its parts") {
    const std::string text =
        "POST /mcp?x=1 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 12\r\nX-Odd:  spaced out \t\r\n\r\nrest";
    request_head head;
    REQUIRE(parse(text, head).is == head_outcome::kind::complete);
    CHECK(head.method == "POST");
    CHECK(head.target == "/mcp?x=1");
    CHECK(head.minor_version == 1);
    CHECK(head.framing == body_framing::sized);
    CHECK(head.content_length == 12);
    CHECK(head.keep_alive);
    CHECK(head.size == text.size() - 4);
    REQUIRE(head.field_count == 3);
    CHECK(head.fields[2].name == "X-Odd");
    CHECK(head.fields[2].value == "spaced out");
    CHECK(head.fields[2].line == "X-Odd:  spaced out \t\r\n");
    CHECK(head.value(field_id::host) == "a:80");
    CHECK(head.find(field_id::cookie) == nullptr);
}

TEST_CASE("line ends other than CRLF are refused") {
    CHECK(verdict("GET / HTTP/1.1\nHost: a\r\n\r\n") == "line not ended by CRLF");
    CHECK(verdict("GET / HTTP/1.1\r\nHost: a\n\r\n") == "line not ended by CRLF");
    CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\n\n") == "line not ended by CRLF");
    CHECK(verdict("GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n") == "control character in a field value");
    CHECK(verdict("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") != "complete");
}

TEST_CASE("folded lines and white space around names are refused") {
    CHECK(verdict(with("X-A: 1\r\n two\r\n")) == "folded field line");
    CHECK(verdict(with("X-A: 1\r\n\ttwo\r\n")) == "folded field line");
    CHECK(verdict("GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n") == "folded field line");
    CHECK(verdict(with("Content-Length : 5\r\n")) == "malformed field name");
    CHECK(verdict(with("Transfer-Encoding\t: chunked\r\n")) == "malformed field name");
    CHECK(verdict(with("No colon\r\n")) == "malformed field name");
    CHECK(verdict(with("nocolon\r\n")) == "malformed field name");
    CHECK(verdict(with(": empty\r\n")) == "malformed field name");
    CHECK(verdict(with("X(y): 1\r\n")) == "malformed field name");
    CHECK(verdict(with("X\xc3\xa4: 1\r\n")) == "malformed field name");
}

TEST_CASE("a Content-Length that readers may take differently is refused") {
    for (const auto* value : {"", "+5", "-5", "0x5", "5 5", "5, 5", "5,5", "5;", "1e3", "5.0",
                              "9999999999999999999", "99999999999999999999999", "\xef\xbc\x95"})
        CHECK(verdict(with(std::string("Content-Length: ") + value + "\r\n")) == "malformed Content-Length");
    CHECK(verdict(with("Content-Length: 5\r\nContent-Length: 5\r\n")) == "repeated Content-Length");
    CHECK(verdict(with("Content-Length: 5\r\ncontent-length: 6\r\n")) == "repeated Content-Length");
    CHECK(verdict(with("Content-Length: 005\r\n")) == "complete");
}

TEST_CASE("only one plain chunked coding, alone and in HTTP/1.1, delimits a body") {
    CHECK(verdict(with("Transfer-Encoding: chunked\r\n")) == "complete");
    CHECK(verdict(with("Transfer-Encoding: CHUNKED\r\n")) == "complete");
    for (const auto* value : {"gzip", "gzip, chunked", "chunked, gzip", "identity", "", "chunked;q=1",
                              "chunked,", "\"chunked\"", "xchunked", "chunked chunked"})
        CHECK(verdict(with(std::string("Transfer-Encoding: ") + value + "\r\n")) ==
              "unsupported Transfer-Encoding");
    CHECK(verdict(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")) ==
          "repeated Transfer-Encoding");
    CHECK(verdict(with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")) ==
          "both Content-Length and Transfer-Encoding");
    CHECK(verdict(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")) ==
          "both Content-Length and Transfer-Encoding");
    CHECK(verdict(with("Content-Length: 5\r\nTransfer-Encoding: gzip\r\n")) ==
          "unsupported Transfer-Encoding");
    CHECK(verdict("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          "Transfer-Encoding in HTTP/1.0");
}

TEST_CASE("exactly one well-formed Host is required") {
    CHECK(verdict("GET / HTTP/1.1\r\n\r\n") == "missing Host");
    CHECK(verdict("GET / HTTP/1.0\r\n\r\n") == "complete"); // RFC 9112 section 3.2: of HTTP/1.1
    CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") == "repeated Host");
    CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n") == "repeated Host");
    for (const auto* host : {"", "a b", "a/b", "a,b", "user@a", "a%00", "a\\b", "a?b"})
        CHECK(verdict(std::string("GET / HTTP/1.1\r\nHost: ") + host + "\r\n\r\n") == "malformed Host");
    CHECK(verdict("GET / HTTP/1.1\r\nHost: [::1]:8970\r\n\r\n") == "complete");
    CHECK(verdict("GET / HTTP/1.1\r\nHost: " + std::string(300, 'a') + "\r\n\r\n") == "malformed Host");
}

TEST_CASE("a coding that nobody understands is told from broken framing") {
    request_head head;
    const auto is = [&](const std::string& fields) {
        const auto text = "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
        return parse_request_head(text, head).is;
    };
    CHECK(is("Transfer-Encoding: gzip\r\n") == head_outcome::kind::unsupported);
    CHECK(is("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n") == head_outcome::kind::bad);
    CHECK(is("X : 1\r\n") == head_outcome::kind::bad);
    CHECK(is("Transfer-Encoding: chunked\r\n") == head_outcome::kind::complete);
}

TEST_CASE("request lines are read strictly") {
    const auto line = [](const std::string& text) { return verdict(text + "\r\nHost: a\r\n\r\n"); };
    CHECK(line("GET http://a/ HTTP/1.1") == "malformed request target");
    CHECK(line("CONNECT a:443 HTTP/1.1") == "malformed request target");
    CHECK(line("GET mcp HTTP/1.1") == "malformed request target");
    CHECK(line("OPTIONS * HTTP/1.1") == "complete");
    CHECK(line("GET /a#b HTTP/1.1") == "malformed request target");
    CHECK(line("GET /a\\b HTTP/1.1") == "malformed request target");
    CHECK(line("GET /\xc3\xa4 HTTP/1.1") == "malformed request target");
    CHECK(line(std::string("GET /a") + '\0' + "b HTTP/1.1") == "malformed request target");
    CHECK(line("GET  / HTTP/1.1") == "malformed request line");
    CHECK(line("GET /") == "malformed request line");
    CHECK(line("GET / ") == "unsupported HTTP version");
    CHECK(line("GET /  HTTP/1.1") == "unsupported HTTP version");
    CHECK(line("GET / HTTP/1.1 ") == "unsupported HTTP version");
    CHECK(line("GET / HTTP/2.0") == "unsupported HTTP version");
    CHECK(line("GET / HTTP/1.2") == "unsupported HTTP version");
    CHECK(line("GET / http/1.1") == "unsupported HTTP version");
    CHECK(line("GET\t/ HTTP/1.1") == "malformed request line");
    CHECK(line("G@T / HTTP/1.1") == "malformed request line");
    CHECK(verdict("\x16\x03\x01") == "not an HTTP request");
}

TEST_CASE("control characters in values are refused; bytes above 127 pass") {
    for (const char c : {'\0', '\x01', '\x08', '\x0b', '\x0c', '\x1f', '\x7f'})
        CHECK(verdict(with(std::string("X-A: a") + c + "b\r\n")) == "control character in a field value");
    CHECK(verdict(with("X-A: caf\xc3\xa9 \xff\r\n")) == "complete");
    CHECK(verdict(with("X-A: a\tb\r\n")) == "complete");
    CHECK(verdict(with("X-A:\r\n")) == "complete");
}

TEST_CASE("what is too much is told apart from what is wrong") {
    std::string fields;
    for (int i = 0; i < 127; ++i)
        fields += "X-" + std::to_string(i) + ": 1\r\n";
    request_head head;
    CHECK(parse(with(fields), head).is == head_outcome::kind::complete);
    CHECK(parse(with(fields + "X-More: 1\r\n"), head).is == head_outcome::kind::too_large);
    CHECK(parse(with("X-Long: " + std::string(max_head_size, 'a') + "\r\n"), head).is ==
          head_outcome::kind::too_large);
    CHECK(parse("GET /" + std::string(max_head_size, 'a'), head).is == head_outcome::kind::too_large);
    CHECK(parse("GET / HTTP/1.1\r\nX: " + std::string(max_head_size, 'a'), head).is ==
          head_outcome::kind::too_large);
    CHECK(parse(with("X-Long: " + std::string(60'000, 'a') + "\r\n"), head).is ==
          head_outcome::kind::complete);
}

TEST_CASE("the connection persists as the version and Connection say") {
    const auto keeps = [](const std::string& version, const std::string& fields) {
        request_head head;
        REQUIRE(parse_request_head("GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n", head).is ==
                head_outcome::kind::complete);
        return head.keep_alive;
    };
    CHECK(keeps("1.1", ""));
    CHECK_FALSE(keeps("1.1", "Connection: x, Close\r\n"));
    CHECK_FALSE(keeps("1.0", ""));
    CHECK(keeps("1.0", "Connection: keep-alive\r\n"));
    CHECK_FALSE(keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
}

TEST_CASE("a head that arrives byte by byte is read as if it came at once") {
    const std::vector<std::string> samples = {
        "POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: X-Mine\r\nX-Mine: "
        "1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: 1\nY: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
    };
    for (const auto& text : samples) {
        request_head whole;
        const auto expected = parse(text, whole);
        request_head head;
        head_outcome last;
        std::size_t n = 0;
        while (n < text.size()) {
            // a buffer of its own size: reading beyond it is seen by the sanitizer
            const std::string part = text.substr(0, ++n);
            last = parse_request_head(part, head);
            if (last.is != head_outcome::kind::incomplete) {
                if (last.is == head_outcome::kind::complete) {
                    CHECK(head.size == whole.size);
                    CHECK(head.framing == whole.framing);
                    CHECK(head.field_count == whole.field_count);
                    for (std::size_t i = 0; i < head.field_count; ++i) {
                        CHECK(head.fields[i].id == whole.fields[i].id);
                        CHECK(head.fields[i].nominated == whole.fields[i].nominated);
                    }
                }
                break;
            }
        }
        CHECK(last.is == expected.is);
        CHECK(std::string(last.reason) == expected.reason);
    }
    request_head none;
    CHECK(parse_request_head("", none).is == head_outcome::kind::incomplete);
}

TEST_CASE("a head object that served one request forgets it at the next") {
    request_head head;
    REQUIRE(parse(with("Content-Length: 5\r\nConnection: X-A\r\nX-A: 1\r\n"), head).is ==
            head_outcome::kind::complete);
    REQUIRE(parse("GET / HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nX-A: 1\r\n\r\n", head).is ==
            head_outcome::kind::complete);
    CHECK(head.framing == body_framing::none);
    CHECK(head.field_count == 3);
    CHECK(head.keep_alive);
    for (const auto& f : head)
        CHECK_FALSE(f.nominated);
}
