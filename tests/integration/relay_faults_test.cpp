// What goes wrong on either side: broken framing, cuts, leavers, slow heads, connections that were kept too
// long.
#include "tests/integration/relay_fixture.hpp"

using namespace relay_test;

namespace {

struct faulty_pair {
    played_upstream up;
    running_proxy proxy;
    wire client;

    explicit faulty_pair(const std::string& more = {}, const std::function<void(config&)>& change = {})
        : proxy(running_proxy::upstream(up.url(), more), change), client(proxy.connect()) {}

    std::string call(const std::string& method = "tools/call", const json& id = 7) const {
        return proxy.request("POST /up", json_fields, rpc(id, method, {{"name", "t"}}).dump());
    }
    /// One exchange that leaves a kept connection behind.
    wire warm() {
        REQUIRE(client.send(proxy.request("GET /up")));
        auto server = up.accept();
        server.head();
        server.send(answer("warm"));
        REQUIRE(read_message(client).body == "warm");
        return server;
    }
    /// A round through the worker: what its sockets had to tell until now has been heard.
    void round() {
        REQUIRE(client.send(proxy.request("GET /nowhere")));
        REQUIRE(read_message(client).status() == 404);
    }
};

} // namespace

TEST_CASE("broken framing of a client is refused and its connection closed", "[relay]") {
    faulty_pair p;
    const auto host = p.proxy.host();
    for (const std::string& text : std::vector<std::string>{
             "POST /up HTTP/1.1\r\n" + host +
                 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "POST /up HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
             "POST /up HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
             "POST /up HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "GET /up HTTP/1.1\r\n" + host + "X : 1\r\n\r\n",
             "GET /up HTTP/1.1\r\n" + host + "X: 1\r\n 2\r\n\r\n", "GET /up HTTP/1.1\n" + host + "\r\n",
             "GET /up HTTP/1.1\r\n\r\n", "GET /up HTTP/1.1\r\n" + host + host + "\r\n",
             "GET http://127.0.0.1/up HTTP/1.1\r\n" + host + "\r\n",
             "CONNECT a:1 HTTP/1.1\r\n" + host + "\r\n", "GET /up/../x HTTP/1.1\r\n" + host + "\r\n",
             "GET /up/%2e%2e/x HTTP/1.1\r\n" + host + "\r\n", "\x16\x03\x01 hello"}) {
        INFO(text);
        auto client = p.proxy.connect();
        REQUIRE(client.send(text));
        CHECK(client.head().rfind("HTTP/1.1 400 ", 0) == 0);
    }
    CHECK(p.up.pending() == 0);
}

