// One connection of http_service: reads requests strictly, hands them to the handler, keeps the connection
// alive.
#include "proxy/net/service_connection.hpp"

#include "proxy/net/service_answer.hpp"
#include "proxy/net/service_reader.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <poll.h>

namespace reauth {
namespace {

using tls_stream = asio::ssl::stream<service_socket>;

/// What a refused peer may still send while our answer is on its way to it.
constexpr std::size_t max_drained = 1 << 20;

template<class Stream>
class connection final : public service_peer, public std::enable_shared_from_this<connection<Stream>> {
public:
    connection(Stream stream, std::shared_ptr<service_shared> shared)
        : stream_(std::move(stream)), shared_(std::move(shared)), watchdog_(stream_.get_executor()),
          recheck_(stream_.get_executor()), reader_(stream_, shared_->options.max_body, [this] { arm(); }) {}
    ~connection() override { shared_->connections.erase(this); }

    void enroll() {
        error_code unknown;
        const auto from = socket().remote_endpoint(unknown);
        auto& entry = shared_->connections[this];
        entry.close = [weak = this->weak_from_this()] {
            if (auto self = weak.lock())
                self->close();
        };
        entry.peer = unknown ? std::string() : from.address().to_string();
        entry.idle_since = ++shared_->turns;
    }

    static task<void> run(std::shared_ptr<connection> self) {
        co_await self->serve();
        self->close();
    }

    void close() {
        error_code ignored;
        watchdog_.cancel();
        recheck_.cancel();
        socket().shutdown(service_socket::shutdown_both, ignored);
        socket().close(ignored);
        gone_ = true;
        wake_handler();
    }

    void reset() override {
        error_code ignored;
        socket().set_option(asio::socket_base::linger(true, 0), ignored);
        watchdog_.cancel();
        recheck_.cancel();
        socket().close(ignored);
        gone_ = true;
    }

    bool peer_closed() const override { return gone_ || peer_closed_; }
    void on_close(std::function<void()> wake) override { on_close_ = std::move(wake); }

    task<bool> send(std::string bytes) override {
        if (gone_)
            co_return false;
        arm();
        error_code ec;
        co_await asio::async_write(stream_, asio::buffer(bytes), asio::redirect_error(use_task, ec));
        watchdog_.cancel();
        if (ec)
            gone_ = true;
        co_return !ec;
    }

private:
    service_socket& socket() {
        if constexpr (std::is_same_v<Stream, tls_stream>)
            return stream_.next_layer();
        else
            return stream_;
    }

    void wake_handler() {
        if (const auto wake = std::exchange(on_close_, nullptr))
            wake();
    }

    void arm() {
        watchdog_.expires_after(shared_->options.idle_timeout);
        watchdog_.async_wait([weak = this->weak_from_this()](error_code ec) {
            if (auto self = weak.lock(); self && !ec)
                self->close();
        });
    }

    task<void> serve();
    task<void> refuse(unsigned status, std::string reason);
    static task<void> watch_peer(std::shared_ptr<connection> self, std::uint64_t turn);

