// An address that does not answer does not keep a connection from the next one.
#include "proxy/net/connect_race.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "tests/support/catch.hpp"

#include <sys/socket.h>

using namespace reauth;

namespace {

using endpoint = asio::ip::tcp::endpoint;

/// A listener whose queue is full: to the next SYN it is a black hole.
struct black_hole {
    asio::io_context context;
    asio::ip::tcp::acceptor listener{context};
    std::vector<asio::ip::tcp::socket> queued;

    black_hole() {
        listener.open(asio::ip::tcp::v4());
        listener.bind(endpoint(asio::ip::address_v4::loopback(), 0));
        listener.listen(0);
        // one more than the kernel keeps: further ones are not answered
        for (int i = 0; i < 2; ++i) {
            auto& one = queued.emplace_back(context, asio::ip::tcp::v4());
            one.non_blocking(true);
            const auto to = where(); // connect() of Asio waits, whatever the mode
            (void)::connect(one.native_handle(), to.data(), static_cast<socklen_t>(to.size()));
        }
    }
    endpoint where() const { return listener.local_endpoint(); }
};

struct raced {
    asio::io_context context{1};
    std::shared_ptr<connect_race> race;
    std::optional<boost::system::result<std::shared_ptr<client_socket>, std::string>> end;

    explicit raced(std::vector<endpoint> order)
        : race(std::make_shared<connect_race>(context.get_executor(), std::move(order))) {
        auto run = [](raced* self) -> task<void> { self->end = co_await self->race->run(); };
        asio::co_spawn(context, run(this), [](std::exception_ptr e) {
            if (e)
                std::rethrow_exception(e);
        });
    }
    std::uint16_t port() const {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        ::getpeername((**end)->native_handle(), reinterpret_cast<sockaddr*>(&peer), &size);
        return ntohs(peer.sin_port);
    }
};

} // namespace

TEST_CASE("an address that does not answer is overtaken by the next one", "[net]") {
    black_hole hole;
    asio::io_context context;
    asio::ip::tcp::acceptor good(context, endpoint(asio::ip::address_v4::loopback(), 0));
    raced r({hole.where(), hole.where(), good.local_endpoint()});
    r.context.run();
    REQUIRE(r.end);
    REQUIRE(r.end->has_value());
    CHECK(r.port() == good.local_endpoint().port());
}

TEST_CASE("what each address said is told where none connects", "[net]") {
    asio::io_context context;
    asio::ip::tcp::acceptor gone(context, endpoint(asio::ip::address_v4::loopback(), 0));
    const auto refusing = gone.local_endpoint();
    gone.close();
    raced r({refusing, refusing});
    r.context.run();
    REQUIRE(r.end);
    REQUIRE(r.end->has_error());
    CHECK(r.end->error() == "127.0.0.1: Connection refused, 127.0.0.1: Connection refused");
}

TEST_CASE("a race that is cancelled ends", "[net]") {
    black_hole hole;
    raced r({hole.where()});
    asio::post(r.context, [&] { r.race->cancel(); });
    r.context.run();
    REQUIRE(r.end);
    CHECK(r.end->has_error());
}
