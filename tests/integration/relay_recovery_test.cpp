// Credentials die and come back while requests are on their way: once for all of them, and nothing is lost.
#include "tests/integration/relay_signed_in.hpp"

#include "core/crypto/digest.hpp"
#include "core/text/encoding.hpp"

using namespace relay_test;

namespace {

/// `count` calls of `echo` that have all reached the upstream when the token dies.
void die_with_all_in_flight(signed_in& house, unsigned count) {
    auto& gate = house.upstream.before_authentication();
    gate.close();
    std::vector<wire> clients;
    for (unsigned i = 0; i < count; ++i) {
        clients.push_back(house.proxy->connect());
        REQUIRE(clients.back().send(house.call(i, "echo", {{"text", "t" + std::to_string(i)}})));
    }
    house.await([&] { return gate.waiting() == count; });
    const auto before = house.as.counters().refreshes;
    house.as.kill_access_tokens();
    gate.open();
    unsigned answers = 0;
    for (unsigned i = 0; i < count; ++i) {
        const auto back = read_message(clients[i]).parsed();
        if (back.is_object() && back.value("id", json()) == i && back.contains("result") &&
            back["result"]["content"][0]["text"] == "t" + std::to_string(i))
            ++answers;
    }
    CHECK(answers == count);
    CHECK(house.as.counters().refreshes - before == 1);
    CHECK(house.as.counters().refresh_reuses == 0);
    CHECK(house.upstream.executed("tools/call echo") == count);
    CHECK(house.proxy->count("failures_total") == 0);
    CHECK(house.proxy->await("waiting_requests", 0) == 0);
}

} // namespace

TEST_CASE("1,000 requests in flight when the token dies: one refresh, every answer, no error", "[recovery]") {
    signed_in house;
    demo_authorization_faults faults;
    SECTION("at once") {}
    SECTION("with the refresh answer delayed by 2 s") {
        faults.delay_next = 1;
        faults.delay = std::chrono::seconds(2);
    }
    SECTION("with the authorization server answering 503 twice first") {
        faults.unavailable_next = 2;
    }
    house.as.set_faults(std::move(faults));
    die_with_all_in_flight(house, 1000);
}

TEST_CASE("a body of 3 MiB is replayed byte for byte", "[recovery]") {
    signed_in house;
    const auto body = rpc(1, "tools/call",
                          {{"name", "echo"}, {"arguments", {{"text", std::string(3u << 20, 'x') + "end"}}}})
                          .dump();
    house.as.kill_access_tokens();
    auto client = house.proxy->connect();
    std::thread sender([&] { client.send(house.post(body)); });
    const auto back = read_message(client);
    sender.join();
    CHECK(back.status() == 200);
    CHECK(back.get("X-Demo-Body-SHA256") == hex_encode(sha256(body)));
    CHECK(house.upstream.executed("tools/call echo") == 1);
    CHECK(house.proxy->await("replay_bytes", 0) == 0);
}

