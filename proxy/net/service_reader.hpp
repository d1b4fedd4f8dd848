// Reads requests of http_service off a stream: heads by core/http/http_head, bodies by core/http/http_body,
// as the data path does.
#pragma once

#include "core/http/http_body.hpp"
#include "core/http/http_head.hpp"
#include "proxy/net/http_service.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <array>
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
    bool old_version = false; ///< HTTP/1.0
    bool keep_alive = true;
    unsigned status = 0;
    std::string reason;

    static received_request refuse(unsigned status, std::string reason) {
        return {kind::refused, {}, false, false, status, std::move(reason)};
    }
    static received_request end() { return {kind::over, {}, false, false, 0, {}}; }
    bool whole() const noexcept { return is == kind::whole; }
};

/// The head as a handler sees it, or why it is refused.
received_request request_of_head(const request_head& head);
/// … where it is not even one.
received_request refused_head(const head_outcome& outcome);

/// One connection's requests. `alive` is called whenever the peer may take its time again.
template<class Stream>
class service_reader {
public:
    service_reader(Stream& stream, std::size_t max_body, std::function<void()> alive)
        : stream_(stream), max_body_(max_body), alive_(std::move(alive)) {}

    task<received_request> next() {
        alive_();
        auto outcome = parse_request_head(buffer_, head_);
        while (outcome.is == head_outcome::kind::incomplete) {
            const bool more = co_await read_more();
            if (!more)
                co_return received_request::end();
            outcome = parse_request_head(buffer_, head_);
        }
        if (outcome.is != head_outcome::kind::complete)
            co_return refused_head(outcome);
        auto received = request_of_head(head_);
        body_scanner body(head_);
        if (received.whole() && head_.framing == body_framing::sized && head_.content_length > max_body_)
            received = received_request::refuse(413, "the request body is too large");
        if (!received.whole())
            co_return received;
        const bool waits = received.request.header("expect").has_value() && !received.old_version;
        buffer_.erase(0, head_.size);
        if (!body.done()) {
            const auto trouble = co_await read_body(body, received.request.body, waits);
            if (!trouble.whole())
                co_return trouble;
        }
        co_return received;
    }

private:
    /// false: the peer is gone.
    task<bool> read_more() {
        error_code ec;
        const auto room = asio::buffer(bytes_);
        const auto got = co_await stream_.async_read_some(room, asio::redirect_error(use_task, ec));
        buffer_.append(bytes_.data(), ec ? 0 : got);
        co_return !ec;
    }

    /// Its payload goes into `out`; what is behind it stays for the next request.
    task<received_request> read_body(body_scanner& body, std::string& out, bool waits) {
        if (waits) {
            static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            const asio::const_buffer leave(go_on.data(), go_on.size());
            error_code ec;
            co_await asio::async_write(stream_, leave, asio::redirect_error(use_task, ec));
            if (ec)
                co_return received_request::end();
        }
        alive_();
        for (;;) {
            std::string_view input(buffer_);
            const bool sound = pass_body(body, input, true, out);
            buffer_.erase(0, buffer_.size() - input.size());
            if (!sound)
                co_return received_request::refuse(400, "the request body is malformed");
            if (out.size() > max_body_)
                co_return received_request::refuse(413, "the request body is too large");
            if (body.done())
                co_return received_request();
            const bool more = co_await read_more();
            if (!more)
                co_return received_request::end();
        }
    }

    Stream& stream_;
    std::string buffer_; ///< what was read and not used yet
    std::array<char, 4096> bytes_;
    request_head head_; ///< views into `buffer_`
    const std::size_t max_body_;
    std::function<void()> alive_;
};

} // namespace reauth
