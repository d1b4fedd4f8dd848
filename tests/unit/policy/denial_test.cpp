// The memories that stop loops.
#include "policy/rules/denial.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using namespace std::chrono_literals;

namespace {
const time_point start = time_point(std::chrono::seconds(1'800'000'000));

final_answer final_words(const char* words) {
    return {failure::permanent(fault::reauth_failed, words), challenge_reason::invalid_token};
}
} // namespace

TEST_CASE("a final answer is remembered for a minute, for its operation and scopes only") {
    final_memory memory;
    const final_key key{"local", "gh", "tools/call delete", "admin"};
    memory.remember(key, final_words("did not help"), start);
    REQUIRE(memory.find(key, start + 59s));
    CHECK(memory.find(key, start + 59s)->why.message == "did not help");
    CHECK(memory.find(key, start + 59s)->why.code == fault::reauth_failed);
    CHECK(memory.find(key, start + 59s)->reason == challenge_reason::invalid_token);
    CHECK_FALSE(memory.find(key, start + 60s));
    for (const auto& other : {final_key{"ada", "gh", "tools/call delete", "admin"},
                              final_key{"local", "x", "tools/call delete", "admin"},
                              final_key{"local", "gh", "tools/call read", "admin"},
                              final_key{"local", "gh", "tools/call delete", "w"}})
        CHECK_FALSE(memory.find(other, start));
}

TEST_CASE("a new login forgets the final answers of its upstream") {
    final_memory memory;
    memory.remember({"local", "gh", "a", ""}, final_words("x"), start);
    memory.remember({"local", "acme", "a", ""}, final_words("x"), start);
    memory.remember({"ada", "gh", "a", ""}, final_words("x"), start);
    memory.forget("local", "gh");
    CHECK(memory.size() == 2);
    CHECK_FALSE(memory.find({"local", "gh", "a", ""}, start));
}

TEST_CASE("an upstream that invents scopes cannot fill the memory") {
    final_memory memory;
    for (std::size_t i = 0; i < final_memory::capacity + 10; ++i)
        memory.remember({"local", "gh", "a", std::to_string(i)}, final_words("x"),
                        start + std::chrono::milliseconds(i));
    CHECK(memory.size() == final_memory::capacity);
    CHECK_FALSE(memory.find({"local", "gh", "a", "0"}, start));
    CHECK(memory.find({"local", "gh", "a", "1033"}, start));
    memory.remember({"local", "gh", "a", "1033"}, final_words("again"), start + 2s);
    CHECK(memory.size() == final_memory::capacity);
    memory.remember({"local", "gh", "a", "new"}, final_words("x"), start + 120s);
    CHECK(memory.size() == 1);
}

TEST_CASE("after one denial the next request may ask again") {
    denial_backoff d;
    CHECK_FALSE(d.quiet_until(start));
    CHECK_FALSE(d.denied_recently(start));
    d.denied(start);
    CHECK_FALSE(d.quiet_until(start));
    CHECK(d.denied_recently(start + 59s));
    CHECK_FALSE(d.denied_recently(start + 60s));
}

TEST_CASE("from the second denial in a row it asks less and less often") {
    denial_backoff d;
    d.denied(start);
    d.denied(start);
    CHECK(d.quiet_until(start) == start + 30s);
    CHECK_FALSE(d.quiet_until(start + 30s));
    d.denied(start);
    CHECK(d.quiet_until(start) == start + 60s);
    d.denied(start);
    CHECK(d.quiet_until(start) == start + 120s);
    for (int i = 0; i < 100; ++i)
        d.denied(start);
    CHECK(d.quiet_until(start) == start + 1h);
    CHECK(d.in_a_row() == 104);
}

TEST_CASE("an approval forgives all denials") {
    denial_backoff d;
    d.denied(start);
    d.denied(start);
    d.approved();
    CHECK_FALSE(d.quiet_until(start));
    CHECK_FALSE(d.denied_recently(start));
    d.denied(start);
    CHECK_FALSE(d.quiet_until(start));
}

TEST_CASE("attempts run out") {
    attempt_counter attempts(2);
    CHECK(attempts.left() == 2);
    CHECK(attempts.take());
    CHECK(attempts.take());
    CHECK_FALSE(attempts.take());
    CHECK(attempts.left() == 0);
    CHECK(attempts.used() == 2);
    CHECK(attempt_counter().left() == 3);
}
