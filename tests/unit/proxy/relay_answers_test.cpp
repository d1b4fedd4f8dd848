// Answers of our own: whole HTTP, and failures in the shape that MCP clients understand.
#include "proxy/relay/local_answer.hpp"

#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

using namespace reauth;
using nlohmann::json;

namespace {

failure_answer described(const std::string& body, fault code = fault::reauth_failed) {
    const auto parsed = parse_rpc(body);
    rpc_error_data data;
    data.code = code;
    return describe_failure({code, "it broke", "mend it", "", false}, parsed.messages, parsed.batch, data);
}

} // namespace

TEST_CASE("an answer is whole HTTP with its length, and HEAD gets no body") {
    std::string out;
    append_answer(out, 404, "{}", true);
    CHECK(out == "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nCache-Control: "
                 "no-store\r\nContent-Length: 2\r\n"
                 "Connection: close\r\n\r\n{}");
    out.clear();
    append_answer(out, 502, "{}", false, true);
    CHECK(out.substr(out.size() - 4) == "\r\n\r\n");
    CHECK(out.find("Content-Length: 2\r\n") != std::string::npos);
    CHECK(out.find("Connection") == std::string::npos);
    out.clear();
    append_refusal(out, 400, "bad \xff \"head\"", true);
    CHECK(json::parse(out.substr(out.find("\r\n\r\n") + 4))["error"]["message"].get<std::string>().find(
              "\"head\"") != std::string::npos);
}

TEST_CASE("a request with an id is answered 200 with a JSON-RPC error") {
    const auto a = described(R"({"id":"x","method":"tools/call"})");
    CHECK(a.status == 200);
    const auto j = json::parse(a.body);
    CHECK(j["id"] == "x");
    CHECK(j["error"]["code"] == -32010);
    CHECK(j["error"]["data"]["code"] == "reauth_failed");
    CHECK(described(R"({"id":0,"method":"initialize"})").status == 200);
}

TEST_CASE("a batch gets an error for each of its requests and only those") {
    const auto j =
        json::parse(described(R"([{"id":1,"method":"a"},{"method":"n"},{"id":2,"method":"b"}])").body);
    REQUIRE(j.size() == 2);
    CHECK(j[0]["id"] == 1);
    CHECK(j[1]["id"] == 2);
    CHECK(json::parse(described(R"([{"id":1,"method":"a"}])").body).is_array());
}

TEST_CASE("what carries no id is answered by status") {
    CHECK(described(R"({"method":"notifications/initialized"})").status == 503);
    CHECK(described(R"({"id":1,"result":{}})").status == 503);
    CHECK(described("").status == 503);
    CHECK(described("", fault::upstream_unreachable).status == 502);
    CHECK(described("", fault::upstream_malformed).status == 502);
    CHECK(described("", fault::upstream_timeout).status == 504);
    CHECK_FALSE(json::parse(described("").body).contains("id"));
}

TEST_CASE("server/discover fails by status, or its client falls back to an older era") {
    CHECK(described(R"({"id":1,"method":"server/discover"})").status == 503);
}
