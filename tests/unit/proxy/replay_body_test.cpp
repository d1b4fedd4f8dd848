// What is kept of a request's body, and what is not.
#include "proxy/relay/replay_body.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

namespace {

/// A request as a session has read it so far.
struct received {
    explicit received(const std::string& bytes) {
        more(bytes);
        REQUIRE(parse_request_head(memory->in.view(), memory->head).is == head_outcome::kind::complete);
    }
    void more(const std::string& bytes) {
        std::memcpy(memory->in.space(), bytes.data(), bytes.size());
        memory->in.added(bytes.size());
    }
    lent<request_buffers> memory = lend<request_buffers>();
    std::atomic<std::uint64_t> recorded{0};
    limits_config limits;
};

std::string head(const std::string& framing) {
    return "POST /x HTTP/1.1\r\nHost: here\r\n" + framing + "\r\n";
}
const std::string chunked = "Transfer-Encoding: chunked\r\n";

} // namespace

TEST_CASE("a request without a body is complete at once") {
    received r("GET /x HTTP/1.1\r\nHost: here\r\n\r\n");
    replay_body body(r.memory, r.recorded, r.limits);
    CHECK(body.arrived());
    CHECK(body.complete());
    CHECK(body.view().empty());
}

TEST_CASE("a small sized body stays where it was received and counts for nobody's memory") {
    received r(head("Content-Length: 5\r\n") + "he");
    replay_body body(r.memory, r.recorded, r.limits);
    CHECK_FALSE(body.arrived());
    CHECK(body.waits_in_place());
    r.more("llo");
    CHECK(body.arrived());
    CHECK(body.view() == "hello");
    body.forget(); // what is in place costs nothing more
    CHECK(body.complete());
    CHECK(r.recorded == 0);
}

TEST_CASE("what follows a body in place is the next request's") {
    received r(head("Content-Length: 2\r\n") + "hiGET /next");
    replay_body body(r.memory, r.recorded, r.limits);
    REQUIRE(body.arrived());
    CHECK(body.view() == "hi");
    CHECK_FALSE(body.alone_in_memory());
    body.release();
    CHECK(r.memory->in.view() == "GET /next");
    body.release();
    CHECK(r.memory->in.view() == "GET /next");
}

TEST_CASE("a chunked body is recorded with its framing, and read without it") {
    received r(head(chunked) + "3\r\nabc\r\n");
    replay_body body(r.memory, r.recorded, r.limits);
    CHECK_FALSE(body.arrived());
    CHECK_FALSE(body.waits_in_place());
    body.take_first();
    CHECK(body.unsent() == "3\r\nabc\r\n");
    body.sent(8);
    body.take("2\r\nde\r\n0\r\n\r\n");
    CHECK(body.unsent() == "2\r\nde\r\n0\r\n\r\n");
    CHECK(body.complete());
    CHECK(body.view() == "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    std::string store;
    CHECK(body.payload(store) == "abcde");
    body.rewind();
    CHECK(body.unsent() == body.view());
}

TEST_CASE("taking what came with the head twice takes it once") {
    received r(head(chunked) + "3\r\nabc\r\n");
    replay_body body(r.memory, r.recorded, r.limits);
    body.take_first();
    body.take_first();
    CHECK(body.view() == "3\r\nabc\r\n");
}

TEST_CASE("bytes behind a recorded body go to the next request") {
    received r(head(chunked));
    replay_body body(r.memory, r.recorded, r.limits);
    body.take_first();
    body.take("1\r\na\r\n0\r\n\r\nGET /next");
    CHECK(body.complete());
    body.release();
    CHECK(r.memory->in.view() == "GET /next");
    CHECK(body.ended_well());
}

TEST_CASE("a next request that finds no room ends the connection: half of it is lost") {
    received r(head(chunked));
    replay_body body(r.memory, r.recorded, r.limits);
    body.take("0\r\n\r\n" + std::string(input_buffer::first_size, 'n'));
    CHECK(body.read());
    CHECK_FALSE(body.ended_well());
}

TEST_CASE("beyond limits.replay_body a body is passed on piece by piece and is not whole any more") {
    received r(head("Content-Length: 100000\r\n"));
    r.limits.replay_body = 10;
    replay_body body(r.memory, r.recorded, r.limits);
    body.take("12345");
    CHECK(body.whole());
    body.sent(5);
    body.take("6789012345");
    CHECK_FALSE(body.whole());
    CHECK(r.recorded == 0);
    CHECK(body.unsent() == "6789012345");
    body.sent(10);
    CHECK(body.unsent().empty());
    body.take("abc");
    CHECK(body.unsent() == "abc");
    CHECK_FALSE(body.complete());
}

TEST_CASE("limits.replay_memory is shared by all requests and given back") {
    received r(head("Content-Length: 100000\r\n")), other(head("Content-Length: 100000\r\n"));
    r.limits.replay_memory = 8;
    {
        replay_body first(r.memory, r.recorded, r.limits), second(other.memory, r.recorded, r.limits);
        first.take("12345");
        second.take("12345");
        CHECK(first.whole());
        CHECK_FALSE(second.whole());
        CHECK(r.recorded == 5);
        first.forget();
        CHECK_FALSE(first.whole());
        CHECK(r.recorded == 0);
        CHECK(first.view().empty());
    }
    CHECK(r.recorded == 0);
}

TEST_CASE("the end of the request gives the memory back") {
    received r(head(chunked));
    {
        replay_body body(r.memory, r.recorded, r.limits);
        body.take("3\r\nabc\r\n");
        CHECK(r.recorded == 8);
    }
    CHECK(r.recorded == 0);
}

TEST_CASE("broken chunked framing is noticed where it comes") {
    received r(head(chunked));
    replay_body body(r.memory, r.recorded, r.limits);
    body.take("3\r\nabc\r\n");
    CHECK_FALSE(body.broken());
    body.take("zz\r\n");
    CHECK(body.broken());
}

TEST_CASE("memory that was given away holds nothing of the request any more") {
    received r(head("Content-Length: 2\r\n") + "hi");
    replay_body body(r.memory, r.recorded, r.limits);
    REQUIRE(body.arrived());
    CHECK(body.alone_in_memory());
    body.detach();
    r.memory.reset();
    CHECK(body.view().empty());
    body.release();
    CHECK_FALSE(body.complete());
}
