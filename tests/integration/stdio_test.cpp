// `mcp-reauth stdio`: what its client says and hears, with an upstream that is played byte by byte.
#include "tests/integration/stdio_fixture.hpp"

#include <fstream>

using namespace stdio_test;

namespace {
json cancelled(const json& id) {
    return {{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", id}}}};
}
json modern(const json& id, const std::string& method, json params = json::object()) {
    params["_meta"] = {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"}};
    return rpc(id, method, std::move(params));
}
} // namespace

TEST_CASE("a session over stdio: its id and version are sent, the handshake comes first, it is ended with "
          "the input",
          "[stdio]") {
    stdio_pair p;
    p.client.say(rpc(0, "initialize", {{"protocolVersion", "2025-11-25"}}));
    p.client.say({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
    p.client.say(rpc("a", "tools/list"));
    auto first = p.next();
    CHECK(first.said()["method"] == "initialize");
    CHECK(first.request.get("Mcp-Session-Id").empty());
    CHECK(has(first.request.get("Accept"), "text/event-stream"));
    first.json_answer(p.initialized(0), "Mcp-Session-Id: s1\r\n");
    CHECK(p.client.hear()["result"]["protocolVersion"] == "2025-11-25");
    auto second = p.next();
    CHECK(second.said()["method"] == "notifications/initialized");
    CHECK(second.request.get("Mcp-Session-Id") == "s1");
    CHECK(second.request.get("MCP-Protocol-Version") == "2025-11-25");
    second.status("202 Accepted");
    auto stream = p.next("GET");
    CHECK(stream.request.get("Mcp-Session-Id") == "s1");
    stream.status("405 Method Not Allowed");
    auto list = p.next("POST");
    CHECK(list.said()["method"] == "tools/list");
    // printed prettily: a message is one line all the same
    list.server.send(
        answer(p.answered("a", "ok").dump(2), "Content-Type: application/json\r\nConnection: close\r\n"));
    CHECK(p.client.hear() == p.answered("a", "ok"));
    p.client.end_input();
    auto end = p.next();
    CHECK(end.line() == "DELETE /mcp HTTP/1.1");
    CHECK(end.request.get("Mcp-Session-Id") == "s1");
    end.status("200 OK");
    CHECK(p.client.code() == 0);
}

TEST_CASE("a session that the upstream has lost is begun again with the client's own initialize, and calls "
          "are sent once more",
          "[stdio]") {
    stdio_pair p;
    p.open("s1");
    p.client.say(rpc(1, "tools/call", {{"name", "a"}}));
    p.client.say(rpc(2, "tools/call", {{"name", "b"}}));
    auto one = p.next("POST"), two = p.next("POST");
    CHECK(one.request.get("Mcp-Session-Id") == "s1");
    one.status("404 Not Found");
    two.status("404 Not Found");
    auto again = p.next("POST");
    CHECK(again.said()["method"] == "initialize");
    CHECK(again.said()["params"]["clientInfo"]["name"] == "test");
    again.stream("Mcp-Session-Id: s2\r\n"); // as events this time
    again.event("data: " + p.initialized(0).dump() + "\n\n");
    again.end();
    auto told = p.next("POST");
    CHECK(told.said()["method"] == "notifications/initialized");
    CHECK(told.request.get("Mcp-Session-Id") == "s2");
    told.status("202 Accepted");
    std::set<std::string> names;
    for (int i = 0; i < 2; ++i) {
        auto call = p.next("POST");
        CHECK(call.request.get("Mcp-Session-Id") == "s2");
        names.insert(call.said()["params"]["name"].get<std::string>());
        call.json_answer(p.answered(call.said()["id"], "once"));
    }
    CHECK(names == std::set<std::string>{"a", "b"});
    CHECK(p.client.hear()["result"]["text"] == "once");
    CHECK(p.client.hear()["result"]["text"] == "once");
    // a second loss of the same call is told, not tried for ever
    p.client.say(rpc(3, "tools/call", {{"name", "c"}}));
    p.next("POST").status("404 Not Found");
    p.next("POST").json_answer(p.initialized(0), "Mcp-Session-Id: s3\r\n");
    p.next("POST").status("202 Accepted");
    p.next("POST").status("404 Not Found");
    const auto lost = p.client.hear();
    CHECK(lost["id"] == 3);
    CHECK(lost["error"]["code"] == -32010);
}

TEST_CASE("another session knows what the client has subscribed to, and its log level", "[stdio]") {
    stdio_pair p;
    p.open();
    int id = 0;
    for (const auto& [method, params] :
         std::vector<std::pair<std::string, json>>{{"resources/subscribe", {{"uri", "file:///a"}}},
                                                   {"resources/subscribe", {{"uri", "file:///b"}}},
                                                   {"resources/unsubscribe", {{"uri", "file:///a"}}},
                                                   {"logging/setLevel", {{"level", "error"}}}}) {
        p.client.say(rpc(++id, method, params));
        p.next("POST").json_answer(p.answered(id, "noted"));
        p.client.hear();
    }
    p.client.say(rpc(9, "tools/list"));
    p.next("POST").status("404 Not Found");
    p.next("POST").json_answer(p.initialized(0), "Mcp-Session-Id: s2\r\n");
    p.next("POST").status("202 Accepted");
    std::set<std::string> said;
    for (int i = 0; i < 2; ++i) {
        auto wish = p.next("POST");
        CHECK(wish.request.get("Mcp-Session-Id") == "s2");
        said.insert(wish.said()["method"].get<std::string>() + wish.said()["params"].dump());
        wish.json_answer(p.answered(wish.said()["id"], "noted")); // not for the client
    }
    CHECK(said == std::set<std::string>{"logging/setLevel{\"level\":\"error\"}",
                                        "resources/subscribe{\"uri\":\"file:///b\"}"});
    p.next("POST").json_answer(p.answered(9, "listed"));
    CHECK(p.client.hear()["id"] == 9);
}

TEST_CASE("a stream that breaks off is asked for its rest: no message is lost or doubled", "[stdio]") {
    stdio_pair p;
    p.open();
    p.client.say(rpc(1, "tools/call", {{"name", "slow"}}));
    auto call = p.next("POST");
    call.stream();
    call.event("id: e1\nretry: 5\ndata:\n\n");
    call.event("id: e2\ndata: "
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"data\":1}}\n\n");
    CHECK(p.client.hear()["params"]["data"] == 1);
    call.event("id: e3\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifi"); // half an event
    call.server.close();
    auto rest = p.next("GET");
    CHECK(rest.request.get("Last-Event-ID") == "e2");
    CHECK(rest.request.get("Mcp-Session-Id") == "s1");
    rest.status("503 Service Unavailable"); // it passes
    rest = p.next("GET");
    CHECK(rest.request.get("Last-Event-ID") == "e2");
    rest.stream();
    rest.event("id: e3\ndata: "
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"data\":2}}\n\n");
    rest.event("id: e4\ndata: " + p.answered(1, "done").dump() + "\n\n");
    rest.event("id: e5\ndata: " + p.answered(1, "again").dump() + "\n\n"); // answered already
    CHECK(p.client.hear()["params"]["data"] == 2);
    CHECK(p.client.hear()["result"]["text"] == "done");
    p.client.say(rpc(2, "ping"));
    p.next("POST").json_answer(p.answered(2, "pong"));
    CHECK(p.client.hear()["result"]["text"] == "pong");
}

TEST_CASE("a stream that can't be resumed ends with an error for who waits", "[stdio]") {
    stdio_pair p;
    p.open();
    p.client.say(rpc(1, "tools/call", {{"name", "slow"}}));
    auto call = p.next("POST");
    call.stream();
    call.event("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}\n\n");
    p.client.hear();
    call.end();
    const auto told = p.client.hear();
    CHECK(told["id"] == 1);
    CHECK(told["error"]["data"]["code"] == "upstream_malformed");
}

TEST_CASE("the session's stream carries the server's requests, and is opened again where it was", "[stdio]") {
    stdio_pair p;
    p.open("s1", true);
    auto stream = p.next("GET");
    stream.stream();
    stream.event(
        "id: 7\nretry: 1\ndata: "
        "{\"jsonrpc\":\"2.0\",\"id\":\"r1\",\"method\":\"sampling/createMessage\",\"params\":{}}\n\n");
    CHECK(p.client.hear()["method"] == "sampling/createMessage");
    p.client.say({{"jsonrpc", "2.0"}, {"id", "r1"}, {"result", {{"role", "assistant"}}}});
    auto reply = p.next("POST");
    CHECK(reply.said()["result"]["role"] == "assistant");
    reply.status("202 Accepted");
    stream.end();
    stream = p.next("GET");
    CHECK(stream.request.get("Last-Event-ID") == "7");
    stream.status("404 Not Found"); // it was there: so it is the session that is gone
    auto again = p.next("POST");
    CHECK(again.said()["method"] == "initialize");
    again.json_answer(p.initialized(0), "Mcp-Session-Id: s2\r\n");
    p.next("POST").status("202 Accepted");
    stream = p.next("GET");
    CHECK(stream.request.get("Mcp-Session-Id") == "s2");
    CHECK(stream.request.get("Last-Event-ID").empty());
}

TEST_CASE("cancellation goes up as a notification, and closes the stream of a stateless request", "[stdio]") {
    stdio_pair p;
    p.open();
    p.client.say(rpc(1, "tools/call", {{"name", "slow"}}));
    auto call = p.next("POST");
    p.client.say(cancelled(1));
    auto note = p.next("POST");
    CHECK(note.said()["params"]["requestId"] == 1);
    note.status("202 Accepted");
    call.status("500 Internal Server Error"); // nobody waits for it
    p.client.say(modern(2, "tools/call", {{"name", "slow"}}));
    auto open = p.next("POST");
    CHECK(open.request.get("MCP-Protocol-Version") == "2026-07-28");
    CHECK(open.request.get("Mcp-Method") == "tools/call");
    CHECK(open.request.get("Mcp-Name") == "slow");
    CHECK(open.request.get("Mcp-Session-Id").empty());
    p.client.say(cancelled(2));
    CHECK(open.server.gone());
    p.client.say(rpc(3, "ping"));
    p.next("POST").json_answer(p.answered(3, "pong"));
    CHECK(p.client.hear()["id"] == 3);
}

TEST_CASE("parameters that a tool wants in header fields are sent there, and broken tools are left out",
          "[stdio]") {
    stdio_pair p;
    p.client.say(modern(1, "tools/list"));
    const auto tool = [](const char* name, json schema) {
        return json{{"name", name}, {"inputSchema", std::move(schema)}};
    };
    const json region{{"type", "string"}, {"x-mcp-header", "Region"}};
    json result{
        {"tools",
         {tool("query", {{"type", "object"},
                         {"properties",
                          {{"region", region},
                           {"deep",
                            {{"type", "object"},
                             {"properties", {{"n", {{"type", "integer"}, {"x-mcp-header", "Count"}}}}}}}}}}),
          tool("broken",
               {{"type", "object"}, {"properties", {{"list", {{"type", "array"}, {"items", region}}}}}}),
          tool("plain", {{"type", "object"}})}}};
    p.next().json_answer({{"jsonrpc", "2.0"}, {"id", 1}, {"result", result}});
    const auto listed = p.client.hear()["result"]["tools"];
    CHECK(listed.size() == 2);
    p.client.say(modern(2, "tools/call",
                        {{"name", "query"}, {"arguments", {{"region", "Köln"}, {"deep", {{"n", 7}}}}}}));
    auto call = p.next();
    CHECK(call.request.get("Mcp-Param-Region") == "=?base64?S8O2bG4=?=");
    CHECK(call.request.get("Mcp-Param-Count") == "7");
    call.status("400 Bad Request",
                R"({"jsonrpc":"2.0","id":2,"error":{"code":-32020,"message":"header mismatch"}})");
    const auto refused = p.client.hear();
    CHECK(refused["id"] == 2);
    CHECK(refused["error"]["code"] == -32020);
}

TEST_CASE("a batch is sent as it is, and every member gets an answer", "[stdio]") {
    stdio_pair p;
    p.open();
    p.client.say(json::array({rpc(1, "ping"), rpc(2, "ping"), cancelled(9)}));
    auto all = p.next("POST");
    CHECK(all.said().size() == 3);
    all.json_answer(json::array({p.answered(1, "one")}));
    CHECK(p.client.hear()[0]["result"]["text"] == "one");
    const auto missing = p.client.hear();
    CHECK(missing["id"] == 2);
    CHECK(missing["error"]["code"] == -32010);
}

TEST_CASE("what is no message gets an error, and the next one is served", "[stdio]") {
    stdio_pair p;
    p.client.send("not json\n\n  \n{\"a\":1}\n{\"a\":1}" + std::string(1, '\0') + "{\n[]\n7\n\xff\xfe\n");
    for (const int code : {-32700, -32600, -32700, -32600, -32600, -32700}) {
        const auto told = p.client.hear();
        CHECK(told["error"]["code"] == code);
        CHECK(told["id"].is_null());
    }
    p.client.say(rpc(1, "ping"));
    p.next().json_answer(p.answered(1, "pong"));
    CHECK(p.client.hear()["result"]["text"] == "pong");
    p.client.send(std::string(17u << 20, 'x') + "\n");
    CHECK(has(p.client.hear()["error"]["message"].get<std::string>(), "16 MiB"));
    p.client.say(rpc(2, "ping"));
    auto open = p.next();
    p.client.say(rpc(2, "ping")); // twice the same id
    CHECK(p.client.hear()["error"]["code"] == -32600);
    open.json_answer(p.answered(2, "pong"));
    CHECK(p.client.hear()["result"]["text"] == "pong");
    p.client.send(R"({"jsonrpc":"2.0","id":3,"method":"pi)"); // half a line, and the end
    p.client.end_input();
    CHECK(p.client.hear()["error"]["code"] == -32700);
    CHECK(p.client.code() == 0);
}

TEST_CASE("HTTP errors become JSON-RPC errors of the request", "[stdio]") {
    stdio_pair p;
    p.client.say(rpc(1, "ping"));
    p.next().status("500 Internal Server Error", "<html>");
    auto told = p.client.hear();
    CHECK(told["id"] == 1);
    CHECK(has(told["error"]["message"].get<std::string>(), "500"));
    p.client.say(rpc(2, "ping"));
    p.next().status("400 Bad Request",
                    R"({"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no session"}})");
    told = p.client.hear();
    CHECK(told["id"] == 2);
    CHECK(told["error"]["message"] == "no session");
    p.client.say(rpc(3, "ping"));
    p.next().status("202 Accepted");
    CHECK(p.client.hear()["error"]["data"]["code"] == "upstream_malformed");
    p.client.say(rpc(4, "ping"));
    p.next().server.close();
    CHECK(p.client.hear()["error"]["data"]["code"] == "upstream_unreachable");
}

TEST_CASE("nesting without end in what an upstream says ends nothing", "[stdio]") {
    stdio_pair p;
    const auto deep = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
    p.client.say(rpc(1, "ping"));
    p.next().status("400 Bad Request", R"({"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m","data":)" +
                                           deep(32'600) + "}}");
    CHECK(p.client.hear()["error"]["data"]["code"] == "upstream_malformed");
    p.client.say(rpc(2, "ping"));
    p.next().status("200 OK", R"({"jsonrpc":"2.0","id":2,"result":{"a":)" + deep(1'000'000) + "}}");
    CHECK(p.client.hear()["id"] == 2);
    p.client.say(rpc(3, "ping"));
    p.next().json_answer(p.answered(3, "pong"));
    CHECK(p.client.hear()["result"]["text"] == "pong");
    p.client.send(R"({"jsonrpc":"2.0","id":4,"method":"initialize","params":{"a":)" + deep(1'000'000) +
                  "}}\n");
    CHECK(p.client.hear()["error"]["code"] == -32600);
}

TEST_CASE("a client's initialize with a million levels ends no session of era: bridge", "[stdio]") {
    stdio_pair p("    era: bridge\n");
    p.client.send(R"({"jsonrpc":"2.0","id":4,"method":"initialize","params":{"a":)" +
                  std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}}\n");
    CHECK(p.client.hear()["error"]["code"] == -32600);
}

TEST_CASE("a client that never reads holds back its server, and the program's memory stays small",
          "[stdio]") {
    stdio_pair p;
    p.client.say(rpc(1, "tools/call", {{"name", "flood"}}));
    auto call = p.next();
    call.stream();
    const timeval moment{1, 0};
    call.server.patience(moment);
    const auto event =
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":\"" + std::string(60'000, 'y') + "\"}\n\n";
    std::ostringstream size;
    size << std::hex << event.size();
    const auto chunk = size.str() + "\r\n" + event + "\r\n";
    std::size_t sent = 0;
    while (sent < (256u << 20) && call.server.send(chunk))
        sent += chunk.size();
    CHECK(sent < (64u << 20)); // the pipes, sockets and 4 MiB of lines
    p.client.end_output();     // and one that has gone ends it
    CHECK(p.client.code() == 0);
}

TEST_CASE("the input's end is waited for what is under way, and not for ever", "[stdio]") {
    stdio_pair p;
    p.client.say(rpc(1, "ping"));
    auto open = p.next();
    p.client.end_input();
    open.json_answer(p.answered(1, "late"));
    CHECK(p.client.hear()["result"]["text"] == "late");
    CHECK(p.client.code() == 0);
    stdio_pair never;
    never.client.say(rpc(1, "ping"));
    auto silent = never.next();
    never.client.end_input();
    CHECK(never.client.code() == 0); // although nobody answered
}

TEST_CASE("a server that knows HTTP+SSE only is spoken to in its way, through us", "[stdio]") {
    stdio_pair p;
    p.client.say(rpc(0, "initialize", {{"protocolVersion", "2024-11-05"}}));
    p.next().status("405 Method Not Allowed");
    auto stream = p.next("GET");
    stream.stream();
    stream.event(": hello\n\n");
    stream.event("event: endpoint\ndata: /messages/?session_id=a%2Fb\n\n");
    auto first = p.next("POST");
    CHECK(first.line() == "POST /messages/?session_id=a%2Fb HTTP/1.1");
    first.status("202 Accepted");
    auto hello = p.initialized(0);
    hello["result"]["protocolVersion"] = "2024-11-05";
    stream.event("event: message\ndata: " + hello.dump() + "\n\n");
    CHECK(p.client.hear() == hello);
    p.client.say({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
    p.next("POST").status("202 Accepted");
    p.client.say(rpc(1, "ping"));
    p.next("POST").status("202 Accepted");
    stream.event("data: " + p.answered(1, "pong").dump() + "\n\n");
    CHECK(p.client.hear()["result"]["text"] == "pong");
    // its stream is its session: who waits hears that it broke, the next call begins another
    p.client.say(rpc(2, "ping"));
    p.next("POST").status("202 Accepted");
    stream.server.close();
    CHECK(p.client.hear()["error"]["data"]["code"] == "upstream_unreachable");
    p.client.say(rpc(3, "ping"));
    stream = p.next("GET");
    stream.stream();
    stream.event("event: endpoint\ndata: " + p.up.url() + "/../messages/?session_id=two\n\n");
    auto again = p.next("POST");
    CHECK(again.line() == "POST /messages/?session_id=two HTTP/1.1");
    CHECK(again.said()["method"] == "initialize");
    again.status("202 Accepted");
    stream.event("data: " + hello.dump() + "\n\n");
    p.next("POST").status("202 Accepted");
    auto call = p.next("POST");
    CHECK(call.said()["id"] == 3);
    call.status("202 Accepted");
    stream.event("data: " + p.answered(3, "pong").dump() + "\n\n");
    CHECK(p.client.hear()["result"]["text"] == "pong");
}

TEST_CASE("input that is a file is read to its end, and none at all is the end", "[stdio]") {
    played_upstream up;
    const demo_directory home;
    const auto settings = [&] {
        return settings_of(
            "approval: {listen: \"127.0.0.1:0\", open_browser: never}\nvault: {backend: memory}\n"
            "egress: {allow: [127.0.0.0/8]}\n" +
                running_proxy::upstream(up.url()),
            home.path());
    };
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK(run_stdio(settings(), {nothing, nothing, false}) == 0);
    ::close(nothing);
    const auto in = home.path() + "/in", out = home.path() + "/out";
    std::ofstream(in) << rpc(1, "ping").dump(); // no end of line either
    const int input = ::open(in.c_str(), O_RDONLY | O_CLOEXEC);
    const int output = ::open(out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    auto ended =
        std::async(std::launch::async, [&] { return run_stdio(settings(), {input, output, false}); });
    auto server = up.accept();
    read_message(server);
    server.send(answer(stdio_pair::answered(1, "pong").dump(), "Content-Type: application/json\r\n"));
    CHECK(ended.get() == 0);
    ::close(input);
    ::close(output);
    std::ifstream read(out);
    std::string line;
    std::getline(read, line);
    CHECK(json::parse(line) == stdio_pair::answered(1, "pong"));
}
