// How a client experiences the wait for a person (design, "When a person must decide").
#include "tests/integration/relay_signed_in.hpp"

using namespace relay_test;

namespace {

/// A house that nobody is signed in to any more; its one rule waits as `wait` says.
struct signed_out : protected_house {
    explicit signed_out(const std::string& wait)
        : protected_house(
              "policy: [{match: {upstream: up}, action: interactive, wait: " + wait + "}]\n",
              [](config& c) { c.policy.rules[0].wait.heartbeat = std::chrono::milliseconds(20); }) {
        set_faults();
        sign_in();
        as.kill_sessions();
        as.kill_access_tokens();
    }
    json ended(wire& client) { return read_message(client).parsed(); }
};

/// The data of the events in a stream's text.
std::vector<json> events(const std::string& text) {
    std::vector<json> out;
    for (std::size_t at = 0; (at = text.find("data: ", at)) != std::string::npos; ++at)
        out.push_back(json::parse(text.substr(at + 6, text.find('\n', at) - at - 6), nullptr, false));
    return out;
}

const std::string streaming = "{mode: stream, grace: 0s}";

} // namespace

TEST_CASE("a waiting call streams comments and rising progress with its own token, then its answer",
          "[wait]") {
    signed_out house(streaming);
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call("a", "echo", {{"text", "late"}}, {{"progressToken", "p-1"}}) +
                        house.rpc_post(rpc(2, "ping"))));
    const auto head = client.head();
    CHECK(head.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
    CHECK(field(head, "Content-Type") == "text/event-stream");
    const auto link = house.proxy->approval()["link"].get<std::string>();
    for (int wanted = 1; wanted <= 2; ++wanted) {
        const auto text = client.chunk();
        CHECK(text.rfind(": ", 0) == 0);
        auto told = events(text);
        REQUIRE(told.size() == 1);
        CHECK(told[0]["method"] == "notifications/progress");
        CHECK(told[0]["params"]["progressToken"] == "p-1");
        CHECK(told[0]["params"]["progress"] == wanted);
        CHECK(told[0]["params"]["message"] == "Waiting for approval: " + link);
    }
    house.proxy->approve();
    auto all = events(client.chunks());
    REQUIRE_FALSE(all.empty());
    CHECK(all.back()["id"] == "a");
    CHECK(all.back()["result"]["content"][0]["text"] == "late");
    CHECK(house.upstream.executed("tools/call echo") == 1);
    // the connection serves the next request
    CHECK(read_message(client).parsed()["id"] == 2);
}

TEST_CASE("an event stream behind a wait follows as it is", "[wait]") {
    signed_out house(streaming);
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "slow", {{"steps", 3}}, {{"progressToken", 5}})));
    client.head();
    house.proxy->approve();
    bool whole = false;
    auto all = events(client.chunks(&whole));
    CHECK(whole);
    CHECK(all.back()["result"]["content"][0]["text"] == "done");
    CHECK(std::count_if(all.begin(), all.end(),
                        [](const json& e) { return e.contains(json::json_pointer("/params/total")); }) == 3);
}

TEST_CASE("an upstream's error status behind a wait becomes an error event, and the connection goes on",
          "[wait]") {
    signed_out house(streaming);
    house.session = "Mcp-Session-Id: over\r\n";
    auto client = house.proxy->connect();
    // the answer to the second shows that nothing of it was lost
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}}) + house.initialize(2) + house.initialize(3)));
    client.head();
    house.proxy->approve();
    auto all = events(client.chunks());
    REQUIRE_FALSE(all.empty());
    CHECK(all.back()["id"] == 1);
    CHECK(has(all.back()["error"]["message"].get<std::string>(), "404"));
    CHECK(read_message(client).parsed()["id"] == 2);
    CHECK(read_message(client).parsed()["id"] == 3);
}

TEST_CASE("initialize is held: no byte before its own answer", "[wait]") {
    signed_out house(streaming);
    house.session.clear();
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.initialize()));
    house.proxy->approve();
    const auto back = read_message(client);
    CHECK(back.get("Content-Type").rfind("application/json", 0) == 0);
    CHECK_FALSE(back.get("Mcp-Session-Id").empty());
}

