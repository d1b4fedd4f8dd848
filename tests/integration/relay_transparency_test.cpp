// What is not auth passes untouched: methods, statuses, fields, bodies and streams, both ways.
#include "tests/integration/relay_fixture.hpp"

using namespace relay_test;

TEST_CASE("every method goes through, and its answer comes back", "[relay]") {
    plain_pair p;
    wire server;
    for (const std::string method : {"GET", "DELETE", "OPTIONS", "POST", "PUT", "PATCH"}) {
        INFO(method);
        REQUIRE(p.client.send(
            p.proxy.request(method + " /up/x?a=%20b",
                            "X-Odd:  1 2 \r\nMcp-Session-Id: s-1\r\nMcp-Method: m\r\nLast-Event-ID: 9\r\n",
                            method == "GET" ? "" : "body")));
        if (method == "GET")
            server = p.up.accept();
        const auto seen = read_message(server);
        CHECK(seen.head.rfind(method + " /mcp/x?a=%20b HTTP/1.1\r\nHost: " + p.up.authority() + "\r\n", 0) ==
              0);
        CHECK(has(seen.head, "X-Odd:  1 2 \r\n"));
        CHECK(has(seen.head, "Mcp-Session-Id: s-1\r\nMcp-Method: m\r\nLast-Event-ID: 9\r\n"));
        CHECK(seen.body == (method == "GET" ? "" : "body"));
        server.send(answer("yes " + method, "X-Back: 1\r\nmcp-session-id: s-2\r\n", "207 Odd"));
        const auto back = read_message(p.client);
        CHECK(back.head.rfind("HTTP/1.1 207 Odd\r\nX-Back: 1\r\nmcp-session-id: s-2\r\n", 0) == 0);
        CHECK(back.body == "yes " + method);
    }
}

TEST_CASE("HEAD has no body, whatever its length says, and the connections go on", "[relay]") {
    plain_pair p;
    REQUIRE(p.client.send(p.proxy.request("HEAD /up")));
    auto server = p.up.accept();
    CHECK(server.head().rfind("HEAD /mcp ", 0) == 0);
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    CHECK(p.client.head().find("Content-Length: 1000\r\n") != std::string::npos);
    CHECK(p.ask(server, p.proxy.request("GET /up")).head.rfind("GET /mcp ", 0) == 0);
    server.send(answer("next"));
    CHECK(read_message(p.client).body == "next");
}

TEST_CASE("statuses without bodies and unknown statuses pass", "[relay]") {
    plain_pair p;
    wire server;
    for (const std::string status : {"202 Accepted", "204 No Content", "304 Not Modified", "404 Not Found",
                                     "405 Method Not Allowed", "418 Teapot", "500 Oops", "599 Strange"}) {
        INFO(status);
        REQUIRE(p.client.send(p.proxy.request("POST /up", "", "{}")));
        if (status[0] == '2' && status[2] == '2')
            server = p.up.accept();
        read_message(server);
        server.send("HTTP/1.1 " + status + "\r\n" +
                    (status[0] == '2' && status[2] == '4' ? ""
                     : status[0] == '3'                   ? "ETag: x\r\n"
                                                          : "Content-Length: 0\r\n") +
                    "\r\n");
        CHECK(p.client.head().rfind("HTTP/1.1 " + status + "\r\n", 0) == 0);
    }
}

TEST_CASE("interim answers are passed over", "[relay]") {
    plain_pair p;
    REQUIRE(p.client.send(p.proxy.request("POST /up", "", "{}")));
    auto server = p.up.accept();
    read_message(server);
    server.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" +
                answer("final"));
    CHECK(read_message(p.client).body == "final");
}