TEST_CASE("a body beyond limits.replay_body is refused once, and the next request needs no other refresh",
          "[recovery]") {
    signed_in house("limits: {replay_body: 64KiB}\n");
    const auto body =
        rpc(1, "tools/call", {{"name", "echo"}, {"arguments", {{"text", std::string(200'000, 'x')}}}}).dump();
    const auto before = house.as.counters().refreshes;
    house.as.kill_access_tokens();
    auto client = house.proxy->connect();
    std::thread sender([&] { client.send(house.post(body)); });
    const auto back = read_message(client);
    sender.join();
    CHECK(back.parsed()["error"]["data"]["code"] == "request_not_replayable");
    CHECK(house.upstream.executed("tools/call echo") == 0);
    auto next = house.proxy->connect();
    REQUIRE(next.send(house.call(2, "echo", {{"text", "again"}})));
    CHECK(read_message(next).parsed()["result"]["content"][0]["text"] == "again");
    CHECK(house.as.counters().refreshes - before == 1);
}

TEST_CASE("a chunked body is replayed whole, also behind a pipelined request", "[recovery]") {
    signed_in house;
    const auto body = rpc(5, "tools/call", {{"name", "echo"}, {"arguments", {{"text", "chunky"}}}}).dump();
    char size[16];
    std::snprintf(size, sizeof size, "%zx", body.size());
    const auto chunked =
        house.proxy->request("POST /up",
                             json_fields + house.session + "X-Mark: one\r\nTransfer-Encoding: chunked\r\n") +
        size + "\r\n" + body + "\r\n0\r\n\r\n";
    house.as.kill_access_tokens();
    auto client = house.proxy->connect();
    REQUIRE(client.send(chunked + chunked + house.call(6, "echo", {{"text", "after"}})));
    CHECK(read_message(client).parsed()["result"]["content"][0]["text"] == "chunky");
    CHECK(read_message(client).parsed()["result"]["content"][0]["text"] == "chunky");
    CHECK(read_message(client).parsed()["result"]["content"][0]["text"] == "after");
    // the second one meets a challenge with the third already there
    house.as.kill_access_tokens();
    REQUIRE(client.send(house.proxy->request("GET /nowhere") + chunked +
                        house.call(7, "echo", {{"text", "third"}})));
    CHECK(read_message(client).status() == 404);
    CHECK(read_message(client).parsed()["result"]["content"][0]["text"] == "chunky");
    CHECK(read_message(client).parsed()["result"]["content"][0]["text"] == "third");
}

TEST_CASE("a client that leaves while it is held costs nothing, and the credential is renewed all the same",
          "[recovery]") {
    signed_in house;
    house.as.kill_access_tokens();
    house.as.token_gate().close();
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}})));
    house.await([&] { return house.as.token_gate().waiting() == 1; });
    CHECK(house.proxy->count("waiting_requests") == 1);
    client.close();
    CHECK(house.proxy->await("waiting_requests", 0) == 0);
    house.as.token_gate().open();
    auto next = house.proxy->connect();
    REQUIRE(next.send(house.call(2, "echo", {{"text", "y"}})));
    CHECK(read_message(next).parsed()["result"]["content"][0]["text"] == "y");
    CHECK(house.upstream.executed("tools/call echo") == 1);
    CHECK(house.as.counters().refreshes == 1);
}

TEST_CASE("a held request that its client cancels is never executed", "[recovery]") {
    for (const std::string spelling : {"notifications/cancelled", "notifications\\/cancelled"}) {
        INFO(spelling);
        signed_in house;
        house.as.kill_access_tokens();
        house.as.token_gate().close();
        auto client = house.proxy->connect();
        REQUIRE(client.send(house.call(9, "echo", {{"text", "x"}})));
        house.await([&] { return house.as.token_gate().waiting() == 1; });
        auto other = house.proxy->connect();
        REQUIRE(other.send(
            house.post(R"({"jsonrpc":"2.0","method":")" + spelling + R"(","params":{"requestId":9}})")));
        CHECK(read_message(other).status() == 202);
        CHECK(read_message(client).parsed()["error"]["data"]["code"] == "request_not_replayable");
        house.as.token_gate().open();
        auto next = house.proxy->connect();
        REQUIRE(next.send(house.rpc_post(rpc(10, "ping"))));
        CHECK(read_message(next).parsed().contains("result"));
        CHECK(house.upstream.executed("tools/call echo") == 0);
        CHECK(house.upstream.executed("notifications/cancelled") == 0);
        CHECK(house.proxy->await("waiting_requests", 0) == 0);
    }
}

TEST_CASE("a challenge is never shown to the client", "[recovery]") {
    signed_in house;
    house.as.kill_sessions();
    house.as.kill_access_tokens();
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}})));
    house.proxy->deny();
    const auto back = read_message(client);
    CHECK(back.status() == 200);
    CHECK_FALSE(has(back.head, "WWW-Authenticate"));
    CHECK(back.parsed()["error"]["data"]["code"] == "approval_denied");
    CHECK(house.upstream.executed("tools/call echo") == 0);
}

