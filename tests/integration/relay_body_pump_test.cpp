// The loop that moves an answer's body, over a socket pair: verbatim, through a filter, nowhere; its ends.
#include "proxy/relay/body_pump.hpp"

#include "tests/support/catch.hpp"

#include <array>
#include <sys/socket.h>
#include <unistd.h>

using namespace reauth;

namespace {

/// An upstream that says `sent` and, unless told otherwise, ends; and a client.
struct world {
    world() {
        int up[2], down[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, up) == 0);
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, down) == 0);
        from = channel(loop, up[0]);
        to = channel(loop, down[0]);
        upstream = up[1];
        client = down[1];
    }
    ~world() {
        from.close();
        to.close();
        ::close(client);
        hang_up();
    }
    void say(const std::string& bytes) {
        REQUIRE(::write(upstream, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    void hang_up() {
        if (upstream >= 0)
            ::close(upstream);
        upstream = -1;
    }
    const response_head& head(const std::string& framing) {
        bytes = "HTTP/1.1 200 OK\r\n" + framing + "\r\n";
        REQUIRE(parse_response_head(bytes, false, answer).is == head_outcome::kind::complete);
        return answer;
    }
    pump_end run(body_pump& pump) {
        std::optional<pump_end> end;
        loop.spawn(finish(pump, end));
        loop.finish();
        loop.run();
        REQUIRE(end);
        return *end;
    }
    static loop_task<void> finish(body_pump& pump, std::optional<pump_end>& end) {
        const auto how = co_await pump.run();
        end = how;
    }
    std::string heard() {
        std::string out(1 << 16, '\0');
        const auto n = ::recv(client, out.data(), out.size(), MSG_DONTWAIT);
        out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return out;
    }

    event_loop loop;
    channel from, to;
    int upstream = -1, client = -1;
    std::string bytes;
    response_head answer;
    std::array<char, 64 * 1024> scratch{};
    bool gone = false;
};

struct shouting final : body_filter {
    result<std::string_view> pass(std::string_view payload) override {
        if (payload.find('!') != std::string_view::npos)
            return failure::permanent(fault::upstream_malformed, "it shouts already");
        text = "<" + std::string(payload) + ">";
        return std::string_view(text);
    }
    std::string text;
};

const std::string chunked = "Transfer-Encoding: chunked\r\n";

} // namespace

TEST_CASE("a body goes over as it came, framing included, and leaves the connection clean") {
    world w;
    body_pump pump(w.from, w.head(chunked), "2\r\nab", w.scratch, w.gone);
    pump.to(w.to);
    w.say("\r\n1\r\nc\r\n0\r\n\r\n");
    CHECK(w.run(pump) == pump_end::whole);
    CHECK(w.heard() == "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
    CHECK(pump.leaves_connection_clean());
}

TEST_CASE("chunk extensions and trailers do not go over") {
    world w;
    body_pump pump(w.from, w.head(chunked), "", w.scratch, w.gone);
    pump.to(w.to);
    w.say("2;x=y\r\nab\r\n0\r\nSecret: t\r\n\r\n");
    CHECK(w.run(pump) == pump_end::whole);
    CHECK(w.heard() == "2\r\nab\r\n0\r\n\r\n");
}

TEST_CASE("bytes behind the body go nowhere, and cost the connection") {
    world w;
    body_pump pump(w.from, w.head("Content-Length: 2\r\n"), "", w.scratch, w.gone);
    pump.to(w.to);
    w.say("abHTTP/1.1 200 OK\r\n");
    CHECK(w.run(pump) == pump_end::whole);
    CHECK(w.heard() == "ab");
    CHECK_FALSE(pump.leaves_connection_clean());
}

TEST_CASE("a body that ends with the connection is whole then, and the connection is over") {
    world w;
    body_pump pump(w.from, w.head(""), "a", w.scratch, w.gone);
    pump.to(w.to);
    w.say("b");
    w.hang_up();
    CHECK(w.run(pump) == pump_end::whole);
    CHECK(w.heard() == "ab");
    CHECK_FALSE(pump.leaves_connection_clean());
}

TEST_CASE("a body that breaks off is cut") {
    world w;
    body_pump pump(w.from, w.head("Content-Length: 9\r\n"), "", w.scratch, w.gone);
    pump.to(w.to);
    w.say("abc");
    w.hang_up();
    CHECK(w.run(pump) == pump_end::cut);
    CHECK(w.heard() == "abc");
}

TEST_CASE("malformed framing cuts the body before it goes over") {
    world w;
    body_pump pump(w.from, w.head(chunked), "", w.scratch, w.gone);
    pump.to(w.to);
    w.say("zz\r\nab\r\n");
    CHECK(w.run(pump) == pump_end::cut);
    CHECK(w.heard().empty());
}

TEST_CASE("a filter sees the payload and says what is written") {
    world w;
    body_pump pump(w.from, w.head(chunked), "2\r\nab\r\n", w.scratch, w.gone);
    shouting filter;
    pump.to(w.to);
    pump.through(filter);
    w.say("1\r\nc\r\n0\r\n\r\n");
    CHECK(w.run(pump) == pump_end::whole);
    CHECK(w.heard() == "<ab><c>");
}

TEST_CASE("a filter that refuses ends the pump with its reason") {
    world w;
    body_pump pump(w.from, w.head(chunked), "1\r\n!\r\n", w.scratch, w.gone);
    shouting filter;
    pump.to(w.to);
    pump.through(filter);
    CHECK(w.run(pump) == pump_end::refused);
    CHECK(pump.why().message == "it shouts already");
}

TEST_CASE("a body that is only drained stops where it costs more than a new connection") {
    world w;
    body_pump pump(w.from, w.head("Content-Length: 100000\r\n"), "", w.scratch, w.gone);
    pump.limit(10);
    w.say("0123456789abc");
    CHECK(w.run(pump) == pump_end::enough);
    CHECK(w.heard().empty());
}

TEST_CASE("an interrupted upstream ends the pump: its deadline has passed") {
    world w;
    body_pump pump(w.from, w.head("Content-Length: 9\r\n"), "", w.scratch, w.gone);
    w.loop.post([&] { w.from.interrupt(); });
    CHECK(w.run(pump) == pump_end::stopped);
}

TEST_CASE("the first bytes can go with the head, and are not written twice") {
    world w;
    body_pump pump(w.from, w.head("Content-Length: 4\r\n"), "ab", w.scratch, w.gone);
    pump.to(w.to);
    std::string out = "head ";
    CHECK(pump.take_first(out));
    CHECK(out == "head ab");
    CHECK_FALSE(pump.done());
    w.say("cd");
    CHECK(w.run(pump) == pump_end::whole);
    CHECK(w.heard() == "cd");
}
