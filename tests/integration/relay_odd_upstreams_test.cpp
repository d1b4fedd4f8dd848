// Upstreams as the field has them: challenges in odd places, answers that break off, codings nobody asked
// for.
#include "tests/integration/relay_played.hpp"

#include "proxy/demo/authorization_server.hpp"

#include <zlib.h>

using namespace relay_test;

namespace {

std::string gzipped(const std::string& text) {
    z_stream z{};
    deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&z, text.size()) + 64, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, Z_FINISH);
    out.resize(out.size() - z.avail_out);
    deflateEnd(&z);
    return out;
}

/// What the client's stream holds after the upstream has sent `bytes` and closed; `whole`: it ended properly.
std::vector<json> streamed(const std::string& bytes, bool cut = false, bool* whole = nullptr) {
    played_house house;
    auto client = house.proxy->connect();
    auto server = house.replayed(client, house.challenge());
    server.send(bytes);
    if (cut)
        server.cut();
    else
        server.close();
    return events_in(client.chunks(whole));
}

const std::string result_7 = R"({"jsonrpc":"2.0","id":7,"result":{"ok":true}})";
const std::string json_type = "Content-Type: application/json\r\n";
const std::string stream_head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

} // namespace

TEST_CASE("a redirect or 403 that names resource metadata is a challenge, whatever its scheme", "[odd]") {
    for (const char* status : {"302 Found", "307 Temporary Redirect", "403 Forbidden", "401 Unauthorized"}) {
        INFO(status);
        played_house house;
        auto client = house.proxy->connect();
        auto server = house.replayed(client, house.challenge(status, "Cloudflare-Access"));
        server.send(answer(result_7, json_type));
        CHECK(events_in(client.chunks()).back()["result"]["ok"] == true);
    }
    // without it they are the upstream's own answers
    plain_pair p;
    auto server = p.open();
    for (const char* status : {"302 Found", "403 Forbidden"}) {
        p.ask(server, p.proxy.request("POST /up", "", "x"));
        server.send(answer(
            "no", "WWW-Authenticate: Cloudflare-Access x=\"y\"\r\nLocation: https://a.example/\r\n", status));
        CHECK(has(read_message(p.client).head, status));
    }
}

TEST_CASE("an answer that is turned into events ends with an error where it breaks off", "[odd]") {
    const std::string half = R"({"jsonrpc":"2.0","id":7,"resu)";
    const std::string sized = "HTTP/1.1 200 OK\r\n" + json_type + "Content-Length: 500\r\n\r\n" + half;
    const std::string chunked = "HTTP/1.1 200 OK\r\n" + json_type +
                                "Transfer-Encoding: chunked\r\n\r\n1c\r\n" + half.substr(0, 28) + "\r\n";
    const std::string stream =
        stream_head.substr(0, stream_head.size() - 2) +
        "Transfer-Encoding: chunked\r\n\r\n24\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"resul\r\n";
    for (const auto& bytes : {sized, chunked, stream})
        for (const bool cut : {false, true}) {
            INFO(bytes);
            bool whole = false;
            const auto all = streamed(bytes, cut, &whole);
            CHECK(whole);
            REQUIRE_FALSE(all.empty());
            for (const auto& e : all)
                CHECK_FALSE(e.is_discarded()); // no half JSON
            CHECK(all.back()["id"] == 7);
            CHECK(all.back()["error"]["data"]["code"] == "upstream_malformed");
        }
}

TEST_CASE("events that were whole before a break are passed on, and an answered call gets no second answer",
          "[odd]") {
    bool whole = false;
    const auto all =
        streamed(stream_head.substr(0, stream_head.size() - 2) +
                     "Transfer-Encoding: chunked\r\n\r\n40\r\ndata: " + result_7 + "\n\ndata: {\"ha",
                 true, &whole);
    CHECK(whole);
    REQUIRE(all.size() == 1);
    CHECK(all[0]["result"]["ok"] == true);
}

TEST_CASE("a stream that can be resumed is cut, not ended, where the upstream breaks off", "[odd]") {
    bool whole = true;
    const auto all = streamed(stream_head.substr(0, stream_head.size() - 2) +
                                  "Transfer-Encoding: chunked\r\n\r\n10\r\nid: 5\ndata: {}\n\n\r\n",
                              true, &whole);
    CHECK_FALSE(whole);
    CHECK(all.size() == 1);
}

