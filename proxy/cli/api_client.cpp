// One request, one answer, on a blocking socket.
#include "proxy/cli/api_client.hpp"

#include "core/display_text.hpp"
#include "core/encoding.hpp"
#include "core/random.hpp"
#include "core/uri.hpp"
#include "proxy/approval/operator_token.hpp"
#include "proxy/net/task.hpp"
#include "proxy/net/tls.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <filesystem>

namespace reauth {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

/// One request on a connection of its own.
struct api_exchange {
    using plain_stream = beast::basic_stream<tcp, executor>;

    const api_client& client;
    api_client::route way;
    http::request<http::string_body> request;
    http::response_parser<http::string_body> parser;
    beast::flat_buffer buffer;
    failure why = failure::passing(fault::upstream_unreachable, {});
    bool connected = false, answered = false;

    std::string address() const { return way.connect_host + ":" + std::to_string(way.port); }

    template<class Stream>
    task<void> talk(Stream& stream) {
        error_code ec;
        co_await http::async_write(stream, request, asio::redirect_error(use_task, ec));
        if (!ec)
            co_await http::async_read(stream, buffer, parser, asio::redirect_error(use_task, ec));
        answered = !ec;
        if (ec)
            why.message = address() + " does not answer as the approval API does: " + ec.message() + ".";
    }

    task<void> connect(plain_stream& stream, executor ex) {
        error_code ec;
        asio::ip::basic_resolver<tcp, executor> resolver(ex);
        auto found = co_await resolver.async_resolve(way.connect_host, std::to_string(way.port),
                                                     asio::redirect_error(use_task, ec));
        if (!ec) {
            stream.expires_after(std::chrono::seconds(5));
            co_await stream.async_connect(found, asio::redirect_error(use_task, ec));
        }
        connected = !ec;
        stream.expires_after(client.timeout_);
        if (ec == asio::error::connection_refused)
            why = failure::passing(fault::upstream_unreachable, "Nothing listens on " + address() + ".",
                                   "Start `mcp-reauth serve`.");
        else if (ec)
            why = failure::passing(
                fault::upstream_unreachable, address() + " cannot be reached: " + ec.message() + ".",
                "Is `approval.listen` (or `approval.public_url`) right, and the proxy running?");
    }

    task<void> run(executor ex) {
        if (!way.tls) {
            plain_stream stream(ex);
            co_await connect(stream, ex);
            if (connected)
                co_await talk(stream);
            co_return;
        }
        auto context = make_client_tls(client.trust_);
        if (!context) {
            why = context.error();
            co_return;
        }
        beast::ssl_stream<plain_stream> stream(plain_stream(ex), **context);
        co_await connect(beast::get_lowest_layer(stream), ex);
        if (!connected)
            co_return;
        auto peer = expect_tls_peer(stream.native_handle(), way.connect_host);
        if (!peer) {
            why = peer.error();
            co_return;
        }
        error_code ec;
        co_await stream.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(use_task, ec));
        if (!ec)
            co_await talk(stream);
        else
            why.message = "TLS with " + address() +
                          " failed: " + describe_tls_failure(stream.native_handle(), ec) + ".";
    }
};

namespace {

std::string text_member(const nlohmann::json& j, const char* name) {
    return j.is_object() && j.contains(name) && j[name].is_string()
               ? clean_text(j[name].get<std::string>(), 400)
               : std::string{};
}

/// What a non-2xx answer says, as a failure.
failure refusal(unsigned status, const nlohmann::json& body) {
    failure f =
        failure::permanent(fault::reauth_failed, text_member(body, "message"), text_member(body, "fix"));
    if (status == 401)
        f = failure::permanent(fault::invalid_configuration, "The proxy does not accept the operator token.",
                               "Use the configuration (and the user) that the proxy runs with.");
    if (f.message.empty())
        f.message = "The approval API answered " + std::to_string(status) + ".";
    return f;
}

} // namespace

std::string path_segment(std::string_view text) {
    return percent_encode(text);
}

result<api_client> api_client::make(const config& c) {
    const auto file = operator_token_path(c.state_directory);
    std::error_code ignored;
    if (c.approval.token.from == secret_source::kind::none && !std::filesystem::exists(file, ignored))
        return failure::passing(
            fault::upstream_unreachable, "There is no operator token in " + file + ": no proxy has run here.",
            "Start `mcp-reauth serve`, or name the configuration it runs with by --config.");
    auto token = load_operator_token(c.approval, c.state_directory, system_random(), false);
    if (!token)
        return token.error();
    api_client client;
    client.token_ = std::move(*token);
    const auto& at = c.approval.listen;
    route local{c.approval.tls.has_value(), at.host, at.to_string(), at.port};
    if (at.host == "0.0.0.0" || at.host == "::") {
        local.connect_host = at.host == "::" ? "::1" : "127.0.0.1";
        local.host_header = "localhost:" + std::to_string(at.port);
    }
    auto url = parse_http_url(c.approval.public_url);
    if (local.tls && url)
        local.connect_host = url->host; // the certificate is for that name
    client.routes_.push_back(local);
    if (url && url->authority() != local.host_header)
        client.routes_.push_back({url->https(), url->host, url->authority(), url->port});
    for (auto& r : client.routes_)
        if (r.connect_host.starts_with('['))
            r.connect_host = r.connect_host.substr(1, r.connect_host.size() - 2);
    return client;
}

result<nlohmann::json> api_client::get(const std::string& path) const {
    return call("GET", path, {});
}

result<nlohmann::json> api_client::post(const std::string& path, const nlohmann::json& body) const {
    return call("POST", path, body.dump());
}

result<nlohmann::json> api_client::call(const std::string& method, const std::string& path,
                                        const std::string& body) const {
    std::optional<failure> first;
    for (const auto& way : routes_) {
        http::request<http::string_body> request(http::string_to_verb(method), path, 11);
        request.set(http::field::host, way.host_header);
        request.set(http::field::accept, "application/json");
        request.set(http::field::connection, "close");
        request.set(http::field::authorization, "Bearer " + std::string(token_.reveal()));
        if (method == "POST")
            request.set(http::field::content_type, "application/json");
        request.body() = body;
        request.prepare_payload();
        asio::io_context context(1);
        api_exchange exchange{*this, way,  std::move(request),
                              {},    {},   failure::passing(fault::upstream_unreachable, {}),
                              false, false};
        exchange.parser.body_limit(16 << 20);
        asio::co_spawn(context, exchange.run(context.get_executor()), asio::detached);
        context.run();
        if (!exchange.answered) {
            if (!first)
                first = exchange.why;
            if (exchange.connected)
                break; // something is there: what it says counts
            continue;
        }
        const auto& answer = exchange.parser.get();
        auto parsed = nlohmann::json::parse(answer.body(), nullptr, false);
        if (answer.result_int() / 100 != 2)
            return refusal(answer.result_int(), parsed);
        if (parsed.is_discarded())
            return failure::permanent(fault::reauth_failed,
                                      exchange.address() + " does not answer with JSON.",
                                      "Is another program on the port of `approval.listen`?");
        return result<nlohmann::json>(boost::system::in_place_value, std::move(parsed));
    }
    return *first;
}

} // namespace reauth
