// A server for the fetcher's tests: plain blocking sockets, one scripted answer a connection, on a thread of
// its own.
#pragma once

#include "proxy/recovery/fetcher_http.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include "tests/support/catch.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace reauth::test {

using asio::ip::tcp;

/// Reads each request to its end and writes what `answer` says for it, then closes. An empty answer: closes
/// at once; "stall": keeps the connection open and silent until the server ends.
class scripted_server {
public:
    using script = std::function<std::string(const std::string& request)>;

    explicit scripted_server(script answer, std::shared_ptr<asio::ssl::context> tls = {},
                             const std::string& address = "127.0.0.1")
        : answer_(std::move(answer)), tls_(std::move(tls)),
          acceptor_(context_, {asio::ip::make_address(address), 0}), port_(acceptor_.local_endpoint().port()),
          thread_([this] { serve(); }) {}
    ~scripted_server() {
        over_ = true;
        error_code ignored;
        tcp::socket knock(context_);
        knock.connect(acceptor_.local_endpoint(), ignored);
        thread_.join();
    }
    scripted_server(const scripted_server&) = delete;

    std::uint16_t port() const { return port_; }
    std::string url(const std::string& path = "/", const std::string& host = "127.0.0.1") const {
        return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + path;
    }
    std::vector<std::string> requests() const {
        std::lock_guard lock(mutex_);
        return requests_;
    }

private:
    template<class Stream>
    void converse(Stream& stream) {
        error_code failed;
        std::string request;
        asio::read(stream, asio::dynamic_buffer(request), asio::transfer_exactly(1), failed);
        if (request == "\x16") { // a TLS hello to a plain server
            asio::write(stream, asio::buffer(std::string("HTTP/1.1 400 Bad Request\r\n\r\n")), failed);
            return;
        }
        asio::read_until(stream, asio::dynamic_buffer(request), "\r\n\r\n", failed);
        const auto head = request.find("\r\n\r\n") + 4;
        if (const auto at = request.find("Content-Length: "); at < head) {
            const auto size = std::stoul(request.substr(at + 16));
            if (request.size() < head + size)
                asio::read(stream, asio::dynamic_buffer(request),
                           asio::transfer_exactly(head + size - request.size()), failed);
        }
        if (failed)
            return;
        {
            std::lock_guard lock(mutex_);
            requests_.push_back(request);
        }
        const auto answer = answer_(request);
        if (answer == "stall") {
            char byte = 0;
            stream.read_some(asio::buffer(&byte, 1), failed); // until the client leaves
            return;
        }
        asio::write(stream, asio::buffer(answer), failed);
    }

    void serve() {
        for (;;) {
            error_code failed;
            tcp::socket socket(context_);
            acceptor_.accept(socket, failed);
            if (over_ || failed)
                return;
            if (!tls_) {
                converse(socket);
                socket.shutdown(tcp::socket::shutdown_send, failed);
                continue;
            }
            asio::ssl::stream<tcp::socket> stream(std::move(socket), *tls_);
            stream.handshake(asio::ssl::stream_base::server, failed);
            if (failed)
                continue;
            converse(stream);
            stream.shutdown(failed);
        }
    }

    script answer_;
    std::shared_ptr<asio::ssl::context> tls_;
    asio::io_context context_;
    tcp::acceptor acceptor_;
    std::uint16_t port_;
    std::atomic<bool> over_ = false;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::thread thread_;
};

/// An answer with a body and its length.
inline std::string answer_of(unsigned status, const std::string& body, const std::string& fields = {}) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n" + fields + "\r\n" + body;
}

inline scripted_server::script always(std::string answer) {
    return [answer = std::move(answer)](const std::string&) { return answer; };
}

inline task<void> keep_answer(fetcher& f, http_request request, fetch_options options,
                              std::optional<result<http_response>>& out) {
    auto work = f.fetch(std::move(request), std::move(options));
    auto answer = co_await std::move(work);
    out.emplace(std::move(answer));
}

/// Runs one fetch to its end.
inline result<http_response> fetched(http_request request, fetch_options options = {},
                                     resolve_function resolve = {},
                                     const std::vector<std::string>& allow = {}) {
    asio::io_context context;
    http_fetcher f(context.get_executor(), egress_rules::parse(allow).value(), {}, std::move(resolve));
    std::optional<result<http_response>> out;
    asio::co_spawn(context, keep_answer(f, std::move(request), std::move(options), out),
                   [](std::exception_ptr thrown) {
                       if (thrown)
                           std::rethrow_exception(thrown);
                   });
    context.run();
    REQUIRE(out.has_value());
    return std::move(*out);
}

inline http_request get(const std::string& url) {
    http_request request;
    request.url = url;
    return request;
}

inline http_request post(const std::string& url, const std::string& body) {
    http_request request;
    request.method = "POST";
    request.url = url;
    request.body = secret(body);
    return request;
}

/// The failure of a fetch that must fail.
inline failure failed(const result<http_response>& answer) {
    REQUIRE(answer.has_error());
    return answer.error();
}

/// A resolver that says the same for every name.
inline resolve_function resolves_to(std::vector<std::string> addresses) {
    struct teller {
        static task<result<std::vector<asio::ip::address>>> tell(std::vector<std::string> texts) {
            std::vector<asio::ip::address> out;
            for (const auto& text : texts)
                out.push_back(asio::ip::make_address(text));
            co_return out;
        }
    };
    return [addresses](std::string) { return teller::tell(addresses); };
}

} // namespace reauth::test
