// A client of 2025 and a server of 2026-07-28, message by message.
#include "core/mcp/era_session.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using nlohmann::json;

namespace {

const auto version = "io.modelcontextprotocol/protocolVersion";

json parsed(const std::string& text) {
    return json::parse(text, nullptr, false);
}

json error(const json& id, int code, json data = json::object()) {
    return {{"jsonrpc", "2.0"},
            {"id", id},
            {"error", {{"code", code}, {"message", "no"}, {"data", std::move(data)}}}};
}

/// A session and what it says next; everything that is not looked at is an error of the test.
struct talk {
    era_session session{"files"};
    std::vector<json> client, server;
    bool listen_again = false;

    void take(const era_outcome& out) {
        for (const auto& m : out.to_client)
            client.push_back(parsed(m));
        for (const auto& m : out.to_server)
            server.push_back(parsed(m));
        listen_again = out.listen_again;
    }
    void client_says(const json& m) { take(session.from_client(m.dump())); }
    void server_says(const json& m) { take(session.from_server(m.dump())); }
    json next(std::vector<json>& from) {
        REQUIRE(!from.empty());
        auto out = from.front();
        from.erase(from.begin());
        return out;
    }
    json to_client() { return next(client); }
    json to_server() { return next(server); }
    bool silent() const { return client.empty() && server.empty(); }

    static json initialize(const std::string& wanted = "2025-06-18", json capabilities = json::object()) {
        return {{"jsonrpc", "2.0"},
                {"id", 0},
                {"method", "initialize"},
                {"params",
                 {{"protocolVersion", wanted},
                  {"capabilities", std::move(capabilities)},
                  {"clientInfo", {{"name", "c"}}}}}};
    }
    static json discovered(json capabilities = json::object()) {
        return {{"jsonrpc", "2.0"},
                {"id", "mcp-reauth-discover"},
                {"result",
                 {{"resultType", "complete"},
                  {"supportedVersions", {"2026-07-28"}},
                  {"capabilities", std::move(capabilities)}}}};
    }
    /// Up to an open session.
    void open(json client_capabilities = json::object(), json server_capabilities = json::object()) {
        client_says(initialize("2025-11-25", std::move(client_capabilities)));
        to_server();
        server_says(discovered(std::move(server_capabilities)));
        to_client();
    }
    static json call(const json& id, const std::string& method = "tools/call", json params = json::object()) {
        return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
    }
};

} // namespace

TEST_CASE(
    "era: initialize is answered from server/discover, in the client's version where there is such a one") {
    talk t;
    t.client_says(talk::initialize("2025-06-18"));
    CHECK(t.session.probing());
    const auto probe = t.to_server();
    CHECK(probe["method"] == "server/discover");
    CHECK(probe["params"]["_meta"][version] == "2026-07-28");
    CHECK(probe["params"]["_meta"]["io.modelcontextprotocol/clientInfo"]["name"] == "c");
    auto answer = talk::discovered({{"tools", json::object()}});
    answer["result"]["instructions"] = "be kind";
    t.server_says(answer);
    const auto hello = t.to_client();
    CHECK(hello["id"] == 0);
    CHECK(hello["result"]["protocolVersion"] == "2025-06-18");
    CHECK(hello["result"]["capabilities"].contains("tools"));
    CHECK(hello["result"]["serverInfo"]["name"] == "files"); // it did not say
    CHECK(hello["result"]["instructions"] == "be kind");
    CHECK(t.silent());
    talk later;
    later.client_says(talk::initialize("2030-01-01"));
    answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"] = {{"name", "real"}, {"version", "3"}};
    later.server_says(answer);
    const auto other = later.to_client();
    CHECK(other["result"]["protocolVersion"] == "2025-11-25");
    CHECK(other["result"]["serverInfo"]["name"] == "real");
}

TEST_CASE("era: with a server of the client's own era nothing is changed") {
    for (const auto& refusal : {error("mcp-reauth-discover", -32601),
                                error("mcp-reauth-discover", -32022, {{"supported", {"2025-11-25"}}}),
                                error("mcp-reauth-discover", -32010, {{"code", "upstream_malformed"}})}) {
        talk t;
        t.client_says(talk::initialize());
        t.to_server();
        t.server_says(refusal);
        CHECK(t.to_server() == talk::initialize());
        CHECK_FALSE(t.session.probing());
        t.client_says(talk::call(1));
        CHECK(t.to_server() == talk::call(1));
        t.server_says({{"jsonrpc", "2.0"}, {"id", 1}, {"result", {{"resultType", "complete"}}}});
        CHECK(t.to_client()["result"]["resultType"] == "complete");
        t.client_says(json::array({talk::call(2)}));
        CHECK(t.to_server().is_array());
        CHECK(t.silent());
    }
}

