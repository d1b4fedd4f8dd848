// The terms of each kind of message.
#include "policy/rules/wait_plan.hpp"

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

wait_course::wait_course(const wait_situation& s, bool streaming, time_point now)
    : heartbeat_(s.wait.heartbeat), streaming_(streaming) {
    if (s.kind == waiting_kind::stream && s.event_stream && !streaming)
        stream_at_ = now + s.wait.grace;
    if (s.kind != waiting_kind::stream && s.kind != waiting_kind::call)
        give_up_at_ = now + short_wait;
    if (streaming)
        beat_at_ = now;
}

void wait_course::approval(const wait_situation& s, time_point now) {
    heartbeat_ = s.wait.heartbeat;
    if (known_ && (s.kind != waiting_kind::handshake || s.attended == attended_))
        return;
    known_ = true;
    attended_ = s.attended;
    const auto plan = plan_wait(s);
    fail_at_once_ = plan.fail_at_once;
    if (plan.give_up_after)
        give_up_at_ = now + *plan.give_up_after;
    if (plan.stream_after && !streaming_)
        stream_at_ = now + *plan.stream_after;
    if (streaming_)
        beat_at_ = now;
}

wait_course::due wait_course::next(time_point now) {
    if (fail_at_once_)
        return due::fail_at_once;
    if (now >= give_up_at_)
        return due::give_up;
    if (now >= stream_at_) {
        stream_at_ = never;
        streaming_ = true;
        beat_at_ = now;
        return due::begin_stream;
    }
    if (now >= beat_at_) {
        beat_at_ = now + heartbeat_;
        return due::heartbeat;
    }
    return due::nothing;
}

wait_course::time_point wait_course::wake_at() const noexcept {
    return std::min({stream_at_, give_up_at_, beat_at_});
}

} // namespace reauth
