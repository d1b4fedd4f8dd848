// Events as they are written: no raw newline in data, one event a message.
#include "core/sse.hpp"

#include <catch2/catch.hpp>

using namespace reauth;

TEST_CASE("every line of an event has its own data field") {
    CHECK(sse_event("{}") == "event: message\ndata: {}\n\n");
    CHECK(sse_event("a\nb") == "event: message\ndata: a\ndata: b\n\n");
    CHECK(sse_event("a\r\nb\rc\n") == "event: message\ndata: a\ndata: b\ndata: c\ndata: \n\n");
    CHECK(sse_event("a\r") == "event: message\ndata: a\ndata: \n\n");
}

TEST_CASE("a comment stays one line") {
    CHECK(sse_comment("waiting") == ": waiting\n\n");
    CHECK(sse_comment("a\r\n\ndata: forged") == ": a   data: forged\n\n");
}

TEST_CASE("a JSON answer becomes one event a message") {
    CHECK(sse_from_json("{\"id\":1}") == "event: message\ndata: {\"id\":1}\n\n");
    CHECK(sse_from_json("[{\"id\":1},{\"id\":2}]") ==
          "event: message\ndata: {\"id\":1}\n\nevent: message\ndata: {\"id\":2}\n\n");
    CHECK(sse_from_json("{\n \"id\": 1\n}") == "event: message\ndata: {\ndata:  \"id\": 1\ndata: }\n\n");
    CHECK(sse_from_json("not json") == "event: message\ndata: not json\n\n");
    CHECK(sse_from_json("[]").empty());
}
