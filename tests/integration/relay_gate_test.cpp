// Policy `approve`: exactly this call, before it is sent. What reaches the server is counted there.
#include "tests/integration/relay_signed_in.hpp"

using namespace relay_test;

namespace {

/// Signed in; `publish` needs a person each time.
struct gated : signed_in {
    explicit gated(const std::string& wait = "{mode: hold}", const std::string& tool = "echo")
        : signed_in("policy: [{name: echoes, match: {tool: \"" + tool +
                    "\"}, action: approve, wait: " + wait + "}]\n") {}
    json ended(wire& client) { return read_message(client).parsed(); }
    int echoes() { return upstream.executed("tools/call echo"); }
    json decide(const std::string& id, const std::string& verb) {
        return json::parse(proxy->api("POST", "approvals/" + id + "/" + verb).body);
    }
    std::string asked() { return proxy->approval()["id"].get<std::string>(); }
    void await_none_waiting() { CHECK(proxy->await("waiting_requests", 0) == 0); }
};

} // namespace

TEST_CASE("a call waits before it is sent, whether or not the server challenges, and is sent once",
          "[gate]") {
    gated house;
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "hi"}})));
    const auto shown = house.proxy->approval();
    CHECK(shown["kind"] == "call");
    CHECK(shown["tool"] == "echo");
    CHECK(shown["method"] == "tools/call");
    CHECK(shown["client"] == "raw client");
    CHECK(shown["arguments"] == "{\n  \"text\": \"hi\"\n}");
    CHECK(shown["digest"].get<std::string>().size() == 43);
    CHECK(shown["needs_operator"] == true);
    CHECK(house.echoes() == 0);
    CHECK(house.decide(shown["id"], "approve")["status"] == "done");
    CHECK(house.ended(client)["result"]["content"][0]["text"] == "hi");
    CHECK(house.echoes() == 1);
}

TEST_CASE("other calls pass without being asked about", "[gate]") {
    gated house;
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "whoami", json::object())));
    CHECK(house.ended(client).contains("result"));
    CHECK(house.proxy->approvals().empty());
}

TEST_CASE("a second use, changed arguments and a denied call never reach the server", "[gate]") {
    gated house;
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "one"}})));
    house.decide(house.asked(), "approve");
    CHECK(house.ended(client).contains("result"));
    CHECK(house.echoes() == 1);
    // the very same again: another approval
    REQUIRE(client.send(house.call(2, "echo", {{"text", "one"}})));
    house.decide(house.asked(), "deny");
    CHECK(house.ended(client)["error"]["data"]["code"] == "approval_denied");
    CHECK(house.echoes() == 1);
    // approved for one set of arguments whose client gave up, asked with another
    auto gone = house.proxy->connect();
    REQUIRE(gone.send(house.call(3, "echo", {{"text", "small"}})));
    const auto id = house.asked();
    gone.close();
    house.await_none_waiting();
    house.decide(id, "approve");
    REQUIRE(client.send(house.call(4, "echo", {{"text", "large"}})));
    const auto other = house.asked();
    CHECK(other != id);
    CHECK(house.echoes() == 1);
    house.decide(other, "approve");
    CHECK(house.ended(client)["result"]["content"][0]["text"] == "large");
    CHECK(house.echoes() == 2);
}

TEST_CASE("a client that timed out and tries again is not asked twice", "[gate]") {
    gated house("{mode: fail}");
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "late"}}, {{"progressToken", 1}})));
    const auto error = house.ended(client)["error"];
    CHECK(error["data"]["code"] == "approval_required");
    CHECK(has(error["message"].get<std::string>(), house.proxy->approval()["link"].get<std::string>()));
    house.decide(house.asked(), "approve");
    CHECK(house.echoes() == 0);
    REQUIRE(client.send(house.call(2, "echo", {{"text", "late"}}, {{"progressToken", 2}})));
    CHECK(house.ended(client)["result"]["content"][0]["text"] == "late");
    CHECK(house.echoes() == 1);
}

