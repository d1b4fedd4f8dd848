// Tools that a client is not to see.
#include "core/mcp/tool_filter.hpp"
#include "tests/support/text.hpp"

#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using reauth::test::has;

TEST_CASE("patterns have stars, and upper and lower case are one") {
    const tool_filter filter({"delete*", "*Account", "exactTool"});
    CHECK(filter.hides("deleteTask"));
    CHECK(filter.hides("DELETEuser"));
    CHECK(filter.hides("getaccount"));
    CHECK(filter.hides("exacttool"));
    CHECK_FALSE(filter.hides("exactTool2"));
    CHECK_FALSE(filter.hides("undelete"));
}

TEST_CASE("a hidden tool is in no list, and everything else of the answer stays") {
    tool_filter filter({"delete*"});
    CHECK_FALSE(filter.from_client(R"({"jsonrpc":"2.0","id":7,"method":"tools/list"})"));
    const auto seen = filter.for_client(
        R"({"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"delete_all"},{"name":"read","x":1e400}],"nextCursor":"n"}})");
    CHECK_FALSE(has(seen, "delete_all"));
    CHECK(has(seen, R"("name":"read")"));
    CHECK(has(seen, R"("nextCursor":"n")"));
    // only what answers such a request is looked at
    const std::string other = R"({"jsonrpc":"2.0","id":8,"result":{"tools":[{"name":"delete_all"}]}})";
    CHECK(filter.for_client(other) == other);
    CHECK_FALSE(filter.from_client(R"({"jsonrpc":"2.0","id":"a","method":"tools/list"})"));
    CHECK(filter.for_client(other) == other);
    CHECK_FALSE(
        has(filter.for_client(R"([{"jsonrpc":"2.0","id":"a","result":{"tools":[{"name":"delete_all"}]}}])"),
            "delete_all"));
}

TEST_CASE("a call of a hidden tool is answered in its place") {
    tool_filter filter({"delete*"});
    const auto answers = filter.from_client(
        R"({"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"delete_\"all","arguments":{}}})");
    REQUIRE(answers);
    REQUIRE(answers->size() == 1);
    const auto error = nlohmann::json::parse(answers->front());
    CHECK(error["id"] == "x");
    CHECK(error["error"]["code"] == -32602);
    CHECK(has(error["error"]["message"].get<std::string>(), "not available"));
    CHECK_FALSE(
        filter.from_client(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}})"));
    CHECK_FALSE(filter.from_client("no JSON"));
    // of a batch nothing is sent, and each request is answered
    const auto both = filter.from_client(
        R"([{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"deleteIt"}}])");
    REQUIRE(both);
    CHECK(both->size() == 2);
}
