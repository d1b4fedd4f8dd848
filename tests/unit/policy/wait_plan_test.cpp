// How each kind of message experiences the wait for a person.
#include "policy/rules/wait_plan.hpp"

#include "tests/support/catch.hpp"

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

namespace {

using due = wait_course::due;
constexpr wait_course::time_point start{std::chrono::hours(1)};

wait_situation call_that_may_stream() {
    auto s = of(waiting_kind::call);
    s.event_stream = s.progress_token = true;
    return s;
}

} // namespace

TEST_CASE("a call that waits for silent work is neither given up nor streamed to") {
    wait_course w(call_that_may_stream(), false, start);
    CHECK(w.wake_at() == wait_course::time_point::max());
    CHECK(w.next(start + 24h) == due::nothing);
}

TEST_CASE("anything but a call is given up after 50 s of silent work") {
    wait_course w(of(waiting_kind::posted), false, start);
    CHECK(w.wake_at() == start + 50s);
    CHECK(w.next(start + 49s) == due::nothing);
    CHECK(w.next(start + 50s) == due::give_up);
}

TEST_CASE("a GET gets its stream after the grace, then a beat at once and every ten seconds") {
    auto s = of(waiting_kind::stream);
    s.event_stream = true;
    wait_course w(s, false, start);
    CHECK(w.next(start + 1s) == due::nothing);
    CHECK(w.next(start + 2s) == due::begin_stream);
    CHECK(w.next(start + 2s) == due::heartbeat);
    CHECK(w.next(start + 2s) == due::nothing);
    CHECK(w.wake_at() == start + 12s);
    CHECK(w.next(start + 12s) == due::heartbeat);
}

TEST_CASE("a GET of HTTP/1.0 is begun no stream") {
    wait_course w(of(waiting_kind::stream), false, start);
    CHECK(w.wake_at() == wait_course::time_point::max());
}

TEST_CASE("from an approval on a call streams after the grace and ends after its time-out") {
    wait_course w(call_that_may_stream(), false, start);
    w.approval(call_that_may_stream(), start + 1s);
    CHECK(w.approval_known());
    CHECK(w.next(start + 1s) == due::nothing);
    CHECK(w.next(start + 3s) == due::begin_stream);
    CHECK(w.next(start + 3s) == due::heartbeat);
    CHECK(w.next(start + 1s + 5min) == due::give_up);
}

TEST_CASE("an approval that is told again begins no new time-out for a call") {
    wait_course w(call_that_may_stream(), false, start);
    w.approval(call_that_may_stream(), start);
    auto seen = call_that_may_stream();
    seen.attended = true;
    w.approval(seen, start + 4min);
    CHECK(w.next(start + 5min) == due::give_up);
}

TEST_CASE("a handshake waits longer once somebody looks") {
    auto s = of(waiting_kind::handshake);
    wait_course w(s, false, start);
    w.approval(s, start);
    CHECK(w.wake_at() == start + 4s);
    s.attended = true;
    s.held_for = 3s;
    w.approval(s, start + 3s);
    CHECK(w.next(start + 4s) == due::nothing);
    CHECK(w.next(start + 20s) == due::give_up);
}

TEST_CASE("where the rule says fail the client is told at once, and before that nothing of it") {
    auto s = of(waiting_kind::call, wait_mode::fail);
    wait_course w(s, false, start);
    CHECK_FALSE(w.fails_at_once());
    w.approval(s, start);
    CHECK(w.next(start) == due::fail_at_once);
}

TEST_CASE("a request that streams since an earlier wait gets a beat at once, and no second head") {
    auto s = call_that_may_stream();
    wait_course w(s, true, start);
    CHECK(w.next(start) == due::heartbeat);
    w.approval(s, start + 1s);
    CHECK(w.next(start + 1s) == due::heartbeat);
    CHECK(w.next(start + 4s) == due::nothing);
}