TEST_CASE("hold sends nothing until it is decided, and a client without event streams is held", "[wait]") {
    std::string fields, wait;
    SECTION("mode hold") {
        wait = "{mode: hold}";
    }
    SECTION("no event stream accepted") {
        wait = streaming;
        fields = "only json";
    }
    signed_out house(wait);
    auto client = house.proxy->connect();
    auto request = house.rpc_post(rpc(1, "ping"));
    if (!fields.empty())
        request.replace(request.find(", text/event-stream"), 19, "");
    REQUIRE(client.send(request));
    house.proxy->approve();
    const auto back = read_message(client);
    CHECK(back.get("Content-Type") != "text/event-stream");
    CHECK((back.status() == 200 || back.status() == 406));
}

TEST_CASE("fail answers at once with the link; the approval lives on and the next try works", "[wait]") {
    signed_out house("{mode: fail}");
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}})));
    const auto error = house.ended(client)["error"];
    CHECK(error["code"] == -32010);
    CHECK(error["data"]["code"] == "approval_required");
    const auto link = house.proxy->approval()["link"].get<std::string>();
    CHECK(error["data"]["approvalUrl"] == link);
    CHECK(has(error["message"].get<std::string>(), link));
    house.proxy->approve();
    REQUIRE(client.send(house.call(2, "echo", {{"text", "now"}})));
    CHECK(house.ended(client)["result"]["content"][0]["text"] == "now");
    CHECK(house.proxy->await("waiting_requests", 0) == 0);
}

TEST_CASE("after wait.timeout the client gets the link, and approving still stores the credential",
          "[wait]") {
    signed_out house("{mode: hold, timeout: 50ms}");
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}})));
    const auto error = house.ended(client)["error"];
    CHECK(error["data"]["code"] == "approval_timeout");
    CHECK(error["data"]["approvalUrl"] == house.proxy->approval()["link"]);
    house.proxy->approve();
    REQUIRE(client.send(house.call(2, "echo", {{"text", "now"}})));
    CHECK(house.ended(client)["result"]["content"][0]["text"] == "now");
}

TEST_CASE("a GET stream waits without starting an approval, and goes on when somebody else's is granted",
          "[wait]") {
    signed_out house(streaming);
    auto stream = house.proxy->connect();
    REQUIRE(stream.send(house.proxy->request(
        "GET /up", "Accept: text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\n" + house.session)));
    CHECK(has(stream.head(), "text/event-stream"));
    CHECK(has(stream.chunk(), ": "));
    CHECK(house.proxy->approvals().empty());
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.rpc_post(rpc(1, "ping"))));
    client.head();
    house.proxy->approve();
    CHECK(events(client.chunks()).back()["id"] == 1);
    house.await([&] { return house.upstream.open_streams() == 1; });
    house.upstream.broadcast(rpc(77, "roots/list"));
    std::string seen;
    while (!has(seen, "roots/list")) {
        const auto more = stream.chunk();
        REQUIRE_FALSE(more.empty());
        seen += more;
    }
    CHECK(events(seen).back()["id"] == 77);
}

TEST_CASE("initialize is answered with link and reason before any client gives up", "[wait]") {
    signed_out house("{mode: auto}");
    house.session.clear();
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.initialize()));
    const auto error = house.ended(client)["error"];
    CHECK(error["data"]["code"] == "approval_timeout");
    const auto waiting = house.proxy->approval();
    CHECK(error["data"]["approvalUrl"] == waiting["link"]);
    CHECK(has(error["message"].get<std::string>(), waiting["link"].get<std::string>()));
    house.proxy->approve();
    REQUIRE(client.send(house.initialize(2)));
    CHECK(house.ended(client)["result"].contains("serverInfo"));
}

TEST_CASE("a GET without session and credential gets 405 at once, so that fallbacks end", "[wait]") {
    protected_house house;
    house.set_faults();
    auto stream = house.proxy->connect();
    REQUIRE(stream.send(house.proxy->request("GET /up", "Accept: text/event-stream\r\n")));
    const auto answer = read_message(stream);
    CHECK(answer.status() == 405);
    CHECK(answer.get("Allow") == "POST");
    CHECK(answer.parsed()["error"]["data"]["code"] == "approval_required");
    CHECK(house.proxy->approvals().empty());
}

