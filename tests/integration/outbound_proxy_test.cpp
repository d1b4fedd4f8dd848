// HTTPS_PROXY: what leaves for upstreams and authorization servers goes through it, what stays does not.
#include "proxy/net/client_connect.hpp"
#include "proxy/net/tls.hpp"
#include "tests/integration/certificate_files.hpp"
#include "tests/integration/connect_proxy.hpp"
#include "tests/integration/fetcher_fixture.hpp"

using namespace reauth;
using namespace reauth::test;
using relay_test::connect_proxy;

namespace {

/// One fetch through that proxy.
result<http_response> through(const std::string& proxy, const std::string& url,
                              const fetch_options& options) {
    asio::io_context context;
    http_fetcher f(context.get_executor(), {}, parse_outbound_proxy(proxy, "").value());
    std::optional<result<http_response>> out;
    asio::co_spawn(context, keep_answer(f, get(url), options, out), [](std::exception_ptr) {});
    context.run();
    return std::move(*out);
}

} // namespace

TEST_CASE("token and metadata requests go through the outbound proxy, TLS is with the server") {
    scratch_directory where;
    const certificate_files files(where, "server", "DNS:as.example");
    scripted_server server(always(answer_of(200, "{}")), make_server_tls({files.cert, files.key}).value());
    fetch_options options;
    options.ca_file = files.cert;
    const auto url = "https://as.example:" + std::to_string(server.port()) + "/token";
    connect_proxy proxy;
    const auto got = through(proxy.url("ada:pw@"), url, options);
    INFO((got ? "" : got.error().message));
    REQUIRE(got.has_value());
    CHECK(got->body == "{}");
    REQUIRE(proxy.asked().size() == 1);
    CHECK(proxy.asked()[0].rfind("CONNECT as.example:", 0) == 0);
    CHECK(relay_test::field(proxy.asked()[0], "Proxy-Authorization") == "Basic YWRhOnB3");
    connect_proxy refusing("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    const auto refused = through(refusing.url("ada:pw@"), url, options);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.find("407") != std::string::npos);
    CHECK(refused.error().describe().find("YWRhOnB3") == std::string::npos);
}

TEST_CASE("a private address is refused also where a proxy would lead there") {
    connect_proxy proxy;
    for (const char* url : {"https://10.1.2.3/x", "https://169.254.169.254/x", "https://[fe80::1]/x"}) {
        const auto got = through(proxy.url(), url, {});
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().code == fault::egress_refused);
    }
    CHECK(proxy.asked().empty());
}

TEST_CASE("requests to an upstream go through the outbound proxy", "[relay]") {
    scratch_directory where;
    const certificate_files files(where, "server", "DNS:mcp.example");
    scripted_server server(always(answer_of(200, "from the upstream")),
                           make_server_tls({files.cert, files.key}).value());
    connect_proxy outbound;
    relay_test::running_proxy proxy(
        relay_test::running_proxy::upstream("https://mcp.example:" + std::to_string(server.port()) + "/mcp",
                                            "tls: {ca_file: \"" + files.cert + "\"}"),
        [&](config& c) { c.outbound = parse_outbound_proxy(outbound.url(), "").value(); });
    auto client = proxy.connect();
    client.send(proxy.request("POST /up", "", "x"));
    CHECK(relay_test::read_message(client).body == "from the upstream");
    REQUIRE(outbound.asked().size() == 1);
    CHECK(outbound.asked()[0].rfind("CONNECT mcp.example:", 0) == 0);

    connect_proxy refusing("HTTP/1.1 403 Forbidden\r\n\r\n");
    relay_test::running_proxy refused(
        relay_test::running_proxy::upstream("https://mcp.example/mcp"),
        [&](config& c) { c.outbound = parse_outbound_proxy(refusing.url(), "").value(); });
    auto other = refused.connect();
    other.send(refused.request("POST /up", relay_test::json_fields, relay_test::rpc(1, "ping").dump()));
    const auto error = relay_test::read_message(other).parsed()["error"];
    CHECK(error["data"]["code"] == "upstream_unreachable");
    CHECK(error["message"].get<std::string>().find("NO_PROXY") != std::string::npos);
}

TEST_CASE("an outbound proxy that is not there is what the error names, with the key that helps", "[relay]") {
    relay_test::running_proxy proxy(
        relay_test::running_proxy::upstream("https://mcp.example/mcp"),
        [&](config& c) { c.outbound = parse_outbound_proxy("http://127.0.0.1:1", "").value(); });
    auto client = proxy.connect();
    client.send(proxy.request("POST /up", relay_test::json_fields, relay_test::rpc(1, "ping").dump()));
    const auto error = relay_test::read_message(client).parsed()["error"];
    CHECK(error["data"]["code"] == "upstream_unreachable");
    const auto message = error["message"].get<std::string>();
    CHECK(message.find("the outbound proxy 127.0.0.1:1") != std::string::npos);
    CHECK(message.find("HTTPS_PROXY") != std::string::npos);
    CHECK(message.find("can't be reached") == std::string::npos);
}

TEST_CASE("a certificate whose host stands in its common name alone is not trusted") {
    scratch_directory where;
    const certificate_files files(where, "old", "", "mcp.test");
    scripted_server server(always(answer_of(200, "{}")), make_server_tls({files.cert, files.key}).value());
    fetch_options options;
    options.ca_file = files.cert;
    const auto got = fetched(get("https://mcp.test:" + std::to_string(server.port()) + "/"), options,
                             resolves_to({"127.0.0.1"}), {"mcp.test"});
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().message.find("certificate") != std::string::npos);
}

TEST_CASE("ipv4 is preferred where it is asked for, and anything is taken where there is no such address") {
    scripted_server server(always(answer_of(200, "{}")));
    fetch_options options;
    options.ipv4_only = true;
    const auto url = "http://localhost:" + std::to_string(server.port()) + "/";
    CHECK(fetched(get(url), options).has_value());
    asio::io_context context;
    const auto addresses = [&](std::vector<std::string> all, bool ipv4_only) {
        way_out way;
        way.rules = std::make_shared<const egress_rules>();
        way.resolve = resolves_to(std::move(all));
        fetch_options o;
        o.ipv4_only = ipv4_only;
        std::vector<std::string> out;
        auto work = [&]() -> task<void> {
            auto found = co_await checked_addresses(*parse_http_url("https://h.example/"), way, o);
            for (const auto& a : found.value())
                out.push_back(a.to_string());
        };
        context.restart();
        asio::co_spawn(context, work(), [](std::exception_ptr) {});
        context.run();
        return out;
    };
    using list = std::vector<std::string>;
    CHECK(addresses({"2600::1", "93.184.216.34"}, true) == list{"93.184.216.34"});
    CHECK(addresses({"2600::1", "93.184.216.34"}, false).size() == 2);
    CHECK(addresses({"2600::1"}, true) == list{"2600::1"});
}
