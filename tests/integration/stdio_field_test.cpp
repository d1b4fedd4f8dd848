// What the field sends over stdio: JSON that only the grammar allows, and sessions whose end is said
// otherwise.
#include "tests/integration/stdio_fixture.hpp"

using namespace stdio_test;

TEST_CASE("what is JSON by its grammar passes in both directions, byte for byte, as one line", "[stdio]") {
    stdio_pair p;
    const std::string values[] = {R"("\ud83d")", "1e400", R"({"a" : "\udc00\ud800" , "b":-1E999})"};
    int id = 0;
    for (const auto& value : values) {
        INFO(value);
        const auto asked = R"({"jsonrpc":"2.0","id":)" + std::to_string(++id) +
                           R"(,"method":"tools/call","params":{"name":"x","arguments":)" + value + "}}";
        p.client.send(asked + "\n");
        auto call = p.next("POST");
        CHECK(call.request.body == asked);
        const auto answered =
            R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"result":{"x":)" + value + "}}";
        call.server.send(answer(answered, "Content-Type: application/json\r\nConnection: close\r\n"));
        call.server.close();
        CHECK(p.client.line() == answered);
    }
    // pretty, and led by a byte order mark: from either side
    p.client.send("\xef\xbb\xbf"
                  R"({"jsonrpc":"2.0","id":9,"method":"ping"})"
                  "\n");
    auto call = p.next("POST");
    CHECK(call.request.body == R"({"jsonrpc":"2.0","id":9,"method":"ping"})");
    call.server.send(answer("\xef\xbb\xbf{\r\n  \"jsonrpc\": \"2.0\",\n  \"id\": 9,\n  \"result\": {}\n}\n",
                            "Content-Type: application/json\r\nConnection: close\r\n"));
    call.server.close();
    const auto line = p.client.line();
    CHECK(line.front() == '{');
    CHECK(json::parse(line)["id"] == 9);
}

TEST_CASE("the answer to initialize may hold what the parser does not take", "[stdio]") {
    stdio_pair p;
    p.client.say(rpc(0, "initialize", {{"protocolVersion", "2025-11-25"}}));
    auto first = p.next("POST");
    auto said = p.initialized(0).dump();
    said.insert(said.find("\"serverInfo\""), R"("instructions":"\ud83d",)");
    first.server.send(
        answer(said, "Content-Type: application/json\r\nConnection: close\r\nMcp-Session-Id: s1\r\n"));
    first.server.close();
    CHECK(p.client.line() == said);
    p.client.say(rpc(1, "tools/list"));
    auto call = p.next("POST");
    CHECK(call.request.get("MCP-Protocol-Version") == "2025-11-25");
    call.json_answer(p.answered(1, "x"));
    CHECK(p.client.hear()["id"] == 1);
}

TEST_CASE("an error of ours about a broken line has the id that stands in it", "[stdio]") {
    stdio_pair p;
    p.client.send(R"({"jsonrpc":"2.0","id":"a7","method":"tools/call","params":{"x":nope}})"
                  "\n");
    const auto told = p.client.hear();
    CHECK(told["error"]["code"] == -32700);
    CHECK(told["id"] == "a7");
    p.client.send("{\"jsonrpc\":\"2.0\",\"id\":8,\"params\":{\"x\":\"\xff\"},\"method\":\"ping\"}\n");
    CHECK(p.client.hear()["id"] == 8);
}

TEST_CASE("a session's end that is said by another status than 404 is heard: one new session, the request "
          "once more",
          "[stdio]") {
    const std::pair<const char*, const char*> ends[] = {
        {"400 Bad Request", R"({"jsonrpc":"2.0","error":{"code":-32000,"message":"No valid session ID"}})"},
        {"403 Forbidden", ""},
        {"410 Gone", "gone"}};
    for (const auto& [status, body] : ends) {
        INFO(status);
        stdio_pair p;
        p.open("s1");
        p.client.say(rpc(1, "ping"));
        p.next("POST").json_answer(p.answered(1, "worked"));
        p.client.hear();
        p.client.say(rpc(2, "tools/call", {{"name", "a"}}));
        p.next("POST").status(status, body);
        auto again = p.next("POST");
        CHECK(again.said()["method"] == "initialize");
        again.json_answer(p.initialized(0), "Mcp-Session-Id: s2\r\n");
        p.next("POST").status("202 Accepted");
        auto call = p.next("POST");
        CHECK(call.request.get("Mcp-Session-Id") == "s2");
        call.json_answer(p.answered(2, "once"));
        CHECK(p.client.hear()["result"]["text"] == "once");
        // the same words in the new session mean something else, and end no other session
        p.client.say(rpc(3, "tools/call", {{"name", "b"}}));
        p.next("POST").status(status, body);
        p.next("POST").json_answer(p.initialized(0), "Mcp-Session-Id: s3\r\n");
        p.next("POST").status("202 Accepted");
        p.next("POST").status(status, body);
        CHECK(p.client.hear()["id"] == 3);
        p.client.say(rpc(4, "ping"));
        p.next("POST").json_answer(p.answered(4, "on"));
        CHECK(p.client.hear()["result"]["text"] == "on");
        p.client.say(rpc(5, "tools/call", {{"name", "b"}}));
        p.next("POST").status(status, body);
        CHECK(p.client.hear()["id"] == 5);
    }
}

TEST_CASE("a refusal in a session that had not worked yet is the server's answer", "[stdio]") {
    stdio_pair p;
    p.open("s1");
    p.client.say(rpc(1, "tools/call", {{"name", "a"}}));
    p.next("POST").status("400 Bad Request", "no");
    CHECK(p.client.hear()["id"] == 1);
}
