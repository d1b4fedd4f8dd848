// The demo's MCP server over real sockets: challenges, sessions, tools, streams, gates.
#include "core/crypto/digest.hpp"
#include "core/text/encoding.hpp"
#include "proxy/demo/authorization_server.hpp"
#include "proxy/demo/http_client.hpp"
#include "proxy/demo/mcp_server.hpp"

#include "tests/support/catch.hpp"
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <future>
#include <thread>

using namespace reauth;
using nlohmann::json;

namespace {

/// Both servers on one thread; tokens come out of thin air.
struct running_pair {
    asio::io_context io;
    demo_authorization_server as;
    demo_mcp_server server;
    std::thread thread;
    std::string token, session;

    static demo_mcp_options options(running_pair& self) {
        demo_mcp_options made;
        made.check = [&self](std::string_view shown) { return self.as.inspect(shown); };
        made.authorization_servers = {"http://127.0.0.1:1"};
        made.event_interval = made.slow_step = std::chrono::milliseconds(0);
        return made;
    }
    static demo_authorization_options lasting() {
        demo_authorization_options made;
        made.access_lifetime = std::chrono::hours(1);
        return made;
    }
    running_pair() : as(io.get_executor(), lasting()), server(io.get_executor(), options(*this)) {
        server.start().value();
        thread = std::thread([this] { io.run(); });
        token = as.issue_access_token({"c1", "ada", server.url(), {"mcp:tools"}});
    }
    ~running_pair() {
        server.stop();
        as.stop();
        thread.join();
    }

    http_response send(const std::string& method, const json& message, std::vector<header_field> more = {}) {
        std::vector<header_field> headers{{"Accept", "application/json, text/event-stream"}};
        if (method == "POST")
            headers.push_back({"Content-Type", "application/json"});
        if (!token.empty())
            headers.push_back({"Authorization", "Bearer " + token});
        if (!session.empty())
            headers.push_back({"Mcp-Session-Id", session});
        headers.insert(headers.end(), more.begin(), more.end());
        return demo_http(method, server.url(), headers, method == "POST" ? message.dump() : "").value();
    }
    static json rpc(const std::string& method, json params = json::object()) {
        return {{"jsonrpc", "2.0"}, {"id", 7}, {"method", method}, {"params", std::move(params)}};
    }
    static json call(const std::string& tool, json arguments = json::object()) {
        return rpc(
            "tools/call",
            {{"name", tool}, {"arguments", std::move(arguments)}, {"_meta", {{"progressToken", "p"}}}});
    }
    void open() {
        const auto answer = send("POST", rpc("initialize", {{"protocolVersion", "2025-06-18"}}));
        REQUIRE(answer.status == 200);
        CHECK(json::parse(answer.body)["result"]["protocolVersion"] == "2025-06-18");
        session = answer.header("Mcp-Session-Id").value();
    }
};

} // namespace

TEST_CASE("demo MCP server: without a token it challenges and names its metadata") {
    running_pair demo;
    demo.token.clear();
    const auto answer = demo.send("POST", running_pair::rpc("initialize"));
    CHECK(answer.status == 401);
    const std::string challenge(answer.header("WWW-Authenticate").value());
    const std::string mark = "resource_metadata=\"";
    const auto at = challenge.find(mark) + mark.size();
    const auto document = demo_http("GET", challenge.substr(at, challenge.find('"', at) - at)).value();
    CHECK(json::parse(document.body)["resource"] == demo.server.url());
    CHECK(demo.server.challenges() == 1);
    CHECK(demo.server.executed("initialize") == 0);
}

TEST_CASE("demo MCP server: a killed token and a token for another resource are invalid") {
    running_pair demo;
    demo.open();
    const auto kept = demo.token;
    demo.token = demo.as.issue_access_token({"c1", "ada", "http://127.0.0.1:1/other", {"mcp:tools"}});
    CHECK(demo.send("POST", running_pair::rpc("ping")).status == 401);
    demo.token = kept;
    CHECK(demo.send("POST", running_pair::rpc("ping")).status == 200);
    demo.as.kill_access_tokens();
    const auto answer = demo.send("POST", running_pair::rpc("ping"));
    CHECK(answer.status == 401);
    CHECK(answer.header("WWW-Authenticate")->find("invalid_token") != std::string_view::npos);
}

