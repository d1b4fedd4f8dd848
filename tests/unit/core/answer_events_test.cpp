// Answers that become events: cut where events end, and nothing half.
#include "core/mcp/answer_events.hpp"
#include "core/text/uri.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

namespace {

answer_events reframed(bool is_stream, std::string_view codings = {}) {
    return answer_events(is_stream, *content_decoder::create(codings));
}

} // namespace

TEST_CASE("events are cut where they end, however they arrive") {
    const std::string stream = ": note\n\ndata: a\r\ndata: b\r\nid: 7\r\n\r\nevent: x\rdata:c\r\rdata: half";
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        event_reader cutter;
        std::string text;
        std::vector<event_reader::event> all;
        for (std::size_t at = 0; at < stream.size(); at += step)
            for (auto& e : cutter.feed(std::string_view(stream).substr(at, step)))
                all.push_back(e);
        INFO(step);
        REQUIRE(all.size() == 3);
        CHECK(all[0].data.empty());
        CHECK(all[1].data == "a\nb");
        CHECK(all[1].id.has_value());
        CHECK(all[2].data == "c");
        CHECK_FALSE(all[2].id.has_value());
        CHECK(all[0].text + all[1].text + all[2].text == stream.substr(0, stream.size() - 10));
        CHECK(cutter.held() == 10);
    }
}

TEST_CASE("an event stream goes on whole event by whole event, and tells what it answered") {
    auto events = reframed(true);
    CHECK(events.feed("data: {\"jsonrpc\":\"2.0\",\"id\":1,")->empty());
    CHECK(*events.feed("\"result\":{}}\n\ndata: {\"ha") ==
          "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n");
    CHECK(events.answered("1"));
    CHECK_FALSE(events.answered("2"));
    CHECK_FALSE(events.resumable());
    CHECK_FALSE(events.finish(false));
    CHECK(reframed(true).finish(true)->empty());
}

TEST_CASE("a JSON answer becomes one event a message, or an error") {
    auto batch = reframed(false);
    REQUIRE(batch.feed(
        R"( [{"jsonrpc":"2.0","id":"a","result":"],[\""} , {"jsonrpc":"2.0","id":2,"error":{"code":1}}] )"));
    CHECK(*batch.finish(true) ==
          "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":\"],[\\\"\"}\n\n"
          "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":1}}\n\n");
    CHECK(batch.answered("\"a\""));
    CHECK(batch.answered("2"));
    for (const char* bad : {"", "<html>", "null", "[]", R"({"jsonrpc":"2.0","id":1,"resu)", "[[[["}) {
        auto broken = reframed(false);
        REQUIRE(broken.feed(bad));
        CHECK_FALSE(broken.finish(true));
    }
    auto odd = reframed(false);
    REQUIRE(odd.feed("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"name\":\"Ren\xe9\"}}"));
    CHECK(odd.finish(true)->find("\\ufffd") != std::string::npos);
}

TEST_CASE("an answer that is too large, or in an unknown or broken coding, is refused") {
    auto large = reframed(true);
    const std::string piece(1 << 20, 'x');
    bool refused = false;
    for (int i = 0; i < 70 && !refused; ++i)
        refused = !large.feed(piece).has_value();
    CHECK(refused);
    auto coded = reframed(false, "gzip");
    CHECK_FALSE(coded.feed("not gzip"));
}

TEST_CASE("a Location is resolved against the request's URL") {
    const auto to = [](std::string_view reference) {
        const auto url = resolve_reference("https://a.example/mcp/v1?x=1", reference);
        return url ? url->origin() + url->target() : "refused";
    };
    CHECK(to("v2") == "https://a.example/mcp/v2");
    CHECK(to("./") == "https://a.example/mcp/");
    CHECK(to("../mcp/") == "https://a.example/mcp/");
    CHECK(to("?y=2") == "https://a.example/mcp/v1?y=2");
    CHECK(to("//a.example/z#frag") == "https://a.example/z");
    CHECK(to("/z#a") == "https://a.example/z");
    CHECK(to("https://b.example/") == "https://b.example/");
    CHECK(to("../../../../etc") == "https://a.example/etc");
    for (const char* bad : {"javascript:alert(1)", "http://[bad", "https://user@a.example/", "http://a b/"})
        CHECK(to(bad) == "refused");
}
