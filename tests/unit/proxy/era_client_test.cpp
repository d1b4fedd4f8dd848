// Which message of a bridge goes out by which answer of its client's session.
#include "proxy/bridge/era_client.hpp"
#include "proxy/bridge/reading_point.hpp"

#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

using namespace reauth;
using nlohmann::json;

namespace {

struct world {
    asio::io_context io;
    era_client client{io.get_executor(), "s1", ""};

    std::shared_ptr<open_answer> answer(std::set<std::string> missing, bool events = true) {
        auto open = std::make_shared<open_answer>(io.get_executor());
        open->missing = std::move(missing);
        open->takes_events = events;
        return open;
    }
    std::shared_ptr<open_answer> post(std::set<std::string> missing, bool events = true) {
        auto open = answer(std::move(missing), events);
        client.opened(open);
        return open;
    }
    void says(const json& message) { client.write(message.dump()); }
};

json reply_to(const json& id) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", json::object()}};
}
json notice(const std::string& method, json params = json::object()) {
    return {{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
}

} // namespace

TEST_CASE("an answer goes to the request that waits for it, and nowhere twice") {
    world w;
    const auto one = w.post({"1", "2"}), two = w.post({"\"a\""});
    w.says(reply_to("a"));
    w.says(reply_to(2));
    CHECK(two->waiting.size() == 1);
    CHECK(two->missing.empty());
    CHECK(one->waiting.size() == 1);
    CHECK(one->missing == std::set<std::string>{"1"});
    w.says(reply_to(2));
    w.says(reply_to(9)); // nobody's
    CHECK(one->waiting.size() == 1);
    w.says(reply_to(1));
    CHECK(json::parse(one->take_all()).size() == 2);
    CHECK(json::parse(two->take_all()) == reply_to("a"));
}

TEST_CASE("progress follows its token, questions an answer that may be a stream, changes the session's own") {
    world w;
    const auto plain = w.post({"1"}, false), first = w.post({"2"}), second = w.post({"3"});
    second->tokens.insert("7");
    w.says(notice("notifications/progress", {{"progressToken", 7}, {"progress", 1}}));
    CHECK(second->waiting.size() == 1);
    w.says({{"jsonrpc", "2.0"}, {"id", "q"}, {"method", "elicitation/create"}});
    CHECK(first->waiting.size() == 1);
    const auto stream = w.answer({});
    REQUIRE(w.client.open_stream(stream));
    CHECK_FALSE(w.client.open_stream(w.answer({}))); // one at a time
    w.says(notice("notifications/tools/list_changed"));
    CHECK(stream->waiting.size() == 1);
    CHECK(plain->waiting.empty());
    w.client.closed(first);
    w.client.closed(second);
    w.says({{"jsonrpc", "2.0"}, {"id", "r"}, {"method", "roots/list"}});
    CHECK(stream->waiting.size() == 2);
}

TEST_CASE("what has no way out waits for the session's stream, and not without end") {
    world w;
    w.post({"1"}, false);
    for (int i = 0; i < 300; ++i)
        w.says(notice("notifications/message", {{"data", i}}));
    const auto stream = w.answer({});
    REQUIRE(w.client.open_stream(stream));
    CHECK(stream->waiting.size() == 256);
    CHECK(json::parse(stream->take())["params"]["data"] == 44); // the newest
}

TEST_CASE(
    "what nobody fetches is capped in bytes: of 256 notifications of 1 MiB a little is kept, the newest") {
    world w;
    for (int i = 0; i < 256; ++i) {
        w.says(notice("notifications/message", {{"data", std::string(300'000, 'x')}, {"n", i}}));
        REQUIRE(w.client.kept() <= era_client::most_kept);
    }
    w.says(notice("notifications/message", {{"data", std::string(era_client::most_kept + 1, 'x')}}));
    const auto stream = w.answer({});
    REQUIRE(w.client.open_stream(stream));
    REQUIRE(stream->waiting.size() == 3);
    CHECK(json::parse(stream->waiting.back())["params"]["n"] == 255);
    CHECK(w.client.kept() == 0);
}

TEST_CASE("a stream is asked for again after a floor, and ever later while nothing comes of it") {
    using namespace std::chrono_literals;
    reading_point at;
    CHECK(at.pause(0) == 1s);
    at.retry = 0ms;
    CHECK(at.pause(0) == 250ms);
    at.in_vain = 1;
    CHECK(at.pause(0) == 250ms);
    for (unsigned n = 2; n < 12; ++n) {
        const auto before = at.pause(0);
        at.in_vain = n;
        CHECK(at.pause(0) > before - 1ms);
    }
    CHECK(at.pause(0) == 5s);
    CHECK(at.pause(50) == 30s);
    at.in_vain = 100'000;
    CHECK(at.pause(100'000) == 30s);
    at = {};
    at.retry = 500ms;
    at.in_vain = 1;
    CHECK(at.pause(0) == 500ms); // as the server wishes
    at.retry = 60s;
    at.in_vain = 9;
    CHECK(at.pause(9) == 60s);
}

TEST_CASE("a client that does not read holds its bridge back, until it reads or goes") {
    world w;
    const auto open = w.post({"1"});
    const auto large = notice("notifications/message", {{"data", std::string(1 << 20, 'x')}});
    for (int i = 0; i < 5; ++i)
        w.says(large);
    CHECK(w.client.full());
    w.client.sent(open->take().size());
    w.client.sent(open->take().size());
    CHECK_FALSE(w.client.full());
    w.says(large);
    w.says(large);
    CHECK(w.client.full());
    w.client.closed(open);
    CHECK_FALSE(w.client.full());
    w.client.end();
    CHECK(w.client.over());
    w.says(reply_to(1));
    CHECK(open->missing.size() == 1); // it hears nothing any more
}
