// http_service over real sockets: keep-alive, streams, limits, and the framing it refuses.
#include "proxy/net/http_service.hpp"

#include "tests/support/catch.hpp"
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <thread>

using namespace reauth;
using asio::ip::tcp;

namespace {

task<void> demo_handler(service_exchange& x) {
    const auto& path = x.request().path;
    if (path == "/throw")
        throw std::runtime_error("a bug");
    if (path == "/split") {
        service_response bad{200, {{"X-Evil", "a\r\nSet-Cookie: b=c"}}, ""};
        co_await x.respond(std::move(bad));
        co_return;
    }
    if (path == "/stream") {
        service_response head{200, {{"Content-Type", "text/event-stream"}}, ""};
        co_await x.begin_stream(std::move(head));
        std::string first = "one", none, second = "two";
        co_await x.write(std::move(first));
        co_await x.write(std::move(none));
        co_await x.write(std::move(second));
        co_return;
    }
    if (path == "/half") {
        service_response head{200, {}, "begun"};
        co_await x.begin_stream(std::move(head));
        throw std::runtime_error("in mid-stream");
    }
    if (path == "/abort") {
        x.abort();
        co_return;
    }
    service_response echo{
        200, {}, x.request().method + " " + path + "?" + x.request().query + " " + x.request().body};
    co_await x.respond(std::move(echo));
}

/// A running service and what a raw client gets from it.
struct fixture {
    asio::io_context io;
    http_service service;
    std::uint16_t port = 0;
    std::thread thread;

    explicit fixture(service_options options = {})
        : service(io.get_executor(), demo_handler, std::move(options)) {
        port = service.listen("127.0.0.1", 0).value();
        thread = std::thread([this] { io.run(); });
    }
    ~fixture() {
        service.stop();
        thread.join();
    }
    /// Sends the bytes, ends our side, and reads until the service closes.
    std::string talk(const std::string& bytes) {
        asio::io_context mine;
        tcp::socket s(mine);
        s.connect({asio::ip::address_v4::loopback(), port});
        boost::system::error_code ec;
        asio::write(s, asio::buffer(bytes), ec);
        s.shutdown(tcp::socket::shutdown_send, ec);
        std::string got;
        asio::read(s, asio::dynamic_buffer(got), ec);
        return got;
    }
    unsigned status(const std::string& bytes) {
        const auto got = talk(bytes);
        return got.size() > 12 ? static_cast<unsigned>(std::stoul(got.substr(9, 3))) : 0;
    }
};

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++n;
    return n;
}

} // namespace