TEST_CASE("a long wait keeps its client with progress, and the answer comes in the stream", "[gate]") {
    gated house("{mode: stream, grace: 0s, heartbeat: 1s, timeout: 5m}");
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}}, {{"progressToken", "p"}})));
    client.head();
    const auto link = house.proxy->approval()["link"].get<std::string>();
    CHECK(has(client.chunk(), "Waiting for approval: " + link));
    CHECK(has(client.chunk(), "\"progress\":2"));
    house.decide(house.asked(), "approve");
    CHECK(has(client.chunks(), "\"text\":\"x\""));
    CHECK(house.echoes() == 1);
}

TEST_CASE("a cancelled call is not sent after its approval", "[gate]") {
    gated house;
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(7, "echo", {{"text", "x"}})));
    const auto id = house.asked();
    auto other = house.proxy->connect();
    REQUIRE(other.send(house.rpc_post(
        {{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", 7}}}})));
    CHECK(house.ended(client).contains("error"));
    house.decide(id, "approve");
    house.await_none_waiting();
    CHECK(house.echoes() == 0);
}

TEST_CASE("a body that can be read in two ways, is compressed, chunked or too large does not slip through",
          "[gate]") {
    gated house;
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.post(R"({"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call",)"
                                   R"("params":{"name":"echo","arguments":{}}})")));
    CHECK(read_message(client).parsed()["error"]["data"]["code"] == "denied_by_policy");
    const auto fields = json_fields + house.session;
    REQUIRE(client.send(house.proxy->request("POST /up", fields + "Content-Encoding: gzip\r\n",
                                             rpc(2, "tools/call", {{"name", "echo"}}).dump())));
    CHECK(read_message(client).parsed()["error"]["data"]["code"] == "denied_by_policy");
    const auto body = rpc(3, "tools/call", {{"name", "echo"}, {"arguments", {{"text", "c"}}}}).dump();
    REQUIRE(client.send("POST /up HTTP/1.1\r\n" + house.proxy->host() + fields +
                        "Transfer-Encoding: chunked\r\n\r\n5\r\n" + body.substr(0, 5) + "\r\n"));
    char size[16];
    std::snprintf(size, sizeof size, "%zx", body.size() - 5);
    REQUIRE(client.send(std::string(size) + "\r\n" + body.substr(5) + "\r\n0\r\n\r\n"));
    const auto id = house.asked();
    CHECK(house.echoes() == 0);
    house.decide(id, "approve");
    CHECK(read_message(client).parsed()["result"]["content"][0]["text"] == "c");
    CHECK(house.echoes() == 1);
    auto large = house.proxy->connect();
    const auto huge =
        rpc(4, "tools/call", {{"name", "echo"}, {"arguments", {{"text", std::string(5 << 20, 'x')}}}});
    large.send(house.rpc_post(huge));
    CHECK(has(read_message(large).body, "request_not_replayable"));
    CHECK(house.echoes() == 1);
}

TEST_CASE("no other character set, and no name that the body does not have, gets a call past its approval",
          "[gate]") {
    gated house("{mode: hold}", "delete_*");
    auto client = house.proxy->connect();
    const auto utf7 =
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"+AGQ-elete_all","arguments":{}}})";
    const auto refused = [&](const std::string& fields, const std::string& body) {
        REQUIRE(client.send(house.proxy->request("POST /up", house.session + fields, body)));
        const auto told = read_message(client).parsed();
        CHECK(told["error"]["data"]["code"] == "denied_by_policy");
    };
    const std::string accept = "Accept: application/json, text/event-stream\r\n";
    refused(accept + "Content-Type: application/json; charset=utf-7\r\n", utf7);
    refused(accept + "Content-Type: application/json\r\nContent-Type: application/json;charset=utf-7\r\n",
            utf7);
    const auto fields = accept + "Content-Type: application/json\r\n";
    const auto echo = rpc(2, "tools/call", {{"name", "echo"}, {"arguments", json::object()}}).dump();
    refused(fields + "Mcp-Name: delete_all\r\n", echo);
    refused(fields + "Mcp-Method: tools/list\r\n", echo);
    REQUIRE(
        client.send(house.proxy->request("POST /up", house.session + fields + "Mcp-Name: echo\r\n", echo)));
    CHECK(house.ended(client).contains("result"));
    CHECK(house.proxy->approvals().empty());
    CHECK(house.upstream.executed("tools/call delete_all") == 0);
}