    Stream stream_;
    std::shared_ptr<service_shared> shared_;
    loop_timer watchdog_, recheck_;
    service_reader<Stream> reader_;
    std::uint64_t turn_ = 0; ///< counts handler calls, so that a late watcher knows it is late
    bool gone_ = false, peer_closed_ = false;
    std::function<void()> on_close_; ///< of the handler that runs
};

template<class Stream>
task<void> connection<Stream>::serve() {
    error_code ec;
    if constexpr (std::is_same_v<Stream, tls_stream>) {
        arm();
        co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(use_task, ec));
        watchdog_.cancel();
        if (ec)
            co_return;
    }
    bool keep_alive = true;
    while (keep_alive && !gone_) {
        auto received = co_await reader_.next();
        watchdog_.cancel();
        if (received.is == received_request::kind::refused)
            co_await refuse(received.status, std::move(received.reason));
        if (!received.whole())
            co_return;
        answered_request x(*this, std::move(received.request), received.old_version, received.keep_alive);
        shared_->connections[this].idle_since = 0;
        const auto turn = ++turn_;
        asio::co_spawn(stream_.get_executor(), watch_peer(this->shared_from_this(), turn), asio::detached);
        bool threw = false;
        try {
            co_await shared_->handler(x);
        } catch (const std::exception&) {
            threw = true;
        }
        ++turn_;
        on_close_ = nullptr;
        recheck_.cancel();
        if (!gone_)
            socket().cancel(ec); // ends the watcher: nothing else is outstanding
        if (!x.answered() && !gone_) {
            service_response sorry{500, {{"Content-Type", "text/plain; charset=utf-8"}}, "Internal error.\n"};
            co_await x.respond(std::move(sorry));
        } else if (threw && x.streaming()) {
            reset(); // half an answer must not look whole
            co_return;
        } else if (x.must_end_chunks()) {
            std::string end = "0\r\n\r\n";
            co_await send(std::move(end));
        }
        keep_alive = x.keep_alive();
        shared_->connections[this].idle_since = ++shared_->turns;
    }
    if constexpr (std::is_same_v<Stream, tls_stream>) {
        if (!gone_) {
            arm();
            co_await stream_.async_shutdown(asio::redirect_error(use_task, ec));
        }
    }
}

/// Answers a request that is not trusted, and closes. What the peer still sends is read for a while, else its
/// kernel would drop our answer on the reset.
template<class Stream>
task<void> connection<Stream>::refuse(unsigned status, std::string reason) {
    const std::vector<header_field> headers{{"Content-Type", "text/plain; charset=utf-8"},
                                            {"Content-Length", std::to_string(reason.size() + 1)},
                                            {"Connection", "close"}};
    auto bytes = format_response_head(status, headers) + reason + "\n";
    const bool sent = co_await send(std::move(bytes));
    error_code ec;
    if (!sent)
        co_return;
    socket().shutdown(service_socket::shutdown_send, ec);
    watchdog_.expires_after(std::min(shared_->options.idle_timeout, std::chrono::milliseconds(2000)));
    watchdog_.async_wait([weak = this->weak_from_this()](error_code e) {
        if (auto self = weak.lock(); self && !e)
            self->close();
    });
    std::array<char, 16384> scrap;
    std::size_t drained = 0;
    while (!ec && drained < max_drained) {
        const auto size =
            co_await socket().async_read_some(asio::buffer(scrap), asio::redirect_error(use_task, ec));
        drained += size;
    }
    watchdog_.cancel();
    close();
}

/// While a handler works, notices that the peer has closed, without reading a byte of the next request.
template<class Stream>
task<void> connection<Stream>::watch_peer(std::shared_ptr<connection> self, std::uint64_t turn) {
    while (self->turn_ == turn && !self->gone_) {
        error_code ec;
        co_await self->socket().async_wait(service_socket::wait_read, asio::redirect_error(use_task, ec));
        if (ec || self->turn_ != turn || self->gone_)
            co_return;
        pollfd look{self->socket().native_handle(), POLLRDHUP, 0};
        if (::poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR))) {
            self->peer_closed_ = true;
            self->wake_handler();
            co_return;
        }
        // Bytes of a next request lie there and keep the socket readable: look again, but not in a spin.
        self->recheck_.expires_after(std::chrono::milliseconds(500));
        co_await self->recheck_.async_wait(asio::redirect_error(use_task, ec));
    }
}

template<class Stream>
void start(Stream stream, std::shared_ptr<service_shared> shared) {
    const auto ex = stream.get_executor();
    auto c = std::make_shared<connection<Stream>>(std::move(stream), std::move(shared));
    c->enroll();
    asio::co_spawn(ex, connection<Stream>::run(c), asio::detached);
}

} // namespace

void start_service_connection(service_socket socket, std::shared_ptr<service_shared> shared) {
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    if (shared->options.tls) {
        tls_stream stream(std::move(socket), *shared->options.tls);
        start(std::move(stream), std::move(shared));
    } else {
        start(std::move(socket), std::move(shared));
    }
}

} // namespace reauth