TEST_CASE("http_service answers pipelined requests in order on one connection") {
    fixture f;
    const auto got =
        f.talk("GET /a?x=1 HTTP/1.1\r\nHost: h\r\n\r\n"
               "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
               "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
               "HEAD /d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    INFO(got);
    CHECK(count(got, "HTTP/1.1 200 OK") == 4);
    CHECK(got.find("GET /a?x=1 ") != std::string::npos);
    CHECK(got.find("POST /b? abc") != std::string::npos);
    CHECK(got.find("POST /c? hi") != std::string::npos);
    CHECK(got.find("HEAD /d") == std::string::npos);
    CHECK(got.find("Connection: close") != std::string::npos);
}

TEST_CASE("http_service keeps trailers out of the headers and the next request intact") {
    fixture f;
    const auto got =
        f.talk("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n"
               "GET /after HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK(got.find("POST /c? hi") != std::string::npos);
    CHECK(got.find("GET /after") != std::string::npos);
}

TEST_CASE(
    "http_service streams in chunks, skips empty writes, and ends the stream when the handler returns") {
    fixture f;
    const auto got = f.talk("GET /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK(got.find("Transfer-Encoding: chunked") != std::string::npos);
    // The client has ended its side, so the service may stop writing early; what it wrote is well framed.
    CHECK(got.find("Content-Length") == std::string::npos);
    const auto old = f.talk("GET /stream HTTP/1.0\r\nHost: h\r\n\r\n");
    CHECK(old.find("chunked") == std::string::npos);
    CHECK(old.find("Connection: close") != std::string::npos);
}

TEST_CASE("http_service flushes each write to a client that keeps reading") {
    fixture f;
    asio::io_context mine;
    tcp::socket s(mine);
    s.connect({asio::ip::address_v4::loopback(), f.port});
    asio::write(s, asio::buffer(std::string("GET /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")));
    std::string got;
    boost::system::error_code ec;
    asio::read(s, asio::dynamic_buffer(got), ec);
    CHECK(got.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
}

TEST_CASE(
    "http_service turns a handler's exception into 500, and never ends half a stream as if it were whole") {
    fixture f;
    CHECK(f.status("GET /throw HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") == 500);
    CHECK(f.status("GET /split HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") == 500);
    CHECK(f.talk("GET /half HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").find("0\r\n\r\n") ==
          std::string::npos);
    CHECK(f.talk("GET /abort HTTP/1.1\r\nHost: h\r\n\r\n").empty());
    CHECK(f.status("GET /fine HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") == 200);
}

TEST_CASE("http_service refuses ambiguous framing and closes") {
    fixture f;
    const std::string get = "GET / HTTP/1.1\r\n", post = "POST / HTTP/1.1\r\nHost: h\r\n";
    const std::string hidden = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    const auto refused = [&](const std::string& bytes, unsigned expected) {
        const auto got = f.talk(bytes + hidden);
        INFO(bytes << "\n---\n" << got);
        CHECK(got.rfind("HTTP/1.1 " + std::to_string(expected), 0) == 0);
        CHECK(got.find("/smuggled") == std::string::npos);
    };
    refused(get + "\r\n", 400);
    refused(get + "Host: a\r\nHost: b\r\n\r\n", 400);
    refused(get + "Host: a, b\r\n\r\n", 400);
    refused(get + "Host: user@h\r\n\r\n", 400);
    refused(get + "Host: h\r\nX: a\r\n folded\r\n\r\n", 400);
    refused(get + "Host: h\r\nX : a\r\n\r\n", 400);
    refused(get + "Host: h\nX: a\r\n\r\n", 400);
    refused("GET http://evil/ HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    refused("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    refused("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 400);
    refused(post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400);
    refused(post + "Content-Length: +3\r\n\r\nabc", 400);
    refused(post + "Content-Length: 3, 3\r\n\r\nabc", 400);
    refused(post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
    refused(post + "Transfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 501);
    refused(post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501);
    refused(post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
    refused("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
    refused(post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400);
}

TEST_CASE("http_service bounds heads, bodies and connections") {
    service_options options;
    options.max_body = 10;
    fixture f(std::move(options));
    CHECK(f.status("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n12345678901") == 413);
    CHECK(f.status("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                   "chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n") == 413);
    CHECK(
        f.status("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nConnection: close\r\n\r\n1234567890") ==
        200);
    CHECK(f.status("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(70000, 'x') + "\r\n\r\n") == 431);
}

TEST_CASE("http_service closes a connection that sends no head in time") {
    service_options options;
    options.idle_timeout = std::chrono::milliseconds(20);
    fixture f(std::move(options));
    asio::io_context mine;
    tcp::socket s(mine);
    s.connect({asio::ip::address_v4::loopback(), f.port});
    asio::write(s, asio::buffer(std::string("GET / HT")));
    std::string got;
    boost::system::error_code ec;
    asio::read(s, asio::dynamic_buffer(got), ec);
    CHECK(got.empty());
}

TEST_CASE("http_service says that a port is taken") {
    fixture f;
    const auto again = f.service.listen("127.0.0.1", f.port);
    REQUIRE_FALSE(again.has_value());
    CHECK(again.error().message.find("127.0.0.1:" + std::to_string(f.port)) != std::string::npos);
    CHECK(again.error().message.find("taken") != std::string::npos);
}
