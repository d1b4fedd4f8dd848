// How each kind of message experiences the wait for a person.
#include "policy/wait_plan.hpp"

#include <catch2/catch.hpp>

using namespace reauth;
using namespace std::chrono_literals;

namespace {

wait_situation of(waiting_kind kind, wait_mode mode = wait_mode::automatic) {
    wait_situation s;
    s.kind = kind;
    s.wait.mode = mode;
    return s;
}

} // namespace

TEST_CASE("a handshake is held for what every client bears, counted from the request's beginning") {
    auto s = of(waiting_kind::handshake);
    CHECK(plan_wait(s).give_up_after == 4s);
    CHECK_FALSE(plan_wait(s).stream_after);
    CHECK_FALSE(plan_wait(s).fail_at_once);
    s.held_for = 3s; // discovery took that long
    CHECK(plan_wait(s).give_up_after == 1s);
    s.held_for = 9s;
    CHECK(plan_wait(s).give_up_after == 0s);
}

TEST_CASE("initialize is held longer where somebody looks at the approval; server/discover never is") {
    auto s = of(waiting_kind::handshake);
    s.held_for = 2s;
    s.attended = true;
    CHECK(plan_wait(s).give_up_after == 18s);
    s.probe = true;
    CHECK(plan_wait(s).give_up_after == 2s);
}

TEST_CASE("a time-out in the rule is what the operator knows: it holds for a handshake too, up to 50 s") {
    auto s = of(waiting_kind::handshake);
    s.wait.timeout = 30s;
    CHECK(plan_wait(s).give_up_after == 30s);
    s.wait.timeout = 10min;
    CHECK(plan_wait(s).give_up_after == 50s);
}

TEST_CASE("a call streams where it may, and waits longer where progress keeps its client patient") {
    auto s = of(waiting_kind::call);
    s.event_stream = true;
    CHECK(plan_wait(s).stream_after == 2s);
    CHECK(plan_wait(s).give_up_after == 50s);
    s.progress_token = true;
    CHECK(plan_wait(s).give_up_after == 5min);
    s.event_stream = false;
    CHECK_FALSE(plan_wait(s).stream_after);
}

TEST_CASE("hold streams nothing, fail answers at once, elicit too where the client can") {
    auto s = of(waiting_kind::call, wait_mode::hold);
    s.event_stream = s.elicits = true;
    CHECK_FALSE(plan_wait(s).stream_after);
    CHECK_FALSE(plan_wait(s).fail_at_once);
    s.wait.mode = wait_mode::fail;
    CHECK(plan_wait(s).fail_at_once);
    s.wait.mode = wait_mode::elicit;
    CHECK(plan_wait(s).fail_at_once);
    s.elicits = false;
    CHECK_FALSE(plan_wait(s).fail_at_once);
    CHECK(plan_wait(s).stream_after == 2s);
}

TEST_CASE("a stream waits without limit, a notification up to 50 s") {
    CHECK_FALSE(plan_wait(of(waiting_kind::stream)).give_up_after);
    auto s = of(waiting_kind::posted);
    s.wait.timeout = 5min;
    CHECK(plan_wait(s).give_up_after == 50s);
    CHECK_FALSE(plan_wait(of(waiting_kind::posted, wait_mode::fail)).fail_at_once);
}