TEST_CASE("a head that is too large is told so", "[relay]") {
    faulty_pair p;
    REQUIRE(p.client.send("GET /up HTTP/1.1\r\n" + p.proxy.host() + "X: " + std::string(70'000, 'a') +
                          "\r\n\r\n"));
    CHECK(p.client.head().rfind("HTTP/1.1 431 ", 0) == 0);
}

TEST_CASE("broken chunks of a client never become a whole request upstream", "[relay]") {
    faulty_pair p;
    REQUIRE(p.client.send(p.proxy.request("POST /up", "Transfer-Encoding: chunked\r\n") +
                          "5\r\nhello\r\nzz\r\n"));
    CHECK(p.client.head().substr(0, 13) == "HTTP/1.1 400 ");
    auto server = p.up.accept();
    CHECK_FALSE(has(server.rest(), "0\r\n\r\n"));
}

TEST_CASE("a slow head gets 408, an idle connection is closed", "[relay]") {
    faulty_pair p(
        {}, [](config& c) { c.limits.head_timeout = c.limits.client_idle = std::chrono::milliseconds(50); });
    auto slow = p.proxy.connect();
    REQUIRE(slow.send("GET /up HTTP/1.1\r\nHo"));
    CHECK(read_message(slow).status() == 408);
    CHECK(slow.gone());
    CHECK(p.client.rest().empty());
    CHECK(p.client.ended());
}

TEST_CASE("broken answers of an upstream become an error, never bytes", "[relay]") {
    for (const std::string& text : std::vector<std::string>{
             "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
             "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
             "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
             "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
             "SSH-2.0-OpenSSH\r\n"}) {
        INFO(text);
        faulty_pair p;
        REQUIRE(p.client.send(p.call()));
        auto server = p.up.accept();
        read_message(server);
        server.send(text);
        const auto back = read_message(p.client);
        CHECK(back.status() == 200);
        CHECK(back.parsed()["id"] == 7);
        CHECK(back.parsed()["error"]["data"]["code"] == "upstream_malformed");
        CHECK(server.gone());
        // what has no id gets a status
        REQUIRE(p.client.send(p.proxy.request("GET /up")));
        auto second = p.up.accept();
        second.head();
        second.send(text);
        CHECK(read_message(p.client).status() == 502);
    }
}

TEST_CASE("an upstream that speaks HTTP/2 alone is told as that", "[relay]") {
    faulty_pair p;
    REQUIRE(p.client.send(p.call()));
    auto server = p.up.accept();
    read_message(server);
    server.send(std::string("\0\0\x0c\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0", 21));
    const auto told = read_message(p.client).parsed()["error"];
    CHECK(told["data"]["code"] == "upstream_malformed");
    CHECK(told["message"].get<std::string>().find("HTTP/2") != std::string::npos);
}

TEST_CASE("an upstream that can't be reached is an error in MCP's shape", "[relay]") {
    const auto nobody = demo_free_port(0);
    running_proxy proxy(running_proxy::upstream("http://127.0.0.1:" + std::to_string(nobody) + "/mcp"));
    auto client = proxy.connect();
    REQUIRE(client.send(proxy.request("POST /up", json_fields, rpc("x", "ping").dump())));
    const auto back = read_message(client);
    CHECK(back.status() == 200);
    CHECK(back.parsed()["id"] == "x");
    CHECK(back.parsed()["error"]["data"]["code"] == "upstream_unreachable");
    REQUIRE(client.send(
        proxy.request("POST /up", json_fields, R"({"jsonrpc":"2.0","method":"notifications/initialized"})")));
    CHECK(read_message(client).status() == 502);
}

TEST_CASE("a client that leaves ends the exchange upstream", "[relay]") {
    faulty_pair p;
    REQUIRE(p.client.send(p.call()));
    auto server = p.up.accept();
    read_message(server);
    SECTION("while the answer is awaited") {
        p.client.close();
    }
    SECTION("with a reset") {
        p.client.cut();
    }
    SECTION("in the middle of a stream") {
        server.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
                    "chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
        p.client.until("data: 1");
        p.client.close();
    }
    CHECK(server.gone());
    CHECK(p.proxy.await("connections", 0) == 0);
}

TEST_CASE("an upstream that breaks off in mid-answer is seen as a cut, not as an end", "[relay]") {
    faulty_pair p;
    REQUIRE(p.client.send(p.call()));
    auto server = p.up.accept();
    read_message(server);
    SECTION("chunked") {
        server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        p.client.head();
        CHECK(p.client.chunk() == "hello");
        server.close();
        CHECK(p.client.rest().empty());
    }
    SECTION("sized") {
        server.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        p.client.head();
        CHECK(p.client.exactly(5) == "hello");
        server.close();
        CHECK(p.client.rest().empty());
    }
    SECTION("until close, by a reset") {
        server.send("HTTP/1.1 200 OK\r\n\r\nhello");
        p.client.head();
        CHECK(p.client.exactly(5) == "hello");
        server.cut();
        CHECK(p.client.rest().empty());
        CHECK_FALSE(p.client.ended());
    }
    SECTION("broken chunks later on") {
        server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        p.client.head();
        CHECK(p.client.chunk() == "hello");
        server.send("zz\r\n");
        CHECK(p.client.rest().empty());
    }
}

TEST_CASE("a kept connection that the upstream has closed is not used", "[relay]") {
    faulty_pair p;
    auto server = p.warm();
    server.close();
    p.round();
    REQUIRE(p.client.send(p.call()));
    auto second = p.up.accept();
    CHECK(has(read_message(second).body, "tools/call"));
    second.send(answer("{}"));
    CHECK(read_message(p.client).body == "{}");
}

TEST_CASE("a kept connection on which the upstream spoke unasked is not used", "[relay]") {
    faulty_pair p;
    auto server = p.warm();
    server.send(answer("poison"));
    p.round();
    REQUIRE(p.client.send(p.call()));
    auto second = p.up.accept();
    read_message(second);
    second.send(answer("{}"));
    CHECK(read_message(p.client).body == "{}");
}

TEST_CASE("surplus bytes behind an answer cost the connection and reach nobody", "[relay]") {
    faulty_pair p;
    REQUIRE(p.client.send(p.proxy.request("GET /up")));
    auto server = p.up.accept();
    server.head();
    server.send(answer("mine") + answer("poison"));
    CHECK(read_message(p.client).body == "mine");
    REQUIRE(p.client.send(p.proxy.request("GET /up")));
    auto second = p.up.accept();
    second.head();
    second.send(answer("clean"));
    CHECK(read_message(p.client).body == "clean");
}

TEST_CASE("an upstream that says close, or keeps for a second only, is connected to anew", "[relay]") {
    for (const std::string fields :
         {"Connection: close\r\n", "Keep-Alive: timeout=1\r\n", "Keep-Alive: timeout=0\r\n"}) {
        INFO(fields);
        faulty_pair p;
        REQUIRE(p.client.send(p.proxy.request("GET /up")));
        auto server = p.up.accept();
        server.head();
        server.send(answer("one", fields));
        read_message(p.client);
        REQUIRE(p.client.send(p.proxy.request("GET /up")));
        auto second = p.up.accept();
        second.head();
        second.send(answer("two"));
        CHECK(read_message(p.client).body == "two");
    }
}

TEST_CASE("a tools/call on a kept connection that breaks is not sent twice, and the error says so",
          "[relay]") {
    faulty_pair p;
    auto server = p.warm();
    REQUIRE(p.client.send(p.call()));
    CHECK(has(read_message(server).body, "tools/call"));
    server.close();
    const auto back = read_message(p.client).parsed();
    CHECK(back["id"] == 7);
    CHECK(back["error"]["data"]["code"] == "upstream_unreachable");
    CHECK(has(back["error"]["message"].get<std::string>(), "not sent twice"));
    CHECK(p.up.pending() == 0);
    CHECK(p.proxy.count("resent_total") == 0);
}

TEST_CASE("what only reads is sent again when a kept connection breaks", "[relay]") {
    faulty_pair p;
    auto server = p.warm();
    SECTION("tools/list") {
        REQUIRE(p.client.send(p.call("tools/list")));
    }
    SECTION("GET") {
        REQUIRE(p.client.send(p.proxy.request("GET /up")));
    }
    read_message(server);
    server.cut();
    auto second = p.up.accept();
    read_message(second);
    second.send(answer("{}"));
    CHECK(read_message(p.client).body == "{}");
    CHECK(p.proxy.count("resent_total") == 1);
}

TEST_CASE("a batch with one call in it is not sent twice", "[relay]") {
    faulty_pair p;
    auto server = p.warm();
    REQUIRE(p.client.send(p.proxy.request("POST /up", json_fields,
                                          json::array({rpc(1, "tools/list"), rpc(2, "tools/call")}).dump())));
    read_message(server);
    server.close();
    const auto back = read_message(p.client).parsed();
    REQUIRE(back.is_array());
    CHECK(back.size() == 2);
    CHECK(p.up.pending() == 0);
}

TEST_CASE("even what only reads is not sent again once answer bytes came", "[relay]") {
    faulty_pair p;
    auto server = p.warm();
    REQUIRE(p.client.send(p.call("tools/list")));
    read_message(server);
    server.send("HTTP/1.1 200 O");
    server.close();
    CHECK(read_message(p.client).parsed()["error"]["data"]["code"] == "upstream_malformed");
    CHECK(p.up.pending() == 0);
}

TEST_CASE("an upstream that answers before the upload is over is heard", "[relay]") {
    faulty_pair p;
    REQUIRE(p.client.send("POST /up HTTP/1.1\r\n" + p.proxy.host() + "Content-Length: 100000\r\n\r\n" +
                          std::string(50'000, 'a')));
    auto server = p.up.accept();
    server.head();
    server.send(answer("too much", "Connection: close\r\n", "413 Too Large"));
    const auto back = read_message(p.client);
    CHECK(back.status() == 413);
    CHECK(back.get("Connection") == "close");
    CHECK(back.body == "too much");
}

TEST_CASE("a rebound Host, a web page and an unknown path are refused in front", "[relay]") {
    faulty_pair p;
    const auto status = [&](const std::string& text) {
        auto client = p.proxy.connect();
        REQUIRE(client.send(text));
        return read_message(client);
    };
    CHECK(status("GET /up HTTP/1.1\r\nHost: evil.example\r\n\r\n").status() == 403);
    CHECK(status(p.proxy.request("GET /up", "Origin: https://evil.example\r\n")).status() == 403);
    CHECK(status(p.proxy.request("GET /up", "Sec-Fetch-Site: cross-site\r\n")).status() == 403);
    const auto unknown = status(p.proxy.request("GET /other"));
    CHECK(unknown.status() == 404);
    CHECK(has(unknown.body, "/up"));
    const auto metadata = status(p.proxy.request("GET /up/.well-known/oauth-protected-resource"));
    CHECK(metadata.status() == 404);
    CHECK(p.up.pending() == 0);
}
