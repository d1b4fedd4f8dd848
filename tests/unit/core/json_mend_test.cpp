// What the grammar of JSON allows and the parser does not take.
#include "core/json/json_mend.hpp"
#include "core/json/json_reader.hpp"
#include "core/mcp/json_rpc.hpp"
#include "core/mcp/message_lines.hpp"
#include "core/mcp/result_challenge.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

TEST_CASE("a lone surrogate and a number beyond a double are JSON, and are read", "[json]") {
    for (const std::string value : {R"("\ud83d")", R"("a\udc00b")", R"("\ud83d\u0041")",
                                    R"("\uD83D\uD83D\uDE00")", "1e400", "-1E+999", "[1e400]"}) {
        INFO(value);
        const auto message = R"({"jsonrpc":"2.0","id":7,"result":{"x":)" + value + "}}";
        CHECK(is_json(message));
        const auto read = parse_rpc(message);
        REQUIRE(read.valid);
        CHECK(read.messages.front().id == "7");
        CHECK(read_message_json(message));
        CHECK(readable_copy(message)->size() == message.size());
    }
    CHECK_FALSE(readable_copy(R"({"a":"\ud83d\ude00","b":"\\ud83d","c":1e30,"d":"1e400"})"));
    for (const char* none : {R"({"a":"\ud83d)", R"({"a":\ud83d})", "1e400x", "{\"a\":1e}"})
        CHECK_FALSE(is_json(none));
}

TEST_CASE("a message becomes one line, without a byte order mark", "[json]") {
    CHECK(on_one_line("\xef\xbb\xbf{\n  \"a\":\r\n 1\n}") == "{   \"a\":   1 }");
    CHECK(on_one_line(R"({"a":"\ud83d"})") == R"({"a":"\ud83d"})");
}

TEST_CASE("an id is found in what is no JSON", "[json]") {
    CHECK(id_in_broken(R"({"jsonrpc":"2.0","id":7,"method":"x","params":{"id":8,"a":)") == "7");
    CHECK(id_in_broken(R"({"id":"a\"b","method":nope})") == R"("a\"b")");
    CHECK(id_in_broken("{\"id\":3,\"a\":\"\xff\"}") == "3");
    for (const char* none :
         {"", "nope", R"({"id":nope})", R"({"id":null})", R"({"id":{"a":1}})", R"(["id",7])"})
        CHECK(id_in_broken(none).empty());
}

TEST_CASE("a challenge in a result: a string or a list of them, in a result's _meta alone", "[challenge]") {
    const auto in = [](const std::string& result) {
        return result_challenges(R"({"jsonrpc":"2.0","id":1,"result":)" + result + "}");
    };
    CHECK(in(R"({"_meta":{"mcp/www_authenticate":"Bearer a"}})") == std::vector<std::string>{"Bearer a"});
    CHECK(in(R"({"_meta":{"mcp\/www_authenticate":["Bearer a","DPoP b"]}})").size() == 2);
    for (const char* none : {R"({"mcp/www_authenticate":"Bearer a"})", R"({"_meta":7})", "7",
                             R"({"content":[{"text":"{\"_meta\":{\"mcp/www_authenticate\":\"Bearer\"}}"}]})"})
        CHECK(in(none).empty());
    CHECK(result_challenges("no json").empty());
    CHECK(oauth_error_in(R"({"error":"invalid_token"})") == "invalid_token");
    CHECK(oauth_error_in(R"({"jsonrpc":"2.0","error":"x"})").empty());
    CHECK(oauth_error_in(R"({"jsonrpc":"2.0","error":{"code":1}})").empty());
}
