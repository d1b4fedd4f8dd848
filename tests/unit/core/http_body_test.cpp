// Bodies in transit: the same pieces however the bytes are cut, and no doubtful framing.
#include "core/http/http_body.hpp"

#include "tests/support/catch.hpp"

#include <string>
#include <vector>

using namespace reauth;

namespace {

message_head chunked() {
    message_head head;
    head.framing = body_framing::chunked;
    return head;
}

message_head sized(std::uint64_t n) {
    message_head head;
    head.framing = n ? body_framing::sized : body_framing::none;
    head.content_length = n;
    return head;
}

struct passed {
    bool ok = true, done = false;
    std::string out, left;
    bool operator==(const passed& o) const {
        return ok == o.ok && done == o.done && out == o.out && left == o.left;
    }
};

/// Feeds the parts one after the other; every part is a buffer of its own.
passed pass(const message_head& head, const std::vector<std::string>& parts, bool payload_only = false) {
    body_scanner scanner(head);
    passed p;
    for (const auto& part : parts) {
        std::string_view input = part;
        if (p.ok && !scanner.done())
            p.ok = pass_body(scanner, input, payload_only, p.out);
        p.left += input;
    }
    p.done = scanner.done();
    if (!p.ok)
        p.out.clear(), p.left.clear();
    return p;
}

/// The outcome, after checking that it is the same for every cut in two and byte by byte.
passed robust(const std::string& text, bool payload_only = false) {
    const auto whole = pass(chunked(), {text}, payload_only);
    for (std::size_t i = 0; i <= text.size(); ++i) {
        INFO("cut at " << i);
        CHECK(pass(chunked(), {text.substr(0, i), text.substr(i)}, payload_only) == whole);
    }
    std::vector<std::string> bytes;
    for (const char c : text)
        bytes.emplace_back(1, c);
    CHECK(pass(chunked(), bytes, payload_only) == whole);
    return whole;
}

} // namespace

TEST_CASE("a chunked body goes on as it is and ends where it ends") {
    const std::string body = "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n";
    const auto whole = robust(body + "GET /next");
    CHECK(whole.ok);
    CHECK(whole.done);
    CHECK(whole.out == body);
    CHECK(whole.left == "GET /next");
}

TEST_CASE("the payload alone can be had") {
    const auto whole = robust("5\r\nhello\r\n00a;x=y\r\n0123456789\r\n000\r\nT: 1\r\n\r\nrest", true);
    CHECK(whole.out == "hello0123456789");
    CHECK(whole.left == "rest");
}

TEST_CASE("chunk extensions are dropped") {
    const auto whole = robust("5;a=b;c=\"d;e\"\r\nhello\r\n3 ; x\r\nabc\r\n0;last\r\n\r\n");
    CHECK(whole.done);
    CHECK(whole.out == "5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n");
}

TEST_CASE("trailers are dropped") {
    const auto whole = robust("2\r\nhi\r\n0\r\nX-Trailer: 1\r\nContent-Length: 5\r\n\r\nnext");
    CHECK(whole.done);
    CHECK(whole.out == "2\r\nhi\r\n0\r\n\r\n");
    CHECK(whole.left == "next");
}

TEST_CASE("doubtful chunk framing is refused") {
    for (const std::string text : {
             "\r\nhello",
             "x\r\n",
             "-5\r\nhello\r\n",
             "+5\r\nhello\r\n",
             "0x5\r\nhello\r\n",
             "5\nhello\r\n",
             "5\r\nhelloX\r\n",
             "5\r\nhello\n0\r\n\r\n",
             "5\r\nhello\rX",
             "5\r\nhello0\r\n\r\n",
             "5;a\nhello",
             "5;a\rb\r\nhello",
             "5\rX",
             "0\r\n\rX",
             "1000000000000000\r\n",
             "ffffffffffffffffffffffff\r\n",
             " 5\r\nhello\r\n",
             "5_\r\n",
             "0\r\n\n",
             "0\r\nX: 1\n\r\n",
             "0\r\nX: 1\n\n",
             ";x\r\n",
         }) {
        INFO(text);
        CHECK_FALSE(robust(text).ok);
    }
}

TEST_CASE("the largest chunk size that is taken does not overflow") {
    body_scanner scanner(chunked());
    std::string_view input = "fffffffffffffff\r\nabc";
    std::string out;
    CHECK(pass_body(scanner, input, true, out));
    CHECK(out == "abc");
    CHECK_FALSE(scanner.done());
}

TEST_CASE("endless extensions and trailers are refused") {
    CHECK_FALSE(pass(chunked(), {"5;" + std::string(20'000, 'a') + "\r\nhello\r\n"}).ok);
    std::string trailers = "0\r\n";
    for (int i = 0; i < 2000; ++i)
        trailers += "X-Trailer: 1\r\n";
    CHECK_FALSE(pass(chunked(), {trailers}).ok);
    std::string many;
    for (int i = 0; i < 3000; ++i)
        many += "1;abcdef\r\nx\r\n";
    CHECK_FALSE(pass(chunked(), {many}).ok);
}

TEST_CASE("a sized body takes exactly its length") {
    const auto p = pass(sized(5), {"he", "", "llo", "next"});
    CHECK(p.done);
    CHECK(p.out == "hello");
    CHECK(p.left == "next");
    CHECK(pass(sized(0), {"next"}).done);
    CHECK(pass(sized(0), {"next"}).left == "next");
    CHECK_FALSE(pass(sized(6), {"hello"}).done);
}

TEST_CASE("only a body that ends with the connection may end by its close") {
    message_head until;
    until.framing = body_framing::until_close;
    body_scanner open_end(until), counted(sized(5)), in_chunks(chunked()), none(sized(0));
    CHECK(open_end.close_is_end());
    CHECK_FALSE(counted.close_is_end());
    CHECK_FALSE(in_chunks.close_is_end());
    CHECK(none.close_is_end());
    CHECK(pass(until, {"a", "b"}).out == "ab");
    CHECK_FALSE(pass(until, {"a"}).done);
}

TEST_CASE("payload is counted without framing") {
    body_scanner scanner(chunked());
    std::string out;
    std::string_view input = "5;x\r\nhello\r\n3\r\nab";
    REQUIRE(pass_body(scanner, input, false, out));
    CHECK(scanner.payload() == 7);
}