TEST_CASE("demo MCP server: publish asks for notes:write and runs only with it") {
    running_pair demo;
    demo.open();
    const auto refused = demo.send("POST", running_pair::call("publish", {{"text", "hello"}}));
    CHECK(refused.status == 403);
    const std::string challenge(refused.header("WWW-Authenticate").value());
    CHECK(challenge.find("error=\"insufficient_scope\"") != std::string::npos);
    CHECK(challenge.find("scope=\"mcp:tools notes:write\"") != std::string::npos);
    CHECK(demo.server.executed("tools/call publish") == 0);
    demo.token = demo.as.issue_access_token({"c1", "ada", "", {"mcp:tools", "notes:write"}});
    CHECK(demo.send("POST", running_pair::call("publish", {{"text", "hello"}})).status == 200);
    CHECK(demo.server.executed("tools/call publish") == 1);
}

TEST_CASE("demo MCP server: sessions begin, are required, and end") {
    running_pair demo;
    CHECK(demo.send("POST", running_pair::rpc("ping")).status == 400);
    demo.open();
    CHECK(demo.send("POST", {{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}}).status == 202);
    CHECK(json::parse(demo.send("POST", running_pair::rpc("tools/list")).body)["result"]["tools"].size() ==
          4);
    CHECK(demo.send("DELETE", {}).status == 200);
    CHECK(demo.send("POST", running_pair::rpc("ping")).status == 404);
}

TEST_CASE("demo MCP server: the transport's rules are kept") {
    running_pair demo;
    demo.open();
    const auto ping = running_pair::rpc("ping");
    CHECK(demo.send("POST", ping, {{"Origin", "http://evil.example"}}).status == 403);
    CHECK(demo.send("POST", ping, {{"MCP-Protocol-Version", "1999-01-01"}}).status == 400);
    CHECK(demo.send("POST", ping, {{"Accept", "application/json"}}).status == 406);
    CHECK(demo.send("POST", ping, {{"Content-Type", "text/plain"}}).status == 415);
    CHECK(demo.send("PUT", {}).status == 405);
}

TEST_CASE(
    "demo MCP server: slow streams progress before its answer, echo answers whole and proves its bytes") {
    running_pair demo;
    demo.open();
    const auto slow = demo.send("POST", running_pair::call("slow", {{"steps", 3}}));
    CHECK(slow.header("Content-Type") == std::string_view("text/event-stream"));
    CHECK(slow.body.find("\"progress\":3") != std::string::npos);
    CHECK(demo_answer_in(slow, 7)["result"]["isError"] == false);
    const auto message = running_pair::call("echo", {{"text", std::string(100'000, 'x')}});
    const auto echo = demo.send("POST", message);
    CHECK(demo_answer_in(echo, 7)["result"]["content"][0]["text"].get<std::string>().size() == 100'000);
    CHECK(echo.header("X-Demo-Body-SHA256") == std::string_view(hex_encode(sha256(message.dump()))));
    demo_mcp_faults faults;
    faults.style = demo_answer_style::sse;
    demo.server.set_faults(faults);
    CHECK(demo_answer_in(demo.send("POST", message), 7).contains("result"));
}

TEST_CASE("demo MCP server: requests in flight can be held while their token dies") {
    running_pair demo;
    demo.open();
    demo.server.before_authentication().close();
    std::vector<std::future<unsigned>> answers;
    for (int i = 0; i < 8; ++i)
        answers.push_back(std::async(std::launch::async,
                                     [&] { return demo.send("POST", running_pair::call("echo")).status; }));
    while (demo.server.before_authentication().waiting() < answers.size())
        std::this_thread::yield();
    demo.as.kill_access_tokens();
    demo.server.before_authentication().open();
    for (auto& answer : answers)
        CHECK(answer.get() == 401);
    CHECK(demo.server.executed("tools/call echo") == 0);
}

TEST_CASE("demo MCP server: a GET stream carries what is broadcast, and closes with its peer") {
    running_pair demo;
    demo.open();
    {
        asio::io_context io;
        asio::ip::tcp::socket socket(io);
        const auto url = demo.server.url();
        const auto port = static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
        socket.connect({asio::ip::address_v4::loopback(), port});
        asio::write(socket,
                    asio::buffer("GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
                                 "Authorization: Bearer " +
                                 demo.token + "\r\nMcp-Session-Id: " + demo.session + "\r\n\r\n"));
        while (demo.server.open_streams() == 0)
            std::this_thread::yield();
        demo.server.broadcast({{"jsonrpc", "2.0"}, {"method", "notifications/one"}});
        std::string got;
        asio::read_until(socket, asio::dynamic_buffer(got), "notifications/one");
        CHECK(got.find("200 OK") != std::string::npos);
        demo.server.broadcast({{"jsonrpc", "2.0"}, {"method", "notifications/two"}});
        asio::read_until(socket, asio::dynamic_buffer(got), "notifications/two");
    }
    while (demo.server.open_streams() > 0)
        std::this_thread::yield();
    CHECK(demo.server.executed("ping") == 0);
}
