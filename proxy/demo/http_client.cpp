// The demo's blocking HTTP client: one connection a request, on an io_context of its own.
#include "proxy/demo/http_client.hpp"

#include "proxy/net/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace reauth {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using plain_stream = beast::basic_stream<asio::ip::tcp, executor>;
using request_message = http::request<http::string_body>;
using response_parser = http::response_parser<http::string_body>;

/// The exchange itself; `ec` tells how it ended.
task<void> exchange(plain_stream& stream, asio::ip::tcp::endpoint target, request_message& request,
                    response_parser& parser, error_code& ec) {
    co_await stream.async_connect(target, asio::redirect_error(use_task, ec));
    if (ec)
        co_return;
    co_await http::async_write(stream, request, asio::redirect_error(use_task, ec));
    if (ec)
        co_return;
    beast::flat_buffer buffer;
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(use_task, ec));
}

} // namespace

result<http_response> demo_http(const std::string& method, const std::string& url,
                                std::vector<header_field> headers, std::string body,
                                std::chrono::milliseconds timeout) {
    const auto unreachable = [&](const std::string& why) {
        return failure::passing(fault::upstream_unreachable,
                                "No answer from " + url.substr(0, url.find('?')) + ": " + why + ".");
    };
    const auto parts = boost::urls::parse_uri(url);
    if (!parts || parts->scheme() != "http")
        return unreachable("it is no http URL");
    const std::string host = parts->host();
    error_code ec;
    const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, ec);
    if (ec)
        return unreachable("the host is no address");
    const auto port = parts->port_number() != 0 ? parts->port_number() : std::uint16_t{80};

    std::string target(parts->encoded_target());
    if (target.empty() || target.front() != '/')
        target.insert(target.begin(), '/');
    request_message request(http::string_to_verb(method), target, 11);
    request.set(http::field::host, std::string(parts->encoded_host_and_port()));
    request.set(http::field::connection, "close");
    for (const auto& field : headers)
        request.set(field.name, field.value);
    request.body() = std::move(body);
    if (!request.body().empty() || method == "POST")
        request.prepare_payload();

    asio::io_context io;
    plain_stream stream(io.get_executor());
    stream.expires_after(timeout);
    response_parser parser;
    parser.body_limit(boost::none);
    const asio::ip::tcp::endpoint endpoint(address, port);
    asio::co_spawn(io, exchange(stream, endpoint, request, parser, ec), asio::detached);
    io.run();
    if (ec == beast::error::timeout)
        return failure::passing(fault::upstream_timeout,
                                "No whole answer from " + url.substr(0, url.find('?')) + " in time.");
    if (ec)
        return unreachable(ec.message());

    http_response response;
    response.status = parser.get().result_int();
    for (const auto& field : parser.get())
        response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    response.body = std::move(parser.get().body());
    return response;
}

} // namespace reauth
