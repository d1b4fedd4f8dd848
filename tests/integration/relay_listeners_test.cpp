// Where clients come in and upstreams are reached: Unix sockets, ports of their own, TLS.
#include "proxy/net/tls.hpp"
#include "tests/integration/certificate_files.hpp"
#include "tests/integration/relay_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

using namespace relay_test;
using reauth::test::certificate_files;

namespace {

/// An upstream behind TLS that answers each request with the length of its body, on connections that are
/// kept.
class tls_upstream {
public:
    /// `demanding`: it wants a certificate of its clients.
    explicit tls_upstream(const certificate_files& files, bool demanding = false)
        : tls_(make_server_tls({files.cert, files.key}).value()),
          acceptor_(io_, {asio::ip::address_v4::loopback(), 0}), port_(acceptor_.local_endpoint().port()),
          thread_([this, demanding] {
              if (demanding)
                  tls_->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
              serve();
          }) {}
    ~tls_upstream() {
        over_ = true;
        error_code ignored;
        asio::ip::tcp::socket knock(io_);
        knock.connect({asio::ip::address_v4::loopback(), port_}, ignored);
        thread_.join();
    }
    std::string url(const std::string& host = "127.0.0.1") const {
        return "https://" + host + ":" + std::to_string(port_) + "/mcp";
    }
    unsigned connections() const { return connections_; }

private:
    void serve() {
        while (!over_) {
            asio::ssl::stream<asio::ip::tcp::socket> peer(io_, *tls_);
            error_code failed;
            acceptor_.accept(peer.next_layer(), failed);
            if (over_ || failed)
                return;
            peer.handshake(asio::ssl::stream_base::server, failed);
            if (!failed)
                ++connections_;
            std::string text;
            while (!failed) {
                auto n = asio::read_until(peer, asio::dynamic_buffer(text), "\r\n\r\n", failed);
                if (failed)
                    break;
                auto length = field(text.substr(0, n), "Content-Length");
                auto size = length.empty() ? 0 : std::stoul(length);
                text.erase(0, n);
                if (text.size() < size)
                    asio::read(peer, asio::dynamic_buffer(text), asio::transfer_exactly(size - text.size()),
                               failed);
                text.erase(0, size);
                if (!failed)
                    asio::write(peer, asio::buffer(answer(std::to_string(size))), failed);
            }
        }
    }

    asio::io_context io_;
    std::shared_ptr<asio::ssl::context> tls_;
    asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_;
    std::atomic<bool> over_{false};
    std::atomic<unsigned> connections_{0};
    std::thread thread_;
};

} // namespace

TEST_CASE("an HTTPS upstream with the configured CA is reached, and its connection kept", "[relay]") {
    demo_directory where;
    certificate_files files(where.path() + "/up", "IP:127.0.0.1");
    tls_upstream up(files);
    running_proxy proxy(running_proxy::upstream(up.url(), "tls: {ca_file: \"" + files.cert + "\"}"));
    auto client = proxy.connect();
    for (const auto* body : {"", "hello"}) {
        REQUIRE(client.send(proxy.request("POST /up", "", body)));
        CHECK(read_message(client).body == std::to_string(std::string(body).size()));
    }
    // a session held that arrives behind the handshake is no early answer
    const std::string big(3'000'000, 'x');
    std::thread sender([&] { client.send(proxy.request("POST /up", "", big)); });
    CHECK(read_message(client).body == "3000000");
    sender.join();
    CHECK(up.connections() == 1);
}

TEST_CASE("an upstream that wants a client certificate is told as that, with the key that helps", "[relay]") {
    demo_directory where;
    certificate_files files(where.path() + "/up", "IP:127.0.0.1");
    tls_upstream up(files, true);
    running_proxy proxy(running_proxy::upstream(up.url(), "tls: {ca_file: \"" + files.cert + "\"}"));
    auto client = proxy.connect();
    REQUIRE(client.send(proxy.request("POST /up", json_fields, rpc("x", "tools/list").dump())));
    const auto back = read_message(client);
    CHECK(back.parsed()["error"]["data"]["code"] == "upstream_unreachable");
    CHECK(back.parsed()["error"]["message"].get<std::string>().find("client certificate") !=
          std::string::npos);
}

