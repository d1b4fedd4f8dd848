// HTTP/1.1 by Beast, with the checks on framing that Beast leaves to its caller.
#include "proxy/net/client_exchange.hpp"

#include "core/ascii.hpp"
#include "core/content_coding.hpp"
#include "core/http_field.hpp"
#include "proxy/net/tls.hpp"

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <utility>

namespace reauth {

namespace {

namespace http = boost::beast::http;
using wire_request = http::request<http::span_body<const char>>;
using parser_type = http::response_parser<http::string_body>;

constexpr std::uint32_t longest_head = 64 * 1024;
constexpr unsigned max_interim = 16;

wire_request on_the_wire(const http_request& request, const http_url& url) {
    wire_request out;
    out.version(11);
    out.method_string(request.method);
    out.target(url.target());
    out.set(http::field::host, url.authority());
    out.set(http::field::user_agent, "mcp-reauth/" REAUTH_VERSION);
    out.set(http::field::accept, "application/json");
    out.set(http::field::accept_encoding, "identity");
    for (const auto& field : request.headers)
        out.set(field.name, field.value);
    if (!request.authorization.empty())
        out.set(http::field::authorization, std::string(request.authorization.reveal()));
    out.set(http::field::connection, "close");
    const auto body = request.body.reveal();
    out.body() = boost::beast::span<const char>(body.data(), body.size());
    out.prepare_payload();
    return out;
}

failure broken(const http_url& url, const std::string& why) {
    return fetch_failure("The answer of " + url.authority() + " cannot be used: " + why + ".");
}

failure broken(const http_url& url, const error_code& error, std::size_t max_body) {
    if (error == http::error::body_limit)
        return fetch_failure("The answer of " + url.authority() + " is larger than " +
                                 std::to_string(max_body / 1024) + " KiB.",
                             false, "Check that the URL is the right one.");
    if (error == http::error::end_of_stream || error == http::error::partial_message ||
        error == asio::ssl::error::stream_truncated || error == asio::error::eof ||
        error == asio::error::connection_reset)
        return broken(url, "the connection was closed before it was whole");
    return broken(url, error.message());
}

/// What such an answer says may have been done already, so it is not asked for again by itself.
failure unreadable(const http_url& url, const failure& why) {
    return fetch_failure("The answer of " + url.authority() + " cannot be used: " + why.message + ".", false,
                         why.fix);
}

/// The codings of all Content-Encoding lines, in order.
std::string codings_of(const http_response& answer) {
    std::string out;
    for (const auto& field : answer.headers)
        if (iequals(field.name, "Content-Encoding"))
            out += (out.empty() ? "" : ",") + field.value;
    return out;
}

/// Beast takes an unknown transfer coding for "no body", and would believe Content-Length beside one.
const char* framing_fault(const http::response<http::string_body>& head) {
    const auto codings = head.count(http::field::transfer_encoding);
    if (codings == 0)
        return nullptr;
    if (codings > 1 || !iequals(head[http::field::transfer_encoding], "chunked"))
        return "its transfer coding is not known";
    if (head.count(http::field::content_length) != 0)
        return "it has both a Content-Length and a Transfer-Encoding";
    return head.version() < 11 ? "it uses a transfer coding in HTTP/1.0" : nullptr;
}

template<class Stream>
task<result<http_response>> converse(Stream& stream, const http_request& request, const http_url& url,
                                     std::size_t max_body) {
    auto message = on_the_wire(request, url);
    error_code failed;
    co_await http::async_write(stream, message, asio::redirect_error(use_task, failed));
    if (failed)
        co_return broken(url, failed, max_body);
    boost::beast::flat_buffer buffer;
    buffer.reserve(longest_head);
    std::optional<parser_type> parser;
    for (unsigned interim = 0;; ++interim) {
        parser.emplace();
        parser->header_limit(longest_head);
        parser->body_limit(max_body);
        if (request.method == "HEAD")
            parser->skip(true);
        co_await http::async_read_header(stream, buffer, *parser, asio::redirect_error(use_task, failed));
        if (failed)
            co_return broken(url, failed, max_body);
        const auto status = parser->get().result_int();
        if (status == 101 || interim == max_interim)
            co_return broken(url,
                             status == 101 ? "it switches protocols" : "it has too many interim answers");
        if (status >= 200)
            break;
    }
    if (const char* fault_found = framing_fault(parser->get()))
        co_return broken(url, fault_found);
    http_response out;
    out.status = parser->get().result_int();
    // before the body is read: trailers would be merged into the fields
    for (const auto& field : parser->get())
        out.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    co_await http::async_read(stream, buffer, *parser, asio::redirect_error(use_task, failed));
    if (failed)
        co_return broken(url, failed, max_body);
    auto decoded = decode_content(codings_of(out), parser->get().body(), max_body);
    if (decoded)
        out.body = std::move(*decoded);
    else if (out.status < 300) // of a refusal the status tells enough
        co_return unreadable(url, decoded.error());
    co_return out;
}

} // namespace

result<void> check_request(const http_request& request) {
    bool sound = valid_token(request.method) && valid_field_value(request.authorization.reveal());
    for (const auto& field : request.headers)
        sound = sound && valid_token(field.name) && valid_field_value(field.value);
    if (!sound)
        return failure::permanent(fault::internal,
                                  "A request has a method or field that would break its framing.");
    return {};
}

task<result<http_response>> exchange(std::shared_ptr<fetch_run> run, http_request request, http_url url,
                                     std::shared_ptr<asio::ssl::context> tls, std::size_t max_body) {
    auto socket = run->socket;
    if (!tls)
        co_return co_await converse(*socket, request, url, max_body);
    auto stream = std::make_unique<asio::ssl::stream<fetch_socket&>>(*socket, *tls);
    auto expected = expect_tls_peer(stream->native_handle(), url.host);
    if (!expected)
        co_return expected.error();
    error_code failed;
    co_await stream->async_handshake(asio::ssl::stream_base::client, asio::redirect_error(use_task, failed));
    if (failed) {
        const bool untrusted = SSL_get_verify_result(stream->native_handle()) != X509_V_OK;
        co_return fetch_failure(
            "No TLS connection to " + url.authority() + ": " +
                describe_tls_failure(stream->native_handle(), failed) + ".",
            !untrusted, untrusted ? "If the certificate is right, name its CA in `tls: {ca_file: …}`." : "");
    }
    co_return co_await converse(*stream, request, url, max_body);
}

} // namespace reauth
