// Live updates: two tabs, the CLI and the page agree.
#include "approval_fixture.hpp"

#include "tests/support/catch.hpp"

using namespace approval_test;

namespace {

/// An open event stream, read piece by piece.
struct stream {
    asio::io_context io;
    asio::ip::tcp::socket socket{io};
    std::string got;

    stream(listener_fixture& f, const std::string& target, const std::string& extra) {
        socket.connect({asio::ip::address_v4::loopback(), f.port});
        asio::write(socket, asio::buffer("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" +
                                         std::to_string(f.port) + "\r\n" + extra + "\r\n"));
    }
    /// Reads until the text has come; false: the stream ended before.
    bool until(const std::string& text) {
        std::string buffer(4096, '\0');
        while (got.find(text) == std::string::npos) {
            error_code ec;
            const auto n = socket.read_some(asio::buffer(buffer), ec);
            if (ec)
                return false;
            got.append(buffer, 0, n);
        }
        return true;
    }
};

} // namespace

TEST_CASE("the operator's stream starts with what is so, and tells each change to every tab") {
    listener_fixture f;
    f.open();
    const auto auth = "Authorization: " + f.bearer() + "\r\n";
    stream one(f, "/api/events", auth), two(f, "/api/events", auth);
    for (auto* s : {&one, &two}) {
        REQUIRE(s->until("event: approvals\ndata: {\"approvals\":[{"));
        REQUIRE(s->until("event: credentials\ndata: {\"credentials\":[]"));
        CHECK(s->got.find("text/event-stream") != std::string::npos);
    }
    CHECK(f.api("POST", "approvals/aaaa/deny").status == 200);
    for (auto* s : {&one, &two}) {
        CHECK(s->until("\"status\":\"denied\""));
        CHECK(s->until("data: {\"approvals\":[]}"));
    }
}

TEST_CASE("the link's stream tells only its own approval, and ends with the decision") {
    listener_fixture f;
    f.open();
    f.open([](approval& a) {
        a.id = "bbbb";
        a.link_secret = secret("another");
    });
    stream s(f, page + "/events", "Sec-Fetch-Site: same-origin\r\nConnection: close\r\n");
    REQUIRE(s.until("\"status\":\"pending\""));
    CHECK(f.api("POST", "approvals/bbbb/deny").status == 200);
    CHECK(f.api("POST", "approvals/aaaa/approve").status == 200);
    CHECK(s.until("\"status\":\"authorizing\""));
    CHECK(f.form(page + "/deny").status == 303);
    CHECK(s.until("\"status\":\"denied\""));
    CHECK(s.until("0\r\n\r\n"));
    CHECK(s.got.find("bbbb") == std::string::npos);
    CHECK(s.got.find("link-secret") == std::string::npos);
}

TEST_CASE("a changed credential is told without an approval") {
    listener_fixture f;
    stream s(f, "/api/events", "Authorization: " + f.bearer() + "\r\n");
    REQUIRE(s.until("event: credentials"));
    f.on_io([&] {
        f.credentials.resize(1);
        f.credentials[0].upstream = "github";
    });
    CHECK(s.until("\"upstream\":\"github\""));
}

TEST_CASE("the listener can go while streams are open") {
    auto f = std::make_unique<listener_fixture>();
    f->open();
    stream s(*f, "/api/events", "Authorization: " + f->bearer() + "\r\n");
    REQUIRE(s.until("event: approvals"));
    f.reset();
    CHECK_FALSE(s.until("never sent"));
}
