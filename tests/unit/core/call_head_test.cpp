// What a head says of a body whose calls are approved: one reading, or none.
#include "core/mcp/call_head.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

namespace {

constexpr auto echo_call =
    R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","uri":"file:///etc"}})";
constexpr auto read_file =
    R"({"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"name":"harmless","uri":"file:///etc/shadow"}})";

/// Whether the message is let in with these fields.
bool let_in(const std::string& fields, const std::string& body = echo_call) {
    const auto text = "POST /mcp HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    request_head head;
    REQUIRE(parse_request_head(text, head).is == head_outcome::kind::complete);
    const auto content = read_call(head, body);
    if (!content)
        CHECK(content.error().code == fault::denied_by_policy);
    return content.has_value();
}

} // namespace

TEST_CASE("only UTF-8 is let in before an approval, by every Content-Type there is") {
    CHECK(let_in(""));
    for (const auto* fine :
         {"application/json", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
          "application/json ; Charset=Utf-8 ; profile=x;", "text/plain"})
        CHECK(let_in(std::string("Content-Type: ") + fine + "\r\n"));
    for (const auto* bad : {"application/json; charset=utf-7",
                            "application/json;charset=\"utf-7\"",
                            "application/json; CHARSET=UTF-16LE",
                            "application/json; charset=utf-8; charset=utf-7",
                            "application/json; charset=utf-7; charset=utf-8",
                            "application/json; oncharset=utf-7",
                            "application/json; p=\"charset=utf-7\"; charset=utf-8",
                            "application/json; x=\"a;b\"; charset=utf-7",
                            "application/json; charset*=utf-7''utf-8",
                            "application/json; charset*0=utf-; charset*1=7",
                            "application/json, application/json; charset=utf-7",
                            "application/json; charset=",
                            "application/json; charset",
                            "application/json charset=utf-7",
                            "application/json; charset=\"utf\\-7\"",
                            "application/json; charset = utf-7",
                            "; charset=utf-8",
                            "json",
                            "application/json; charset='utf-8'",
                            "application/json; charset=latin1",
                            "application/json; charset=utf-8 x"})
        CHECK_FALSE(let_in(std::string("Content-Type: ") + bad + "\r\n"));
    CHECK_FALSE(
        let_in("Content-Type: application/json\r\ncontent-type: application/json; charset=utf-7\r\n"));
    CHECK_FALSE(let_in("Content-Encoding: gzip\r\n"));
}

TEST_CASE("Mcp-Method and Mcp-Name say what the message says, or it is refused") {
    CHECK(let_in("Mcp-Method: tools/call\r\nMcp-Name: echo\r\n"));
    CHECK(let_in("Mcp-Name: =?base64?ZWNobw==?=\r\n"));
    CHECK(let_in("Mcp-Method: resources/read\r\nMcp-Name: file:///etc/shadow\r\n", read_file));
    CHECK_FALSE(let_in("Mcp-Name: delete_all\r\n"));
    CHECK_FALSE(let_in("Mcp-Name: echo\r\nMcp-Name: delete_all\r\n"));
    CHECK_FALSE(let_in("mcp-method: tools/list\r\n"));
    CHECK_FALSE(let_in("Mcp-Name: file:///etc\r\n"));
    CHECK_FALSE(let_in("Mcp-Name: harmless\r\n", read_file));
    CHECK_FALSE(let_in("Mcp-Name: =?base64?!!?=\r\n"));
    CHECK_FALSE(let_in("Mcp-Name: x\r\n", R"({"id":1,"method":"tools/list"})"));
    CHECK(let_in("Mcp-Name: t-1\r\n", R"({"id":1,"method":"tasks/get","params":{"taskId":"t-1"}})"));
    CHECK_FALSE(let_in("Mcp-Name: echo\r\n", std::string("[") + echo_call + "," + read_file + "]"));
}
