// What a proxy bears: crowds of idle connections, upstreams that say nothing, and its own end.
#include "tests/integration/relay_signed_in.hpp"

#include <fstream>
#include <future>
#include <sstream>

using namespace relay_test;

namespace {

/// Whether the kernel probes a connection of this process to that port (the keep-alive timer runs).
bool probed(std::uint16_t port) {
    std::ifstream table("/proc/net/tcp");
    std::ostringstream wanted;
    wanted << std::uppercase << std::hex;
    wanted.width(4);
    wanted.fill('0');
    wanted << port;
    for (std::string line; std::getline(table, line);) {
        std::istringstream in(line);
        std::string slot, local, remote, state, queues, timer;
        in >> slot >> local >> remote >> state >> queues >> timer;
        if (remote.ends_with(":" + wanted.str()) && state == "01")
            return timer.starts_with("02:");
    }
    return false;
}

} // namespace

TEST_CASE("idle client connections give way to new ones, those in use do not", "[limits]") {
    played_upstream up;
    running_proxy proxy("limits: {connections: 8}\nworkers: 1\n" + running_proxy::upstream(up.url()));
    auto busy = proxy.connect();
    REQUIRE(busy.send(proxy.request("GET /up")));
    auto upstream = up.accept();
    upstream.head(); // in progress
    std::vector<wire> idle;
    for (int i = 0; i < 30; ++i)
        idle.push_back(proxy.connect());
    auto late = proxy.connect();
    REQUIRE(late.send(proxy.request("GET /nowhere")));
    CHECK(read_message(late).status() == 404);
    CHECK(idle.front().gone()); // the one that had been idle longest
    REQUIRE(upstream.send(answer("still here")));
    CHECK(read_message(busy).body == "still here");
}

TEST_CASE("an upstream that does not begin to answer is given up, and a call is not sent twice", "[limits]") {
    played_upstream up;
    running_proxy proxy("limits: {upstream_answer: 100ms}\n" + running_proxy::upstream(up.url()));
    auto client = proxy.connect();
    REQUIRE(
        client.send(proxy.request("POST /up", json_fields, rpc(7, "tools/call", {{"name", "x"}}).dump())));
    auto upstream = up.accept();
    CHECK(upstream.head().rfind("POST /mcp", 0) == 0);
    const auto told = read_message(client).parsed();
    CHECK(told["id"] == 7);
    CHECK(told["error"]["data"]["code"] == "upstream_timeout");
    CHECK(has(told["error"]["message"].get<std::string>(), "limits.upstream_answer"));
    CHECK(up.pending() == 0);
    auto listening = proxy.connect();
    REQUIRE(listening.send(proxy.request("GET /up", "Accept: text/event-stream\r\n")));
    auto silent = up.accept();
    silent.head();
    CHECK(read_message(listening).status() == 504);
}

TEST_CASE("an event stream that has begun may be silent for longer than upstream_answer", "[limits]") {
    played_upstream up;
    running_proxy proxy("limits: {upstream_answer: 50ms}\n" + running_proxy::upstream(up.url()));
    auto client = proxy.connect();
    REQUIRE(client.send(proxy.request("GET /up")));
    auto upstream = up.accept();
    upstream.head();
    REQUIRE(upstream.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n"));
    client.head();
    // as long as another request needs to time out, twice
    for (int i = 0; i < 2; ++i) {
        auto other = proxy.connect();
        REQUIRE(other.send(proxy.request("GET /up")));
        auto silent = up.accept();
        CHECK(read_message(other).status() == 504);
    }
    REQUIRE(upstream.send("5\r\n: hi\n\r\n0\r\n\r\n"));
    CHECK(client.chunks() == ": hi\n");
}

TEST_CASE("the kernel probes upstream connections, so that a silent network is noticed", "[limits]") {
    played_upstream up;
    running_proxy proxy(running_proxy::upstream(up.url()));
    auto client = proxy.connect();
    REQUIRE(client.send(proxy.request("GET /up")));
    auto upstream = up.accept();
    upstream.head();
    protected_house::await([&] { return probed(up.port()); });
    REQUIRE(upstream.send(answer("x")));
    CHECK(read_message(client).body == "x");
}

TEST_CASE("at its end the proxy answers whoever is held, and lets what is under way finish", "[limits]") {
    signed_in house;
    house.as.kill_access_tokens();
    house.as.token_gate().close();
    auto held = house.proxy->connect();
    REQUIRE(held.send(house.call(1, "echo", {{"text", "x"}})));
    house.await([&] { return house.as.token_gate().waiting() == 1; });
    auto ending =
        std::async(std::launch::async, [&] { house.proxy->proxy->stop(std::chrono::milliseconds(5000)); });
    const auto told = read_message(held).parsed(); // while the end waits for the refresh
    CHECK(told["error"]["data"]["code"] == "shutting_down");
    CHECK(held.gone());
    house.as.token_gate().open();
    ending.get();
    CHECK(house.as.counters().refreshes == 1);
}

TEST_CASE("at its end the proxy does not wait for whoever only listens to a stream", "[limits]") {
    played_upstream up;
    running_proxy proxy(running_proxy::upstream(up.url()));
    auto listening = proxy.connect();
    REQUIRE(listening.send(proxy.request("GET /up", "Accept: text/event-stream\r\n")));
    auto upstream = up.accept();
    upstream.head();
    REQUIRE(upstream.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n"));
    listening.head();
    auto calling = proxy.connect();
    REQUIRE(calling.send(proxy.request("POST /up", json_fields, rpc(1, "ping").dump())));
    auto answering = up.accept();
    answering.head();
    auto ending =
        std::async(std::launch::async, [&] { proxy.proxy->stop(std::chrono::milliseconds(60'000)); });
    CHECK(listening.gone()); // while the call is still waited for
    REQUIRE(answering.send(answer("{}")));
    CHECK(read_message(calling).body == "{}");
    ending.get();
}
