// http_service behind TLS, and what it notices about its peer.
#include "proxy/net/http_service.hpp"

#include "tests/support/catch.hpp"
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <future>
#include <thread>

using namespace reauth;
using asio::ip::tcp;

namespace {

/// A server context with a throw-away self-signed certificate.
std::shared_ptr<asio::ssl::context> self_signed() {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), &X509_free);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
    X509_set_pubkey(cert.get(), key.get());
    X509_sign(cert.get(), key.get(), EVP_sha256());
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX_use_certificate(context->native_handle(), cert.get());
    SSL_CTX_use_PrivateKey(context->native_handle(), key.get());
    return context;
}

struct running {
    asio::io_context io;
    std::unique_ptr<http_service> service;
    std::uint16_t port = 0;
    std::thread thread;
    running(service_handler handler, service_options options)
        : service(std::make_unique<http_service>(io.get_executor(), std::move(handler), std::move(options))) {
        port = service->listen("127.0.0.1", 0).value();
        thread = std::thread([this] { io.run(); });
    }
    ~running() {
        service.reset();
        thread.join();
    }
};

task<void> say_path(service_exchange& x) {
    service_response r{200, {}, "path " + x.request().path};
    co_await x.respond(std::move(r));
}

} // namespace

TEST_CASE("http_service serves requests over TLS and closes the session properly") {
    service_options options;
    options.tls = self_signed();
    running r(say_path, options);
    asio::io_context mine;
    asio::ssl::context trust(asio::ssl::context::tls_client);
    asio::ssl::stream<tcp::socket> s(mine, trust);
    s.next_layer().connect({asio::ip::address_v4::loopback(), r.port});
    s.handshake(asio::ssl::stream_base::client);
    asio::write(
        s, asio::buffer(std::string(
               "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")));
    std::string got;
    error_code ec;
    asio::read(s, asio::dynamic_buffer(got), ec);
    CHECK(ec == asio::error::eof); // close_notify came: not a truncation
    CHECK(got.find("path /a") != std::string::npos);
    CHECK(got.find("path /b") != std::string::npos);
}

TEST_CASE("http_service drops plain text on a TLS port and goes on serving") {
    service_options options;
    options.tls = self_signed();
    running r(say_path, options);
    asio::io_context mine;
    tcp::socket s(mine);
    s.connect({asio::ip::address_v4::loopback(), r.port});
    asio::write(s, asio::buffer(std::string("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")));
    std::string got;
    error_code ec;
    asio::read(s, asio::dynamic_buffer(got), ec);
    CHECK(got.find("HTTP/1.1") == std::string::npos);
}

TEST_CASE("a streaming handler learns that its peer has gone, although it has nothing to write") {
    std::promise<void> noticed;
    service_handler wait_for_end = [&noticed](service_exchange& x) -> task<void> {
        return [](service_exchange& y, std::promise<void>& p) -> task<void> {
            service_response head;
            co_await y.begin_stream(std::move(head));
            const auto ex = co_await asio::this_coro::executor;
            asio::basic_waitable_timer<std::chrono::steady_clock,
                                       asio::wait_traits<std::chrono::steady_clock>, executor>
                t(ex);
            while (!y.peer_gone()) {
                t.expires_after(std::chrono::milliseconds(1));
                co_await t.async_wait(use_task);
            }
            p.set_value();
        }(x, noticed);
    };
    running r(wait_for_end, {});
    {
        asio::io_context mine;
        tcp::socket s(mine);
        s.connect({asio::ip::address_v4::loopback(), r.port});
        asio::write(s, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
        std::string first(12, '\0');
        asio::read(s, asio::buffer(first));
        CHECK(first == "HTTP/1.1 200");
    }
    noticed.get_future().get();
}

TEST_CASE("a client that waits for 100 Continue is told to go on") {
    running r(say_path, {});
    asio::io_context mine;
    tcp::socket s(mine);
    s.connect({asio::ip::address_v4::loopback(), r.port});
    asio::write(s,
                asio::buffer(std::string("POST / HTTP/1.1\r\nHost: h\r\nExpect: "
                                         "100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")));
    std::string go_on(25, '\0');
    asio::read(s, asio::buffer(go_on));
    CHECK(go_on == "HTTP/1.1 100 Continue\r\n\r\n");
    asio::write(s, asio::buffer(std::string("hi")));
    std::string got;
    error_code ec;
    asio::read(s, asio::dynamic_buffer(got), ec);
    CHECK(got.find("200 OK") != std::string::npos);
}