TEST_CASE("a GET is held where the server speaks only the old transport: told by its path, or learned",
          "[wait]") {
    for (const bool by_path : {true, false}) {
        played_upstream up([](const std::string&) { return std::string(); }); // no metadata at all
        const auto url = by_path ? up.url().substr(0, up.url().rfind('/')) + "/sse" : up.url();
        running_proxy proxy(running_proxy::upstream(url));
        auto client = proxy.connect();
        if (!by_path) {
            REQUIRE(client.send(proxy.request("POST /up", json_fields, rpc(1, "initialize").dump())));
            auto server = up.accept();
            read_message(server);
            server.send("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            CHECK(read_message(client).status() == 405);
        }
        REQUIRE(client.send(proxy.request("GET /up", "Accept: text/event-stream\r\n")));
        auto server = up.accept();
        read_message(server);
        server.send("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n"
                    "Connection: close\r\n\r\n");
        CHECK(proxy.approval()["kind"] == "login");
        proxy.deny();
    }
}

TEST_CASE("who calls is remembered from the beginning of its session", "[wait]") {
    signed_in house("policy: [{match: {upstream: up}, action: interactive, wait: {mode: hold}}]\n");
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "publish", {{"text", "x"}})));
    CHECK(house.proxy->approval()["client"] == "raw client");
    house.proxy->deny();
}

TEST_CASE("one denial answers everybody who waits", "[wait]") {
    signed_out house("{mode: hold}");
    const auto looked_up = house.as.counters().metadata_reads;
    std::vector<wire> clients;
    for (int i = 0; i < 10; ++i) {
        clients.push_back(house.proxy->connect());
        REQUIRE(clients.back().send(house.call(i, "echo", {{"text", "x"}})));
    }
    CHECK(house.proxy->await("waiting_requests", 10) == 10);
    house.proxy->approval();
    CHECK(house.proxy->approvals().size() == 1);
    house.proxy->deny();
    for (int i = 0; i < 10; ++i) {
        const auto back = house.ended(clients[static_cast<std::size_t>(i)]);
        CHECK(back["id"] == i);
        CHECK(back["error"]["data"]["code"] == "approval_denied");
    }
    CHECK(house.proxy->await("waiting_requests", 0) == 0);
    CHECK(house.as.counters().metadata_reads - looked_up <= 1);
    CHECK(house.proxy->count("denials_total") == 1);
    CHECK(house.upstream.executed("tools/call echo") == 0);
}

TEST_CASE("forged callbacks and duplicate clicks leave nobody waiting for ever", "[wait]") {
    signed_out house("{mode: hold}");
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}})));
    const auto id = house.proxy->approval()["id"].get<std::string>();
    for (const std::string query :
         {"code=x&state=forged", "error=access_denied&state=forged", "code=x", "state=", ""})
        CHECK(demo_http("GET", house.proxy->page + "/oauth/callback?" + query).value().status >= 400);
    CHECK(house.proxy->count("waiting_requests") == 1);
    const auto first = json::parse(house.proxy->api("POST", "approvals/" + id + "/approve").body);
    const auto second = json::parse(house.proxy->api("POST", "approvals/" + id + "/approve").body);
    CHECK(first == second);
    REQUIRE(first["status"] == "redirect");
    CHECK(demo_browse(first["location"].get<std::string>()).value().status == 200);
    CHECK(house.ended(client)["result"]["content"][0]["text"] == "x");
    // the same callback once more finds nothing to do
    demo_browse(first["location"].get<std::string>()).value();
    CHECK(house.proxy->await("waiting_requests", 0) == 0);
    CHECK(house.upstream.executed("tools/call echo") == 1);
}

TEST_CASE("notifications are held, not answered with an error at once", "[wait]") {
    signed_out house(streaming);
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})")));
    house.proxy->approve();
    CHECK(read_message(client).status() == 202);
}