TEST_CASE("a 200 that is no JSON-RPC answer ends the stream with an error", "[odd]") {
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    for (const auto& body :
         {std::string("<html>hello</html>"), std::string("{}"), std::string("[]"),
          R"({"jsonrpc":"2.0","id":7,"result":)" + deep + "}", deep, std::string("null")}) {
        bool whole = false;
        const auto all = streamed(answer(body, json_type), false, &whole);
        CHECK(whole);
        REQUIRE_FALSE(all.empty());
        CHECK(all.back()["id"] == 7);
        CHECK(all.back().contains("error"));
    }
}

TEST_CASE("an event stream that ends without an answer ends with an error", "[odd]") {
    const auto all = streamed(stream_head + "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\n\n");
    REQUIRE(all.size() == 2);
    CHECK(all.back()["id"] == 7);
    CHECK(all.back().contains("error"));
}

TEST_CASE("gzip that nobody asked for is undone before it becomes events", "[odd]") {
    const std::string coded = "Content-Encoding: gzip\r\n";
    CHECK(streamed(answer(gzipped(result_7), json_type + coded)).back()["result"]["ok"] == true);
    const auto events = gzipped("data: " + result_7 + "\n\n");
    CHECK(streamed(answer(events, "Content-Type: text/event-stream\r\n" + coded)).back()["result"]["ok"] ==
          true);
    const auto unknown = streamed(answer("x", json_type + "Content-Encoding: br\r\n"));
    CHECK(has(unknown.back()["error"]["message"].get<std::string>(), "br"));
}

TEST_CASE("redirects are resolved as RFC 3986 says, and their fragment is dropped", "[odd]") {
    plain_pair p;
    REQUIRE(p.client.send(p.proxy.request("POST /up/tools", "", "the body")));
    auto server = p.up.accept();
    read_message(server);
    const std::pair<const char*, const char*> steps[] = {{"other/", "POST /mcp/other/ "},
                                                         {"./x?y=1#top", "POST /mcp/other/x?y=1 "},
                                                         {"../z/", "POST /mcp/z/ "}};
    for (const auto& [location, line] : steps) {
        server.send(answer("", std::string("Location: ") + location + "\r\n", "307 Temporary Redirect"));
        const auto again = read_message(server);
        INFO(again.head);
        CHECK(again.head.rfind(line, 0) == 0);
        CHECK(again.body == "the body");
    }
    server.send(answer("done"));
    CHECK(read_message(p.client).body == "done");
    p.ask(server, p.proxy.request("POST /up", "", "x"));
    server.send(answer("", "Location: //" + p.up.authority() + "/mcp/\r\n", "308 Permanent Redirect"));
    CHECK(read_message(server).head.rfind("POST /mcp/ ", 0) == 0);
    server.send(answer("there"));
    CHECK(read_message(p.client).body == "there");
}

TEST_CASE("a session id that comes twice is one, and what has no body has no framing", "[odd]") {
    plain_pair p;
    auto server = p.open();
    p.ask(server, p.proxy.request("POST /up", "Mcp-Session-Id: s\r\nMcp-Session-Id: s\r\n", "x"));
    server.send(answer("y", "Mcp-Session-Id: s1\r\nMcp-Session-Id: s1\r\n"));
    auto back = read_message(p.client);
    CHECK(back.head.find("Mcp-Session-Id: s1") == back.head.rfind("Mcp-Session-Id: s1"));
    for (const char* status : {"204 No Content", "304 Not Modified"}) {
        p.ask(server, p.proxy.request("GET /up"));
        server.send("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 5\r\n\r\n");
        back = read_message(p.client, false);
        CHECK(has(back.head, status));
        CHECK_FALSE(has(back.head, "Content-Length"));
    }
    p.ask(server, p.proxy.request("POST /up", "", "still in step"));
    server.send(answer("yes"));
    CHECK(read_message(p.client).body == "yes");
    auto two = p.proxy.connect();
    two.send(p.proxy.request("GET /up", "Authorization: Bearer a\r\nAuthorization: Bearer a\r\n"));
    CHECK(read_message(two).status() == 400);
}

TEST_CASE("our own address is no foreign origin, any other is", "[odd]") {
    plain_pair p;
    auto server = p.open();
    const auto port = std::to_string(p.proxy.port());
    p.ask(server, "POST /up HTTP/1.1\r\nHost: localhost:" + port + "\r\nOrigin: http://localhost:" + port +
                      "\r\nContent-Length: 1\r\n\r\nx");
    server.send(answer("<html>", "Content-Type: text/html\r\n"));
    const auto back = read_message(p.client);
    CHECK(back.status() == 200);
    CHECK(back.get("Content-Security-Policy") == "sandbox"); // a page of one upstream may not call the others
    for (const auto& origin : {"https://localhost:" + port, std::string("http://localhost:1"),
                               "http://127.0.0.1:" + port, std::string("null"), "http://6.6.6.6:" + port}) {
        auto client = p.proxy.connect();
        client.send("POST /up HTTP/1.1\r\nHost: localhost:" + port + "\r\nOrigin: " + origin +
                    "\r\nContent-Length: 1\r\n\r\nx");
        CHECK(read_message(client).status() == 403);
    }
}

