// HTTP/1.1 by Beast, with the checks on framing that Beast leaves to its caller.
#include "proxy/net/http_stream.hpp"

#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"
#include "proxy/net/tls.hpp"

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <optional>
#include <utility>

namespace reauth {

namespace {

namespace http = boost::beast::http;
using wire_request = http::request<http::span_body<const char>>;
using parser_type = http::response_parser<http::buffer_body>;
using steady_point = std::chrono::steady_clock::time_point;

constexpr std::uint32_t longest_head = 64 * 1024;
constexpr unsigned max_interim = 16;

wire_request on_the_wire(const http_request& request, const http_url& url, bool keep) {
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
    if (!keep)
        out.set(http::field::connection, "close");
    const auto body = request.body.reveal();
    out.body() = boost::beast::span<const char>(body.data(), body.size());
    out.prepare_payload();
    return out;
}

failure broken(const http_url& url, const std::string& why) {
    return failure::passing(fault::upstream_malformed,
                            "the answer of " + url.authority() + " cannot be used: " + why);
}

failure broken(const http_url& url, const error_code& error) {
    if (error == http::error::end_of_stream || error == http::error::partial_message ||
        error == asio::ssl::error::stream_truncated || error == asio::error::eof ||
        error == asio::error::connection_reset)
        return broken(url, "the connection was closed before it was whole");
    return broken(url, error.message());
}

/// Beast takes an unknown transfer coding for "no body", and would believe Content-Length beside one.
const char* framing_fault(const http::response<http::buffer_body>& head) {
    const auto codings = head.count(http::field::transfer_encoding);
    if (codings == 0)
        return nullptr;
    if (codings > 1 || !iequals(head[http::field::transfer_encoding], "chunked"))
        return "its transfer coding is not known";
    if (head.count(http::field::content_length) != 0)
        return "it has both a Content-Length and a Transfer-Encoding";
    return head.version() < 11 ? "it uses a transfer coding in HTTP/1.0" : nullptr;
}

/// A conversation on one kind of stream: the plain socket, or TLS over it.
template<class Stream>
class conversation final : public http_stream {
public:
    conversation(std::shared_ptr<client_socket> socket, std::shared_ptr<asio::ssl::context> tls,
                 std::shared_ptr<Stream> stream, http_url url, bool keep)
        : socket_(std::move(socket)), tls_(std::move(tls)), stream_(std::move(stream)), url_(std::move(url)),
          alarm_(socket_->get_executor()), keep_(keep) {
        buffer_.reserve(longest_head);
    }
    ~conversation() override {
        error_code ignored;
        if (socket_)
            socket_->close(ignored);
    }

    std::shared_ptr<client_socket> reuse() override {
        if (!keep_ || !parser_->is_done() || !parser_->get().keep_alive() || buffer_.size() != 0)
            return nullptr;
        stream_.reset();
        return std::move(socket_);
    }

    /// Sends the request and reads a final head.
    task<result<void>> begin(const http_request& request) {
        auto message = on_the_wire(request, url_, keep_);
        error_code failed;
        co_await http::async_write(*stream_, message, asio::redirect_error(use_task, failed));
        if (failed)
            co_return broken(url_, failed);
        for (unsigned interim = 0;; ++interim) {
            parser_.emplace();
            parser_->header_limit(longest_head);
            parser_->body_limit(boost::none);
            if (request.method == "HEAD")
                parser_->skip(true);
            co_await http::async_read_header(*stream_, buffer_, *parser_,
                                             asio::redirect_error(use_task, failed));
            if (failed)
                co_return broken(url_, failed);
            const auto status = parser_->get().result_int();
            if (status == 101 || interim == max_interim)
                co_return broken(url_,
                                 status == 101 ? "it switches protocols" : "it has too many interim answers");
            if (status >= 200)
                break;
        }
        if (const char* fault_found = framing_fault(parser_->get()))
            co_return broken(url_, fault_found);
        head_.status = parser_->get().result_int();
        // before the body is read: trailers would be merged into the fields
        for (const auto& field : parser_->get())
            head_.headers.push_back({std::string(field.name_string()), std::string(field.value())});
        co_return result<void>();
    }

