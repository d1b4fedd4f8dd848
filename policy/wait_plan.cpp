// The terms of each kind of message.
#include "policy/wait_plan.hpp"

#include <algorithm>

namespace reauth {
namespace {

using std::chrono::milliseconds;

/// A time-out in the rule is what the operator knows of these clients.
milliseconds handshake_left(const wait_situation& s) {
    if (s.wait.timeout)
        return std::min<milliseconds>(*s.wait.timeout, short_wait);
    const milliseconds bears = !s.probe && s.attended ? attended_handshake_wait : handshake_wait;
    return std::max(bears - s.held_for, milliseconds(0));
}

} // namespace

wait_plan plan_wait(const wait_situation& s) {
    wait_plan plan;
    const auto mode = s.wait.mode;
    const milliseconds timeout =
        s.wait.timeout.value_or(s.progress_token ? milliseconds(long_wait) : short_wait);
    switch (s.kind) {
    case waiting_kind::stream:
        break;
    case waiting_kind::posted:
    case waiting_kind::other:
        plan.give_up_after = std::min<milliseconds>(timeout, short_wait);
        break;
    case waiting_kind::handshake:
        plan.give_up_after = handshake_left(s);
        plan.fail_at_once = mode == wait_mode::fail;
        break;
    case waiting_kind::call:
        plan.give_up_after = timeout;
        plan.fail_at_once = mode == wait_mode::fail || (mode == wait_mode::elicit && s.elicits);
        if (mode != wait_mode::hold && mode != wait_mode::fail && s.event_stream)
            plan.stream_after = s.wait.grace;
        break;
    }
    return plan;
}

} // namespace reauth