TEST_CASE("era: trouble of ours is told, and the next initialize asks again") {
    talk t;
    t.client_says(talk::initialize());
    t.to_server();
    t.server_says(error("mcp-reauth-discover", -32010, {{"code", "approval_timeout"}}));
    const auto told = t.to_client();
    CHECK(told["id"] == 0);
    CHECK(told["error"]["data"]["code"] == "approval_timeout");
    CHECK_FALSE(t.session.probing());
    t.client_says(talk::initialize());
    CHECK(t.to_server()["method"] == "server/discover");
    t.server_says(error("mcp-reauth-discover", -32022, {{"supported", {"2027-01-01"}}}));
    CHECK(t.to_client()["error"]["message"].get<std::string>().find("2027-01-01") != std::string::npos);
    CHECK(t.silent());
}

TEST_CASE("era: every request says what the era says with each, and its answer loses what the client has no "
          "word for") {
    talk t;
    t.open({{"roots", json::object()}});
    t.client_says(talk::call(7, "tools/call", {{"name", "x"}, {"_meta", {{"progressToken", 7}}}}));
    auto sent = t.to_server();
    CHECK(sent["id"] == 7);
    CHECK(sent["params"]["name"] == "x");
    CHECK(sent["params"]["_meta"]["progressToken"] == 7);
    CHECK(sent["params"]["_meta"][version] == "2026-07-28");
    const auto& can = sent["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    CHECK(can.contains("roots"));
    CHECK(can["extensions"].contains("io.modelcontextprotocol/enterprise-managed-authorization"));
    CHECK(can["extensions"].contains("io.modelcontextprotocol/oauth-client-credentials"));
    CHECK_FALSE(sent["params"]["_meta"].contains("io.modelcontextprotocol/logLevel"));
    t.server_says({{"jsonrpc", "2.0"},
                   {"id", 7},
                   {"result", {{"resultType", "complete"}, {"content", json::array()}}}});
    CHECK(t.to_client()["result"] == json{{"content", json::array()}});
    t.client_says(talk::call(8, "logging/setLevel", {{"level", "debug"}}));
    CHECK(t.to_client()["result"].empty());
    t.client_says(talk::call(9, "ping"));
    CHECK(t.to_client()["id"] == 9);
    t.client_says(json::array({talk::call("a"), talk::call("b")})); // a batch is none there
    CHECK(t.to_server()["params"]["_meta"]["io.modelcontextprotocol/logLevel"] == "debug");
    CHECK(t.to_server()["id"] == "b");
    t.server_says({{"jsonrpc", "2.0"}, {"id", "b"}, {"result", {{"resultType", "task"}}}});
    CHECK(t.to_client()["error"]["code"] == -32603);
    t.server_says(error("a", -32602));
    CHECK(t.to_client()["error"]["code"] == -32602);
    t.client_says({{"jsonrpc", "2.0"}, {"method", "notifications/roots/list_changed"}});
    CHECK(t.silent());
}

TEST_CASE("era: questions in a result become requests, and their answers go back with the server's state") {
    talk t;
    t.open({{"elicitation", json::object()}, {"sampling", json::object()}});
    const json request = talk::call(3, "tools/call", {{"name", "ask"}});
    t.client_says(request);
    t.to_server();
    const json required{
        {"jsonrpc", "2.0"},
        {"id", 3},
        {"result",
         {{"resultType", "input_required"},
          {"requestState", "s\u00e9cret"},
          {"inputRequests",
           {{"who", {{"method", "elicitation/create"}, {"params", {{"message", "Name?"}}}}},
            {"what", {{"method", "sampling/createMessage"}, {"params", {{"maxTokens", 1}}}}}}}}}};
    t.server_says(required);
    const auto one = t.to_client(), two = t.to_client();
    CHECK(std::set<std::string>{one["method"], two["method"]} ==
          std::set<std::string>{"elicitation/create", "sampling/createMessage"});
    CHECK(one["id"] != two["id"]);
    const auto& who = one["method"] == "elicitation/create" ? one : two;
    const auto& what = one["method"] == "elicitation/create" ? two : one;
    CHECK(who["params"]["message"] == "Name?");
    t.client_says({{"jsonrpc", "2.0"}, {"id", who["id"]}, {"result", {{"action", "accept"}}}});
    CHECK(t.silent());
    t.client_says({{"jsonrpc", "2.0"}, {"id", what["id"]}, {"result", {{"role", "assistant"}}}});
    const auto again = t.to_server();
    CHECK(again["id"] == 3);
    CHECK(again["params"]["name"] == "ask");
    CHECK(again["params"]["requestState"] == "s\u00e9cret");
    CHECK(again["params"]["inputResponses"] ==
          json{{"who", {{"action", "accept"}}}, {"what", {{"role", "assistant"}}}});
    // a round that only carries state is asked again at once, and not for ever
    for (int i = 0; i < 9; ++i) {
        t.server_says({{"jsonrpc", "2.0"},
                       {"id", 3},
                       {"result", {{"resultType", "input_required"}, {"requestState", std::to_string(i)}}}});
        CHECK(t.to_server()["params"]["requestState"] == std::to_string(i));
    }
    t.server_says({{"jsonrpc", "2.0"},
                   {"id", 3},
                   {"result", {{"resultType", "input_required"}, {"requestState", "x"}}}});
    CHECK(t.to_client()["error"]["code"] == -32603);
    CHECK(t.silent());
}

TEST_CASE("era: what the client has not offered is not asked of it, and what it refuses ends the request") {
    talk t;
    t.open({{"elicitation", json::object()}});
    const auto asks = [&](const json& id, const std::string& method, json params = json::object()) {
        t.client_says(talk::call(id));
        t.to_server();
        t.server_says({{"jsonrpc", "2.0"},
                       {"id", id},
                       {"result",
                        {{"resultType", "input_required"},
                         {"inputRequests", {{"k", {{"method", method}, {"params", std::move(params)}}}}}}}});
        return t.to_client();
    };
    CHECK(asks(1, "sampling/createMessage").contains("error"));
    CHECK(asks(2, "elicitation/create", {{"mode", "url"}}).contains("error"));
    CHECK(asks(3, "tools/call").contains("error"));
    const auto asked = asks(4, "elicitation/create");
    REQUIRE(asked["method"] == "elicitation/create");
    t.client_says(error(asked["id"], -1));
    CHECK(t.to_client()["id"] == 4);
    // one that the client takes back while it is asked
    const auto second = asks(5, "elicitation/create");
    t.client_says(
        {{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", 5}}}});
    t.client_says({{"jsonrpc", "2.0"}, {"id", second["id"]}, {"result", json::object()}});
    CHECK(t.silent());
    // and one that is at the server
    t.client_says(talk::call(6));
    t.to_server();
    t.client_says(
        {{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", 6}}}});
    CHECK(t.to_server()["method"] == "notifications/cancelled");
}

TEST_CASE(
    "era: changes come by a stream that is asked for as the server offers them, and again when it ends") {
    talk t;
    t.open({}, {{"tools", {{"listChanged", true}}},
                {"prompts", json::object()},
                {"resources", {{"subscribe", true}}}});
    t.client_says({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
    const auto listen = t.to_server();
    CHECK(listen["method"] == "subscriptions/listen");
    CHECK(listen["params"]["notifications"] == json{{"toolsListChanged", true}});
    const auto id = listen["id"];
    t.server_says({{"jsonrpc", "2.0"},
                   {"method", "notifications/subscriptions/acknowledged"},
                   {"params", json::object()}});
    CHECK(t.silent());
    const json meta{{"io.modelcontextprotocol/subscriptionId", id}};
    t.server_says(
        {{"jsonrpc", "2.0"}, {"method", "notifications/tools/list_changed"}, {"params", {{"_meta", meta}}}});
    CHECK(t.to_client() == json{{"jsonrpc", "2.0"},
                                {"method", "notifications/tools/list_changed"},
                                {"params", json::object()}});
    // another resource: the stream is another
    t.client_says(talk::call(1, "resources/subscribe", {{"uri", "file:///a"}}));
    CHECK(t.to_client()["id"] == 1);
    CHECK(t.to_server()["params"]["requestId"] == id);
    const auto more = t.to_server();
    CHECK(more["params"]["notifications"]["resourceSubscriptions"] == json{"file:///a"});
    t.server_says(error(id, -32010)); // of the one that was closed: nobody's
    CHECK_FALSE(t.listen_again);
    t.server_says(error(more["id"], -32010));
    CHECK(t.listen_again);
    CHECK(t.silent());
    CHECK(parsed(*t.session.listen())["method"] == "subscriptions/listen");
    CHECK_FALSE(t.session.listen()); // one at a time
}