TEST_CASE("a large body on a fresh TLS connection arrives whole", "[relay]") {
    demo_directory where;
    certificate_files files(where.path() + "/up", "IP:127.0.0.1");
    tls_upstream up(files);
    running_proxy proxy(running_proxy::upstream(up.url(), "tls: {ca_file: \"" + files.cert + "\"}"));
    auto client = proxy.connect();
    const std::string big(3'000'000, 'x');
    std::thread sender([&] { client.send(proxy.request("POST /up", "", big)); });
    CHECK(read_message(client).body == "3000000");
    sender.join();
}

TEST_CASE("an HTTPS upstream that is not whom it should be gets no request", "[relay]") {
    demo_directory where;
    certificate_files files(where.path() + "/up", "IP:127.0.0.1"),
        other(where.path() + "/other", "IP:127.0.0.1");
    std::string url, ca = files.cert;
    tls_upstream up(files);
    SECTION("another host") {
        url = up.url("localhost");
    }
    SECTION("another CA") {
        url = up.url();
        ca = other.cert;
    }
    running_proxy proxy(running_proxy::upstream(url, "tls: {ca_file: \"" + ca + "\"}"));
    auto client = proxy.connect();
    REQUIRE(client.send(proxy.request("POST /up", json_fields, rpc(1, "ping").dump())));
    const auto error = read_message(client).parsed()["error"];
    CHECK(error["data"]["code"] == "upstream_unreachable");
    CHECK(has(error["message"].get<std::string>(), "ertificate"));
    CHECK(up.connections() == 0);
}

TEST_CASE("clients come in through a Unix socket", "[relay]") {
    played_upstream up;
    demo_directory where;
    running_proxy proxy(running_proxy::upstream(up.url()), [&](config& c) {
        c.listen = {};
        c.listen.unix_path = where.path() + "/s";
    });
    auto client = wire::to(where.path() + "/s");
    REQUIRE(client.send("GET /up HTTP/1.1\r\nHost: anything\r\n\r\n"));
    auto server = up.accept();
    CHECK(has(server.head(), "Host: " + up.authority() + "\r\n"));
    server.send(answer("through"));
    CHECK(read_message(client).body == "through");
}

TEST_CASE("an upstream with a port of its own is at its root there, and nothing else is", "[relay]") {
    played_upstream one, two;
    std::uint16_t port = 0;
    std::unique_ptr<running_proxy> proxy;
    // a free port may be somebody else's by the time it is bound: then another one
    for (int tries = 0; !proxy; ++tries) {
        port = demo_free_port(0);
        try {
            proxy = std::make_unique<running_proxy>("upstreams:\n  one: {url: \"" + one.url() +
                                                    "\", listen: \"127.0.0.1:" + std::to_string(port) +
                                                    "\"}\n  two: {url: \"" + two.url() + "\"}\n");
        } catch (const std::runtime_error&) {
            if (tries == 20)
                throw;
        }
    }
    auto client = wire::to(port);
    const auto host = "Host: 127.0.0.1:" + std::to_string(port) + "\r\n";
    wire server;
    for (const auto& [asked, wanted] : std::vector<std::pair<std::string, std::string>>{
             {"/", "/mcp"}, {"/mcp", "/mcp"}, {"/two", "/mcp/two"}}) {
        REQUIRE(client.send("GET " + asked + " HTTP/1.1\r\n" + host + "\r\n"));
        if (asked == "/")
            server = one.accept();
        CHECK(server.head().rfind("GET " + wanted + " HTTP/1.1\r\n", 0) == 0);
        server.send(answer("one"));
        CHECK(read_message(client).body == "one");
    }
    CHECK(two.pending() == 0);
}
