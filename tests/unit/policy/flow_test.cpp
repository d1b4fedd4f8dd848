// Flows are driven from outside, nested and ended.
#include "flow_script.hpp"

#include <memory>
#include <stdexcept>

using namespace reauth;
using namespace reauth::test;

namespace {

http_request get(std::string url) {
    http_request r;
    r.url = std::move(url);
    return r;
}

flow<int> status_of(std::string url) {
    fetch ask{get(std::move(url)), "test"};
    auto answer_ = co_await std::move(ask);
    if (!answer_)
        co_return -1;
    co_return static_cast<int>(answer_->status);
}

flow<int> sum_of(std::vector<std::string> urls) {
    int sum = 0;
    for (const auto& url : urls) {
        auto inner = status_of(url);
        const auto one = co_await inner;
        sum += one;
        reauth::pause rest{std::chrono::milliseconds(5)};
        co_await rest;
    }
    co_return sum;
}

flow<int> of_a_temporary(std::string url) {
    const auto status = co_await status_of(std::move(url));
    co_return status + 1;
}

flow<int> outer_of_outer(std::string url) {
    auto inner = of_a_temporary(std::move(url));
    co_return co_await inner;
}

flow<int> nothing_to_do() {
    co_return 7;
}

flow<int> throws_after_fetch() {
    auto inner = status_of("https://a/");
    co_await inner;
    throw std::runtime_error("a bug");
}

flow<int> catches_inner() {
    auto inner = throws_after_fetch();
    int got = 0;
    try {
        got = co_await inner;
    } catch (const std::runtime_error&) {
        got = -2;
    }
    co_return got;
}

flow<result<void>> ends_with_failure() {
    auto inner = status_of("https://a/");
    const auto status = co_await inner;
    if (status != 200) {
        failure f;
        f.message = "no";
        co_return f;
    }
    co_return result<void>();
}

flow<int> holds(std::shared_ptr<int> guard) {
    auto inner = status_of("https://a/");
    const auto one = co_await inner;
    co_return one + *guard;
}

} // namespace

TEST_CASE("a flow that needs nothing ends at its start") {
    auto f = nothing_to_do();
    f.start();
    REQUIRE(f.done());
    CHECK(f.value() == 7);
}

TEST_CASE("a flow is resumed with the answer to its fetch") {
    flow_script script;
    script.on("https://a/", 200, "").on("https://b/", 404, "");
    CHECK(script.run(status_of("https://a/")) == 200);
    CHECK(script.requests.size() == 1);
    CHECK(script.purposes.front() == "test");
}

TEST_CASE("nested flows share the driver and keep their order") {
    flow_script script;
    script.on("https://a/", 200, "").on("https://b/", 404, "");
    CHECK(script.run(sum_of({"https://a/", "https://b/", "https://a/"})) == 804);
    CHECK(script.urls() == std::vector<std::string>{"https://a/", "https://b/", "https://a/"});
    CHECK(script.pauses.size() == 3);
}

TEST_CASE("a temporary flow may be awaited, and flows nest deeply") {
    flow_script script;
    script.on("https://a/", 200, "");
    CHECK(script.run(of_a_temporary("https://a/")) == 201);
    CHECK(script.run(outer_of_outer("https://a/")) == 201);
}

TEST_CASE("a flow is told why there is no answer") {
    flow_script script;
    script.on("https://a/", no_answer());
    CHECK(script.run(status_of("https://a/")) == -1);
}

TEST_CASE("an exception leaves through value()") {
    flow_script script;
    CHECK_THROWS_AS(script.run(throws_after_fetch()), std::runtime_error);
}

TEST_CASE("an exception of an inner flow reaches the outer one") {
    flow_script script;
    CHECK(script.run(catches_inner()) == -2);
}

TEST_CASE("a flow may end with a failure") {
    flow_script script;
    script.on("https://a/", 500, "");
    const auto outcome = script.run(ends_with_failure());
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().message == "no");
    flow_script good;
    good.on("https://a/", 200, "");
    CHECK(good.run(ends_with_failure()).has_value());
}

TEST_CASE("a flow may be moved between its steps") {
    auto f = sum_of({"https://a/"});
    f.start();
    auto moved = std::move(f);
    REQUIRE(std::holds_alternative<fetch>(moved.wanted()));
    moved.resume(answer(200, ""));
    REQUIRE(std::holds_alternative<reauth::pause>(moved.wanted()));
    moved.resume();
    REQUIRE(moved.done());
    CHECK(moved.value() == 200);
}

TEST_CASE("an abandoned flow frees what it and its inner flows hold") {
    auto guard = std::make_shared<int>(1);
    {
        auto f = holds(guard);
        CHECK(guard.use_count() == 2);
        f.start();
        CHECK_FALSE(f.done());
    }
    CHECK(guard.use_count() == 1);
    {
        auto never_started = holds(guard);
    }
    CHECK(guard.use_count() == 1);
}