TEST_CASE("principals share no credential", "[recovery]") {
    signed_in house("client_auth: [{principal: ada, bearer: token-of-ada-123456}, {principal: grace, bearer: "
                    "token-of-grace-1234}]\n",
                    "Authorization: Bearer token-of-ada-123456\r\n");
    // ada is signed in; grace has to be asked for herself
    auto client = house.proxy->connect();
    REQUIRE(client.send(
        house.proxy->request("POST /up", json_fields + "Authorization: Bearer token-of-grace-1234\r\n",
                             rpc(1, "initialize", {{"protocolVersion", "2025-11-25"}}).dump())));
    CHECK(house.proxy->approval()["principal"] == "grace");
    house.proxy->deny();
    CHECK(read_message(client).parsed()["error"]["data"]["code"] == "approval_denied");
    auto ada = house.proxy->connect();
    REQUIRE(ada.send(house.call(2, "echo", {{"text", "mine"}})));
    CHECK(read_message(ada).parsed()["result"]["content"][0]["text"] == "mine");
    CHECK(house.as.counters().authorizations == 1);
}

namespace {

/// Two clients without a session; both count their requests from 1.
struct two_clients {
    signed_in house;
    wire one = house.proxy->connect(), other = house.proxy->connect(), canceller = house.proxy->connect();

    std::string post(const std::string& agent, const std::string& body) const {
        return house.proxy->request("POST /up", json_fields + "User-Agent: " + agent + "\r\n", body);
    }
    std::string call(const std::string& agent) const {
        return post(agent, rpc(1, "tools/call", {{"name", "echo"}, {"arguments", {{"text", agent}}}}).dump());
    }
    std::string cancel(const std::string& agent) const {
        return post(agent,
                    R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
    }
    two_clients() {
        house.as.kill_access_tokens();
        house.as.token_gate().close();
    }
    void await_held(unsigned count) { REQUIRE(house.proxy->await("waiting_requests", count) == count); }
};

} // namespace

TEST_CASE("without a session a cancellation does not reach another client's request of the same id",
          "[recovery]") {
    two_clients c;
    REQUIRE(c.one.send(c.call("one/1.0")));
    c.await_held(1);
    REQUIRE(c.canceller.send(c.cancel("other/1.0")));
    c.await_held(2); // it goes its own way, and waits for the token too
    c.house.as.token_gate().open();
    const auto answered = read_message(c.one);
    CHECK_FALSE(has(answered.body, "request_not_replayable"));
    REQUIRE(read_message(c.canceller).status() != 0);
}

TEST_CASE("without a session a client still cancels its own request", "[recovery]") {
    two_clients c;
    REQUIRE(c.one.send(c.call("one/1.0")));
    c.await_held(1);
    REQUIRE(c.other.send(c.call("other/1.0")));
    c.await_held(2);
    REQUIRE(c.canceller.send(c.cancel("one/1.0")));
    CHECK(read_message(c.canceller).status() == 202);
    CHECK(read_message(c.one).parsed()["error"]["data"]["code"] == "request_not_replayable");
    c.await_held(1);
    c.house.as.token_gate().open();
    CHECK_FALSE(has(read_message(c.other).body, "request_not_replayable"));
}

TEST_CASE("of two clients that can't be told apart none is cancelled for the other", "[recovery]") {
    two_clients c;
    REQUIRE(c.one.send(c.call("same/1.0")));
    c.await_held(1);
    REQUIRE(c.other.send(c.call("same/1.0")));
    c.await_held(2);
    REQUIRE(c.canceller.send(c.cancel("same/1.0")));
    c.await_held(3);
    c.house.as.token_gate().open();
    CHECK_FALSE(has(read_message(c.one).body, "request_not_replayable"));
    CHECK_FALSE(has(read_message(c.other).body, "request_not_replayable"));
}
