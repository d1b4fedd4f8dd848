// The small HTTP server: accepts, reads whole requests strictly, and lets a handler answer at once or in a
// stream.
#include "proxy/net/http_service.hpp"

#include "core/text/ascii.hpp"
#include "proxy/net/service_connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace reauth {

using tcp = asio::ip::tcp;
using tcp_acceptor = asio::basic_socket_acceptor<tcp, executor>;

std::optional<std::string_view> service_request::header(std::string_view name) const {
    for (const auto& h : headers)
        if (iequals(h.name, name))
            return h.value;
    return {};
}

bool service_shared::make_room(const std::string& peer) {
    std::size_t of_peer = 0;
    open_connection *oldest = nullptr, *oldest_of_peer = nullptr;
    const auto older = [](open_connection& c, open_connection* than) {
        return c.idle_since != 0 && (!than || c.idle_since < than->idle_since) ? &c : than;
    };
    for (auto& [key, c] : connections) {
        oldest = older(c, oldest);
        if (c.peer != peer)
            continue;
        ++of_peer;
        oldest_of_peer = older(c, oldest_of_peer);
    }
    open_connection* leaves = nullptr;
    if (of_peer >= options.max_per_peer)
        leaves = oldest_of_peer;
    else if (connections.size() >= options.max_connections)
        leaves = oldest;
    else
        return true;
    if (!leaves)
        return false;
    leaves->idle_since = 0; // not chosen twice: its end may take a moment
    const auto close = leaves->close;
    close();
    return true;
}

struct http_service::state : std::enable_shared_from_this<state> {
    state(executor e, service_handler h, service_options o)
        : ex(e), shared(std::make_shared<service_shared>(service_shared{std::move(h), std::move(o), 0, {}})) {
    }

    executor ex;
    std::shared_ptr<service_shared> shared;
    std::vector<std::shared_ptr<tcp_acceptor>> acceptors;
    bool stopped = false;

    static task<void> accept_loop(std::shared_ptr<state> self, std::shared_ptr<tcp_acceptor> acceptor) {
        while (acceptor->is_open()) {
            service_socket socket(self->ex);
            error_code ec;
            co_await acceptor->async_accept(socket, asio::redirect_error(use_task, ec));
            if (ec == asio::error::operation_aborted || !acceptor->is_open())
                break;
            if (ec) {
                // Out of descriptors, most likely: trying again at once would spin.
                loop_timer rest(self->ex, std::chrono::milliseconds(100));
                co_await rest.async_wait(asio::redirect_error(use_task, ec));
                continue;
            }
            error_code unknown;
            const auto from = socket.remote_endpoint(unknown);
            if (unknown || !self->shared->make_room(from.address().to_string()))
                continue; // dropping the socket closes it
            start_service_connection(std::move(socket), self->shared);
        }
    }

    void stop() {
        stopped = true;
        error_code ignored;
        for (auto& a : acceptors)
            a->close(ignored);
        acceptors.clear();
        // Closing makes connections leave the set: walk over a copy.
        const auto open = shared->connections;
        for (const auto& [key, c] : open)
            c.close();
    }
};

http_service::http_service(executor ex, service_handler handler, service_options options)
    : state_(std::make_shared<state>(ex, std::move(handler), std::move(options))) {}

http_service::~http_service() {
    stop();
}

result<std::uint16_t> http_service::listen(const std::string& host, std::uint16_t port) {
    const auto where =
        (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
    const auto refuse = [&](const std::string& why, std::string fix) {
        return failure::permanent(fault::invalid_configuration, "cannot listen on " + where + ": " + why,
                                  std::move(fix));
    };
    error_code ec;
    auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, ec);
    if (ec) {
        asio::ip::basic_resolver<tcp, executor> resolver(state_->ex);
        const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, ec);
        if (ec || found.empty())
            return refuse("the host name is not known", "Give an IP address of this machine.");
        address = found.begin()->endpoint().address();
    }
    const tcp::endpoint endpoint(address, port);
    auto acceptor = std::make_shared<tcp_acceptor>(state_->ex);
    acceptor->open(endpoint.protocol(), ec);
    if (!ec)
        acceptor->set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec)
        acceptor->bind(endpoint, ec);
    if (!ec)
        acceptor->listen(asio::socket_base::max_listen_connections, ec);
    if (ec == asio::error::address_in_use)
        return refuse("the port is taken", "Stop the program that holds it, or configure another port.");
    if (ec)
        return refuse(ec.message(), "Configure an address of this machine and a port that may be used.");
    const auto bound = acceptor->local_endpoint(ec).port();
    asio::dispatch(state_->ex, [s = state_, acceptor] {
        if (s->stopped)
            return;
        s->acceptors.push_back(acceptor);
        asio::co_spawn(s->ex, state::accept_loop(s, acceptor), asio::detached);
    });
    return bound;
}

void http_service::stop() {
    asio::dispatch(state_->ex, [s = state_] { s->stop(); });
}

} // namespace reauth
