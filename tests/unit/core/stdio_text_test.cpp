// What `stdio` reads and writes: lines, and header fields that repeat what a message says.
#include "core/mcp/mcp_headers.hpp"
#include "core/mcp/message_lines.hpp"
#include "core/text/encoding.hpp"

#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

using namespace reauth;
using nlohmann::json;

TEST_CASE("input is cut into lines however it comes, and a long line is not kept") {
    message_lines cut(8);
    CHECK(cut.feed("ab").empty());
    auto lines = cut.feed("cd\r\n\n  \nef\n12345678");
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].text == "abcd");
    CHECK(lines[1].text == "ef");
    lines = cut.feed("9 and more");
    CHECK(lines.empty());
    lines = cut.feed("\nnext");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].too_long);
    CHECK(lines[0].text.empty());
    const auto rest = cut.finish();
    REQUIRE(rest);
    CHECK(rest->text == "next");
    CHECK_FALSE(cut.finish());
    CHECK(on_one_line("{\r\n \"a\": 1\n}") == "{   \"a\": 1 }");
}

TEST_CASE("a message that is too long has its id all the same, wherever that stands") {
    const auto id_of = [](const std::string& text) {
        message_lines cut(16);
        std::vector<message_lines::line> lines;
        for (std::size_t at = 0; at < text.size(); at += 7) // in pieces
            for (auto& l : cut.feed(text.substr(at, 7)))
                lines.push_back(std::move(l));
        for (auto& l : cut.feed("\n"))
            lines.push_back(std::move(l));
        REQUIRE(lines.size() == 1);
        CHECK(lines[0].too_long);
        return lines[0].id;
    };
    const std::string long_text(100, 'x');
    CHECK(id_of(R"({"jsonrpc":"2.0","id":7,"params":{"id":8,"a":")" + long_text + "\"}}") == "7");
    CHECK(id_of(R"({"method":"m","params":{"id":8,"a":[{"id":9}],"b":")" + long_text +
                R"("}, "id" : "a\"b"})") == R"("a\"b")");
    CHECK(id_of(R"({"a":"\"id\":5","b":")" + long_text + "\"}").empty());
    CHECK(id_of(R"({"id":{"x":1},"b":")" + long_text + "\"}").empty());
    CHECK(id_of(R"({"id":null,"b":")" + long_text + "\"}").empty());
    CHECK(id_of("[{\"id\":1},\"" + long_text + "\"]").empty());
    CHECK(id_of(long_text).empty());
    // the next one begins anew
    message_lines cut(8);
    CHECK(cut.feed("{\"id\":1,\"aaaaaaaaaa\n{\"b\":22222222222}\n")[1].id.empty());
}

TEST_CASE("a header field holds plain text as it is, and anything else in base64") {
    CHECK(mcp_header_value("get_weather") == "get_weather");
    CHECK(mcp_header_value("") == "=?base64?"
                                  "?=");
    CHECK(mcp_header_value(" x") == "=?base64?IHg=?=");
    CHECK(mcp_header_value("a\nb") == "=?base64?YQpi?=");
    CHECK(mcp_header_value("=?base64?eA==?=") == "=?base64?" + base64_encode("=?base64?eA==?=") + "?=");
}

TEST_CASE("version, method and name of a request of 2026-07-28 are its header fields") {
    const auto fields = [](const json& message) {
        json out;
        for (const auto& f : mcp_request_fields(parse_rpc(message.dump()).messages.at(0)))
            out[f.name] = f.value;
        return out;
    };
    const auto request = [](const std::string& method, json params) {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28";
        return json{{"id", 1}, {"method", method}, {"params", params}};
    };
    CHECK(fields(request("resources/read", {{"uri", "file:///ä"}})) ==
          json{{"MCP-Protocol-Version", "2026-07-28"},
               {"Mcp-Method", "resources/read"},
               {"Mcp-Name", "=?base64?ZmlsZTovLy/DpA==?="}});
    CHECK(fields(request("tasks/get", {{"taskId", "t1"}}))["Mcp-Name"] == "t1");
    CHECK_FALSE(fields(request("tools/list", json::object())).contains("Mcp-Name"));
}

TEST_CASE("only annotations that a chain of properties leads to count, and a tool with another is no tool") {
    const json note{{"type", "string"}, {"x-mcp-header", "Tenant"}};
    const auto list = [](json schema) {
        return json{{"result",
                     {{"tools", {{{"name", "t"}, {"inputSchema", std::move(schema)}}, {{"name", "other"}}}}}}}
            .dump();
    };
    const auto kept = [&](json schema) {
        tool_headers headers;
        return json::parse(headers.learn(list(std::move(schema))))["result"]["tools"].size();
    };
    CHECK(kept({{"properties", {{"a", note}}}}) == 2);
    CHECK(kept({{"properties", {{"a", {{"properties", {{"b", note}}}}}}}}) == 2);
    CHECK(kept(note) == 1);
    CHECK(kept({{"items", note}}) == 1);
    CHECK(kept({{"anyOf", {note}}}) == 1);
    CHECK(kept({{"$defs", {{"x", note}}}}) == 1);
    CHECK(kept({{"properties", {{"a", note}, {"b", note}}}}) == 1); // the same name twice
    CHECK(kept({{"properties", {{"a", {{"type", "number"}, {"x-mcp-header", "N"}}}}}}) == 1);
    CHECK(kept({{"properties", {{"a", {{"type", "string"}, {"x-mcp-header", "a b"}}}}}}) == 1);

    tool_headers headers;
    const auto text = list({{"properties",
                             {{"a", note},
                              {"n", {{"type", "integer"}, {"x-mcp-header", "N"}}},
                              {"f", {{"type", "boolean"}, {"x-mcp-header", "F"}}}}}});
    CHECK(headers.learn(text) == text); // byte for byte
    const auto fields = [&](const json& arguments) {
        json out = json::object();
        for (const auto& f : headers.fields("t", json{{"params", {{"arguments", arguments}}}}.dump()))
            out[f.name] = f.value;
        return out;
    };
    CHECK(fields({{"a", "x"}, {"n", -3}, {"f", true}}) ==
          json{{"Mcp-Param-Tenant", "x"}, {"Mcp-Param-N", "-3"}, {"Mcp-Param-F", "true"}});
    CHECK(fields({{"a", nullptr}, {"n", 1e300}, {"f", json::object()}}).empty());
    CHECK(fields({{"n", 9007199254740993}}).empty()); // more than every peer can hold
    CHECK(headers.fields("unknown", "{}").empty());
    // a list without annotations: they are gone
    headers.learn(list({{"properties", json::object()}}));
    CHECK(fields({{"a", "x"}}).empty());
}