    task<result<std::string>> read(steady_point until) override {
        if (parser_->is_done())
            co_return std::string();
        const auto late = until == (steady_point::max)() ? nullptr : ring_at(until);
        error_code failed;
        std::size_t got = 0;
        while (got == 0 && !failed && !parser_->is_done()) {
            auto& body = parser_->get().body();
            body.data = space_.data();
            body.size = space_.size();
            body.more = true;
            // not async_read: it holds back an event until the space is full
            co_await http::async_read_some(*stream_, buffer_, *parser_,
                                           asio::redirect_error(use_task, failed));
            if (failed == http::error::need_buffer)
                failed = {};
            got = space_.size() - parser_->get().body().size;
        }
        if (late)
            alarm_.cancel();
        if (late && *late)
            co_return failure::passing(fault::upstream_timeout,
                                       "no whole answer from " + url_.authority() + " in time");
        if (failed)
            co_return broken(url_, failed);
        co_return std::string(space_.data(), got);
    }

private:
    /// Closes the socket then; what is given back tells whether it did.
    std::shared_ptr<bool> ring_at(steady_point until) {
        auto late = std::make_shared<bool>(false);
        alarm_.expires_at(until);
        alarm_.async_wait([late, socket = socket_](error_code cancelled) {
            error_code ignored;
            if (cancelled)
                return;
            *late = true;
            socket->close(ignored);
        });
        return late;
    }

    std::shared_ptr<client_socket> socket_;
    std::shared_ptr<asio::ssl::context> tls_;
    std::shared_ptr<Stream> stream_;
    const http_url url_;
    loop_timer alarm_;
    const bool keep_;
    boost::beast::flat_buffer buffer_;
    std::optional<parser_type> parser_;
    std::array<char, 16 * 1024> space_;
};

template<class Stream>
task<result<std::unique_ptr<http_stream>>> converse(std::unique_ptr<conversation<Stream>> talk,
                                                    http_request request) {
    auto begun = co_await talk->begin(request);
    if (!begun)
        co_return begun.error();
    co_return std::unique_ptr<http_stream>(std::move(talk));
}

} // namespace

result<void> check_request(const http_request& request) {
    bool sound = valid_token(request.method) && valid_field_value(request.authorization.reveal());
    for (const auto& field : request.headers)
        sound = sound && valid_token(field.name) && valid_field_value(field.value);
    if (!sound)
        return failure::permanent(fault::internal,
                                  "a request has a method or field that would break its framing");
    return {};
}

task<result<std::unique_ptr<http_stream>>> begin_exchange(std::shared_ptr<client_run> run,
                                                          http_request request, http_url url,
                                                          std::shared_ptr<asio::ssl::context> tls) {
    using secured = asio::ssl::stream<client_socket&>;
    auto socket = run->socket;
    if (!tls) {
        auto talk =
            std::make_unique<conversation<client_socket>>(socket, nullptr, socket, std::move(url), run->keep);
        co_return co_await converse(std::move(talk), std::move(request));
    }
    auto stream = std::make_shared<secured>(*socket, *tls);
    auto expected = expect_tls_peer(stream->native_handle(), url.host);
    if (!expected)
        co_return expected.error();
    error_code failed;
    co_await stream->async_handshake(asio::ssl::stream_base::client, asio::redirect_error(use_task, failed));
    if (failed) {
        const bool untrusted = SSL_get_verify_result(stream->native_handle()) != X509_V_OK;
        const bool asked = !untrusted && wants_client_certificate(stream->native_handle());
        auto why =
            failure::of(fault::upstream_unreachable,
                        "no TLS connection to " + url.authority() + ": " +
                            describe_tls_failure(stream->native_handle(), failed),
                        !untrusted && !asked,
                        untrusted ? "if the certificate is right, name its CA in `tls: {ca_file: …}`" : "");
        if (asked)
            why.fix = client_certificate_advice;
        co_return why;
    }
    auto talk =
        std::make_unique<conversation<secured>>(socket, std::move(tls), stream, std::move(url), false);
    auto answered = co_await converse(std::move(talk), std::move(request));
    // with TLS 1.3 the refusal comes after the handshake
    if (!answered && answered.error().code != fault::upstream_timeout &&
        wants_client_certificate(stream->native_handle()))
        co_return failure::permanent(answered.error().code, answered.error().message,
                                     std::string(client_certificate_advice));
    co_return answered;
}

} // namespace reauth