TEST_CASE("a resource is named by its uri, whatever else is there", "[gate]") {
    gated house("{mode: hold}", "file:///secret*");
    auto client = house.proxy->connect();
    const auto read = rpc(1, "resources/read", {{"name", "harmless"}, {"uri", "file:///secret/key"}});
    REQUIRE(client.send(house.rpc_post(read)));
    const auto shown = house.proxy->approval();
    CHECK(shown["tool"] == "file:///secret/key");
    CHECK(has(shown["arguments"].get<std::string>(), "harmless"));
    house.decide(shown["id"], "deny");
    CHECK(house.ended(client)["error"]["data"]["code"] == "approval_denied");
}

TEST_CASE("a batch is shown whole, the call that the rule names first; what is too large needs a word for it",
          "[gate]") {
    gated house;
    auto client = house.proxy->connect();
    auto batch = json::array();
    for (int i = 1; i < 3; ++i)
        batch.push_back(
            rpc(i, "tools/call", {{"name", "whoami"}, {"arguments", {{"x", std::string(4000, 'x')}}}}));
    batch.push_back(
        rpc(3, "tools/call", {{"name", "echo"}, {"arguments", {{"text", "h\xe2\x80\x8bidden"}}}}));
    REQUIRE(client.send(house.rpc_post(batch)));
    auto shown = house.proxy->approval();
    CHECK(shown["tool"] == "echo");
    REQUIRE(shown["calls"].size() == 3);
    CHECK(has(shown["calls"][0]["arguments"].get<std::string>(), "h\\u200bidden"));
    CHECK(has(shown["arguments"].get<std::string>(), std::string(4000, 'x')));
    CHECK_FALSE(shown.contains("not_shown"));
    CHECK(has(shown["target"].get<std::string>(), "/mcp"));
    house.decide(shown["id"], "deny");
    read_message(client);
    auto other = house.proxy->connect();
    REQUIRE(other.send(house.call(4, "echo", {{"text", std::string(100'000, 'y')}})));
    shown = house.proxy->approval();
    CHECK(shown["not_shown"].get<int>() > 60'000);
    CHECK(house.decide(shown["id"], "approve")["error"] == "not_shown");
    CHECK(house.echoes() == 0);
    const auto yes = house.proxy->api("POST", "approvals/" + shown["id"].get<std::string>() + "/approve",
                                      R"({"unseen":true})");
    CHECK(json::parse(yes.body)["status"] == "done");
    CHECK(house.ended(other).contains("result"));
    CHECK(house.echoes() == 1);
}

TEST_CASE("a link alone may deny a call, and not approve it", "[gate]") {
    gated house;
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}})));
    const auto link = house.proxy->approval()["link"].get<std::string>();
    const auto page = demo_http("GET", link).value();
    CHECK(has(page.body, "Send this call to up?"));
    CHECK(has(page.body, "&quot;text&quot;: &quot;x&quot;"));
    CHECK(demo_http("POST", link + "/approve", {{"Origin", house.proxy->page}}).value().status != 200);
    CHECK(house.echoes() == 0);
    demo_http("POST", link + "/deny", {{"Origin", house.proxy->page}}).value();
    CHECK(house.ended(client)["error"]["data"]["code"] == "approval_denied");
    CHECK(house.echoes() == 0);
}

TEST_CASE("an approved call that is challenged then is recovered like any other", "[gate]") {
    gated house("{mode: hold}", "publish");
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "publish", {{"text", "note"}})));
    CHECK(house.proxy->approval()["kind"] == "call");
    house.decide(house.asked(), "approve");
    // the step-up is another question
    house.await([&] {
        const auto all = house.proxy->approvals();
        return all.size() == 1 && all[0]["kind"] == "step_up";
    });
    CHECK(house.proxy->approvals()[0]["arguments"] == "{\n  \"text\": \"note\"\n}");
    house.proxy->approve();
    CHECK(has(house.ended(client)["result"]["content"][0]["text"].get<std::string>(), "note"));
    CHECK(house.upstream.executed("tools/call publish") == 1);
    const auto past = json::parse(house.proxy->api("GET", "history").body)["history"];
    REQUIRE(past.size() >= 2);
    CHECK(past[0]["how"] == "step_up");
    CHECK(past[0]["client"] == "raw client");
    CHECK(past[0].contains("took_ms"));
    CHECK(past[1]["how"] == "call approved");
    CHECK(past[1]["rule"] == "echoes");
}