TEST_CASE("an encoded body passes byte for byte", "[relay]") {
    plain_pair p;
    std::string zipped = "\x1f\x8b\x08";
    for (int i = 0; i < 100'000; ++i)
        zipped += static_cast<char>(i * 7919 >> 3);
    REQUIRE(p.client.send(p.proxy.request("GET /up", "Accept-Encoding: gzip, deflate\r\n")));
    auto server = p.up.accept();
    CHECK(has(server.head(), "Accept-Encoding: gzip, deflate\r\n"));
    server.send(answer(zipped, "Content-Encoding: gzip\r\n"));
    const auto back = read_message(p.client);
    CHECK(back.get("Content-Encoding") == "gzip");
    CHECK(back.body == zipped);
}

TEST_CASE("chunked and sized bodies keep their framing both ways; extensions and trailers go", "[relay]") {
    plain_pair p;
    REQUIRE(p.client.send(p.proxy.request("POST /up", "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n") +
                          "5;x=y\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"));
    auto server = p.up.accept();
    CHECK(has(server.head(), "Transfer-Encoding: chunked\r\n"));
    CHECK(server.exactly(15) == "5\r\nhello\r\n0\r\n\r\n");
    server.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;e\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n");
    const auto head = p.client.head();
    CHECK(has(head, "Transfer-Encoding: chunked\r\n"));
    CHECK(p.client.exactly(13) == "3\r\nabc\r\n0\r\n\r\n");
    CHECK(p.ask(server, p.proxy.request("POST /up", "", "sized")).get("Content-Length") == "5");
    server.send(answer("also sized"));
    CHECK(read_message(p.client).body == "also sized");
}

TEST_CASE("large bodies stream through both ways", "[relay]") {
    plain_pair p;
    std::string big;
    for (int i = 0; big.size() < 6'000'000; ++i)
        big += std::to_string(i);
    std::thread sender([&] { p.client.send(p.proxy.request("POST /up", "", big)); });
    auto server = p.up.accept();
    const auto seen = read_message(server);
    sender.join();
    INFO("arrived: " << seen.body.size() << " of " << big.size());
    CHECK((seen.body == big));
    std::thread back([&] { server.send(answer(big)); });
    CHECK((read_message(p.client).body == big));
    back.join();
}

TEST_CASE("credentials, hop-by-hop fields and cookies of the client stay here", "[relay]") {
    plain_pair p;
    REQUIRE(p.client.send(p.proxy.request(
        "POST /up",
        "Authorization: Bearer client\r\nUpgrade: websocket\r\nConnection: upgrade, X-Hop\r\nX-Hop: 1\r\n"
        "Cookie: a=b\r\nTE: trailers\r\nKeep-Alive: 5\r\nProxy-Authorization: Basic eA==\r\nX-Kept: 1\r\n",
        "{}")));
    auto server = p.up.accept();
    CHECK(read_message(server).head ==
          "POST /mcp HTTP/1.1\r\nHost: " + p.up.authority() + "\r\nX-Kept: 1\r\nContent-Length: 2\r\n\r\n");
    server.send(answer("", "Set-Cookie: a=b\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive\r\n"));
    CHECK(p.client.head() == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCache-Control: private\r\n\r\n");
}

TEST_CASE("a client that waits for 100 Continue gets it from us, and Expect stays here", "[relay]") {
    plain_pair p;
    REQUIRE(p.client.send("POST /up HTTP/1.1\r\n" + p.proxy.host() +
                          "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
    CHECK(p.client.head() == "HTTP/1.1 100 Continue\r\n\r\n");
    REQUIRE(p.client.send("hello"));
    auto server = p.up.accept();
    const auto seen = read_message(server);
    CHECK(seen.body == "hello");
    CHECK_FALSE(has(seen.head, "Expect"));
    server.send(answer("done"));
    CHECK(read_message(p.client).body == "done");
}

TEST_CASE("three events arrive as three reads, each as soon as it was sent", "[relay]") {
    plain_pair p;
    REQUIRE(p.client.send(p.proxy.request("GET /up", "Accept: text/event-stream\r\n")));
    auto server = p.up.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(has(p.client.head(), "text/event-stream"));
    for (const std::string event : {"data: 1\n\n", "data: 2\n\n", "data: 3\n\n"}) {
        // the next is only sent when this one has arrived
        server.send("9\r\n" + event + "\r\n");
        CHECK(p.client.some() == "9\r\n" + event + "\r\n");
    }
    server.send("0\r\n\r\n");
    CHECK(p.client.some() == "0\r\n\r\n");
    CHECK(p.ask(server, p.proxy.request("GET /up")).head.rfind("GET", 0) == 0);
}

TEST_CASE("an idle stream outlives every idle limit", "[relay]") {
    played_upstream up;
    running_proxy proxy(running_proxy::upstream(up.url()), [](config& c) {
        c.limits.client_idle = c.limits.head_timeout = c.limits.upstream_connect =
            std::chrono::milliseconds(50);
        c.workers = 1;
    });
    auto client = proxy.connect();
    REQUIRE(client.send(proxy.request("GET /up", "Accept: text/event-stream\r\n")));
    auto server = up.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    CHECK(has(client.until("data: 1\n\n"), "data: 1"));
    // each of these connections is closed for idleness: that many idle periods have passed
    for (int i = 0; i < 3; ++i) {
        auto idle = proxy.connect();
        CHECK(idle.gone());
    }
    server.send("data: 2\n\n");
    CHECK(client.some() == "data: 2\n\n");
}

TEST_CASE("a body that ends with the upstream's connection ends with ours", "[relay]") {
    plain_pair p;
    REQUIRE(p.client.send(p.proxy.request("GET /up")));
    auto server = p.up.accept();
    server.head();
    server.send("HTTP/1.0 200 OK\r\n\r\nsome and ");
    CHECK(has(p.client.head(), "Connection: close\r\n"));
    server.send("the rest");
    server.close();
    CHECK(p.client.rest() == "some and the rest");
    CHECK(p.client.ended());
}

TEST_CASE("an HTTP/1.0 client gets a chunked answer without the chunks", "[relay]") {
    plain_pair p;
    REQUIRE(p.client.send("GET /up HTTP/1.0\r\n" + p.proxy.host() + "Connection: keep-alive\r\n\r\n"));
    auto server = p.up.accept();
    CHECK(has(server.head(), "GET /mcp HTTP/1.1\r\n"));
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    const auto head = p.client.head();
    CHECK_FALSE(has(head, "Transfer-Encoding"));
    CHECK(has(head, "Connection: close\r\n"));
    server.send("6;x\r\n world\r\n0\r\nT: 1\r\n\r\n");
    CHECK(p.client.rest() == "hello world");
}

TEST_CASE("pipelined requests are answered in order, whatever frames their bodies", "[relay]") {
    plain_pair p;
    const std::string chunky = "Transfer-Encoding: chunked\r\n";
    REQUIRE(p.client.send(p.proxy.request("POST /up/1", "", "one") + p.proxy.request("POST /up/2", chunky) +
                          "3\r\ntwo\r\n0\r\n\r\n" + p.proxy.request("POST /up/3", chunky) +
                          "5\r\nthree\r\n0\r\n\r\n" + p.proxy.request("GET /up/4")));
    wire server = p.up.accept();
    for (const auto& [path, body] : std::vector<std::pair<std::string, std::string>>{
             {"1", "one"}, {"2", "two"}, {"3", "three"}, {"4", ""}}) {
        const auto seen = read_message(server);
        CHECK(has(seen.head, " /mcp/" + path + " HTTP/1.1\r\n"));
        CHECK(seen.body == body);
        server.send(answer("answer " + path));
    }
    for (int i = 1; i <= 4; ++i)
        CHECK(read_message(p.client).body == "answer " + std::to_string(i));
}

TEST_CASE(
    "redirects below the upstream's path are followed with the body, those of other origins are relayed",
    "[relay]") {
    plain_pair p;
    REQUIRE(p.client.send(p.proxy.request("POST /up", "X-A: 1\r\n", "the body")));
    auto server = p.up.accept();
    read_message(server);
    server.send(answer("moved", "Location: /mcp/other?x=1\r\n", "307 Temporary Redirect"));
    auto again = read_message(server);
    CHECK(again.head.rfind("POST /mcp/other?x=1 HTTP/1.1\r\n", 0) == 0);
    CHECK(has(again.head, "X-A: 1\r\n"));
    CHECK(again.body == "the body");
    server.send(
        answer("moved", "Location: http://" + p.up.authority() + "/mcp/third\r\n", "308 Permanent Redirect"));
    again = read_message(server);
    CHECK(again.head.rfind("POST /mcp/third HTTP/1.1\r\n", 0) == 0);
    server.send(answer("done"));
    CHECK(read_message(p.client).body == "done");
    for (const std::string& location : std::vector<std::string>{
             "http://127.0.0.1:1/mcp", "//127.0.0.1:1/mcp", "https://" + p.up.authority() + "/mcp",
             "http://" + p.up.authority() + ".evil.example/"}) {
        INFO(location);
        p.ask(server, p.proxy.request("POST /up", "", "x"));
        server.send(answer("elsewhere", "Location: " + location + "\r\n", "307 Temporary Redirect"));
        const auto back = read_message(p.client);
        INFO(back.body);
        CHECK(back.status() == 307);
        CHECK(back.get("Location") == location);
    }
    for (const char* location : {"/login", "/mcp-elsewhere", "/"}) {
        INFO(location);
        p.ask(server,
              p.proxy.request("POST /up", json_fields, R"({"jsonrpc":"2.0","id":7,"method":"ping"})"));
        server.send(
            answer("a page", std::string("Location: ") + location + "\r\n", "307 Temporary Redirect"));
        const auto back = read_message(p.client);
        CHECK(back.status() == 200);
        CHECK(has(back.body, "\"id\":7"));
        CHECK(has(back.body, "a sign-in page, it seems"));
    }
    p.ask(server, p.proxy.request("POST /up", "", "x"));
    server.send(answer("see other", "Location: /mcp\r\n", "302 Found"));
    CHECK(read_message(p.client).status() == 302);
}

TEST_CASE("a redirect loop ends with the redirect", "[relay]") {
    plain_pair p;
    REQUIRE(p.client.send(p.proxy.request("GET /up")));
    auto server = p.up.accept();
    for (int i = 0; i < 4; ++i) {
        read_message(server);
        server.send(answer("", "Location: /mcp\r\n", "307 Temporary Redirect"));
    }
    CHECK(read_message(p.client).status() == 307);
}
