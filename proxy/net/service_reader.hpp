// Reads requests of http_service off a stream, as strictly as service_head.hpp wants them.
#pragma once

#include "proxy/net/http_service.hpp"
#include "proxy/net/service_head.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace reauth {

/// What came of reading one request.
struct received_request {
    enum class kind {
        whole,
        refused, ///< `status` and `reason` are to be answered, and the connection closed
        over,    ///< the peer is gone
    } is = kind::whole;
    service_request request;
    unsigned version = 11; ///< 10 or 11
    bool keep_alive = true;
    unsigned status = 0;
    std::string reason;

    static received_request refuse(unsigned status, std::string reason) {
        return {kind::refused, {}, 11, false, status, std::move(reason)};
    }
    static received_request end() { return {kind::over, {}, 11, false, 0, {}}; }
    bool whole() const noexcept { return is == kind::whole; }
};

/// One connection's requests. `alive` is called whenever the peer may take its time again.
template<class Stream>
class service_reader {
public:
    static constexpr std::size_t max_head = 64 * 1024;

    service_reader(Stream& stream, std::size_t max_body, std::function<void()> alive)
        : stream_(stream), max_body_(max_body), alive_(std::move(alive)) {
        buffer_.reserve(4096);
    }

    task<received_request> next() {
        namespace http = boost::beast::http;
        alive_();
        auto head = co_await head_bytes();
        if (!head.whole())
            co_return head;
        parser_type parser;
        parser.header_limit(static_cast<std::uint32_t>(max_head));
        parser.body_limit(max_body_);
        error_code ec;
        co_await http::async_read_header(stream_, buffer_, parser, asio::redirect_error(use_task, ec));
        if (ec == http::error::body_limit)
            co_return received_request::refuse(413, "the request body is too large");
        if (ec)
            co_return received_request::refuse(400, "the request head is malformed");
        auto received = of_head(parser);
        if (!received.whole())
            co_return received;
        ec = co_await read_body(parser, received);
        if (ec == http::error::body_limit)
            co_return received_request::refuse(413, "the request body is too large");
        if (ec && ec.category() == make_error_code(http::error::end_of_stream).category())
            co_return received_request::refuse(400, "the request body is malformed");
        if (ec)
            co_return received_request::end();
        received.request.body = std::move(parser.get().body());
        co_return received;
    }

private:
    using parser_type = boost::beast::http::request_parser<boost::beast::http::string_body>;

    /// Waits for a whole head in the buffer, and looks at its bytes before Beast does.
    task<received_request> head_bytes() {
        for (;;) {
            const auto data = buffer_.data();
            const std::string_view bytes(static_cast<const char*>(data.data()), data.size());
            if (const auto end = bytes.find("\r\n\r\n"); end != std::string_view::npos) {
                const auto flaw = malformed_head_bytes(bytes.substr(0, end + 4));
                co_return flaw ? received_request::refuse(400, *flaw) : received_request();
            }
            if (data.size() == max_head)
                co_return received_request::refuse(431, "the request head is too large");
            const auto room = buffer_.prepare(std::min<std::size_t>(4096, max_head - data.size()));
            error_code ec;
            const auto got = co_await stream_.async_read_some(room, asio::redirect_error(use_task, ec));
            if (ec)
                co_return received_request::end();
            buffer_.commit(got);
        }
    }

    /// Copied before the body is read: Beast would merge trailers into the same map.
    static received_request of_head(parser_type& parser) {
        const auto& head = parser.get();
        received_request r;
        auto& request = r.request;
        for (const auto& field : head)
            request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
        request.method = std::string(head.method_string());
        request.target = std::string(head.target());
        const auto mark = request.target.find('?');
        request.path = request.target.substr(0, mark);
        request.query = mark == std::string::npos ? "" : request.target.substr(mark + 1);
        r.version = head.version();
        r.keep_alive = parser.keep_alive();
        auto verdict = check_framing(request.method, request.target, r.version, request.headers);
        if (verdict.status != 0)
            return received_request::refuse(verdict.status, std::move(verdict.reason));
        return r;
    }

    task<error_code> read_body(parser_type& parser, const received_request& received) {
        error_code ec;
        if (received.request.header("expect") && received.version >= 11 && !parser.is_done()) {
            static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            const asio::const_buffer leave(go_on.data(), go_on.size());
            co_await asio::async_write(stream_, leave, asio::redirect_error(use_task, ec));
        }
        alive_();
        if (!ec && !parser.is_done())
            co_await boost::beast::http::async_read(stream_, buffer_, parser,
                                                    asio::redirect_error(use_task, ec));
        co_return ec;
    }

    Stream& stream_;
    boost::beast::flat_buffer buffer_{max_head};
    const std::size_t max_body_;
    std::function<void()> alive_;
};

} // namespace reauth