TEST_CASE("the upstream's cookies come back to it with their session, and to nobody else", "[odd]") {
    played_upstream up;
    running_proxy proxy(running_proxy::upstream(up.url(), "cookies: jar"));
    auto client = proxy.connect();
    client.send(proxy.request("POST /up", "Cookie: own=1\r\n", "init"));
    auto server = up.accept();
    CHECK_FALSE(has(read_message(server).head, "Cookie:"));
    server.send(answer("", "Mcp-Session-Id: s1\r\nSet-Cookie: LB=node-3; Path=/; HttpOnly\r\n"));
    CHECK_FALSE(has(read_message(client).head, "Set-Cookie"));
    const auto sent_with = [&](const std::string& session) {
        client.send(
            proxy.request("POST /up", session.empty() ? "" : "Mcp-Session-Id: " + session + "\r\n", "x"));
        auto seen = read_message(server).head;
        server.send(answer(""));
        read_message(client);
        return field(seen, "Cookie");
    };
    CHECK(sent_with("s1") == "LB=node-3");
    CHECK(sent_with("s2").empty());
    CHECK(sent_with("").empty());
    client.send(proxy.request("DELETE /up", "Mcp-Session-Id: s1\r\n"));
    CHECK(field(read_message(server).head, "Cookie") == "LB=node-3");
    server.send("HTTP/1.1 204 No Content\r\n\r\n");
    read_message(client, false);
    CHECK(sent_with("s1").empty());
}

TEST_CASE("numbers are shown to our own Host only, health to anybody", "[odd]") {
    running_proxy proxy(running_proxy::upstream("http://127.0.0.1:1/mcp"),
                        [](config& c) { c.metrics = endpoint_config{"127.0.0.1", 0, ""}; });
    const auto port = proxy.proxy->metrics_port();
    const auto status = [&](const std::string& path, const std::string& host) {
        auto client = wire::to(port);
        client.send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
        return read_message(client).status();
    };
    const auto own = ":" + std::to_string(port);
    for (const auto& host : {"127.0.0.1" + own, "localhost" + own, "10.2.3.4" + own})
        CHECK(status("/metrics", host) == 200);
    for (const auto& host : {"evil.example" + own, std::string("evil.example"), std::string("127.0.0.1:1")})
        CHECK(status("/metrics", host) == 403);
    CHECK(status("/healthz", "probe.example") == 200);
}

TEST_CASE("a redirect inside the origin is followed however the configuration writes its host", "[odd]") {
    played_upstream up;
    const auto host = ":" + std::to_string(up.port());
    running_proxy proxy(running_proxy::upstream("http://LocalHost" + host + "/mcp"));
    auto client = proxy.connect();
    client.send(proxy.request("POST /up", "", "x"));
    auto server = up.accept();
    read_message(server);
    server.send(answer("", "Location: http://localhost" + host + "/mcp/other\r\n", "307 Temporary Redirect"));
    CHECK(read_message(server).head.rfind("POST /mcp/other ", 0) == 0);
    server.send(answer("there"));
    CHECK(read_message(client).body == "there");
}

TEST_CASE("a stream that begins with a comment, or with nothing, is passed on at once, however its first "
          "bytes come",
          "[odd]") {
    for (const std::string first : {"", "2\r\n:\n\r\n", "3\r\n:\n\n\r\n"}) {
        plain_pair p;
        auto server = [&] {
            p.client.send(p.proxy.request("GET /up", "Accept: text/event-stream\r\n"));
            auto w = p.up.accept();
            read_message(w, false);
            return w;
        }();
        server.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" +
            first);
        CHECK(has(p.client.head(), "200 OK"));
        std::string seen;
        if (!first.empty())
            seen = p.client.chunk();
        server.send("1E\r\nevent: endpoint\ndata: /m?s=1\n\n\r\n");
        const auto told = p.client.chunk();
        CHECK(told.rfind("event: endpoint\ndata: /up/.endpoint/", 0) == 0);
        server.send("9\r\ndata: {}\n\r\n1\r\n\n\r\n0\r\n\r\n");
        bool whole = false;
        CHECK(p.client.chunks(&whole) == "data: {}\n\n");
        CHECK(whole);
        CHECK((first.empty() || seen[0] == ':'));
    }
}
