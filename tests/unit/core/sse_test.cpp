// Events as they are written: no raw newline in data, one event a message.
#include "core/mcp/sse.hpp"

#include "tests/support/catch.hpp"

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

namespace {

/// The events of a text that comes one byte at a time.
std::vector<event_reader::event> read_slowly(const std::string& text) {
    event_reader reader;
    std::vector<event_reader::event> all;
    for (const char c : text) {
        auto some = reader.feed(std::string_view(&c, 1));
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

} // namespace

TEST_CASE("an event is read with its name, its data, its id and how long to wait before connecting again") {
    const auto all = read_slowly(
        "event: approvals\r\ndata: {\r\ndata: }\r\nid: 7\r\nretry: 1500\r\n\r\n: c\n\ndata:x\n\n");
    REQUIRE(all.size() == 3);
    CHECK(all[0].name == "approvals");
    CHECK(all[0].data == "{\n}");
    CHECK(all[0].id == "7");
    CHECK(all[0].retry == std::chrono::milliseconds(1500));
    CHECK(all[1].data.empty());
    CHECK(all[2].name.empty());
    CHECK(all[2].data == "x");
    CHECK_FALSE(all[2].id);
    CHECK_FALSE(all[2].retry);
}

TEST_CASE("an id may be set to nothing; one with NUL and a retry that is no number count for nothing") {
    static constexpr char text[] = "id:\n\nid: a\0b\n\nretry: 1s\n\nretry: -1\n\nretry:\n\n";
    const auto all = read_slowly(std::string(text, sizeof text - 1));
    REQUIRE(all.size() == 5);
    CHECK(all[0].id == "");
    CHECK_FALSE(all[1].id);
    for (int i : {2, 3, 4})
        CHECK_FALSE(all[static_cast<std::size_t>(i)].retry);
}
