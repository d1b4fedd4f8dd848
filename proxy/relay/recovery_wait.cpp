// The loop of a held request.
#include "proxy/relay/recovery_wait.hpp"

#include "core/mcp/sse.hpp"

#include <algorithm>

namespace reauth {

recovery_wait::recovery_wait(downstream& down, client_answer& answer, const client_message& message,
                             const request_head& head, const request_target& where,
                             std::shared_ptr<pending_recovery> held, steady_clock::time_point request_began,
                             wait_news& news)
    : down_(down), answer_(answer), message_(message), head_(head), held_(std::move(held)),
      request_began_(request_began), news_(news), most_waiters_(where.settings().limits.waiters),
      credential_(where.credential()), course_(situation(), answer.streaming(), steady_clock::now()),
      wake_(
          down.home().loop.deadlines, [](void* waker) { static_cast<wakeup*>(waker)->notify(); },
          &down.waker()) {}

wait_situation recovery_wait::situation() const {
    wait_situation s;
    s.kind = message_.kind();
    s.wait = held_->waits_for.wait;
    s.progress_token = message_.has_progress_token();
    s.elicits = message_.elicits();
    s.probe = message_.probes();
    s.event_stream = accepts_event_stream(head_) && head_.minor_version != 0;
    s.attended = held_->attended;
    s.held_for = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - request_began_);
    return s;
}

/// What control has posted since the last look.
void recovery_wait::take_news() {
    if (held_->approval_link.empty())
        return;
    course_.approval(situation(), steady_clock::now());
    // one answer may lead to another question: a login, then what was to be confirmed
    news_.approval_link = held_->approval_link;
    news_.approval_id = held_->approval_id;
    news_.required_scopes = held_->waits_for.required_scopes;
    news_.reason = held_->waits_for.reason;
    news_.fail_at_once = course_.fails_at_once();
}

failure recovery_wait::ended_by(wait_course::due what) const {
    const auto& link = news_.approval_link;
    if (what == wait_course::due::fail_at_once)
        return failure::passing(fault::approval_required, "a person has to approve this first: open " + link,
                                "then try again");
    if (!course_.approval_known())
        return failure::passing(fault::reauth_failed, "the recovery of the credential takes too long",
                                "try again");
    const auto& trouble = held_->waits_for.trouble;
    const std::string fix = "then try again: the approval stays open";
    if (!trouble.empty())
        return failure::passing(
            fault::authorization_server_unavailable,
            "the sign-in could not be begun: " + trouble + "; approve once more: open " + link, fix);
    return failure::passing(fault::approval_timeout, "nobody has approved this yet: open " + link, fix);
}

std::string recovery_wait::heartbeat() {
    auto text = sse_comment("mcp-reauth is waiting for a credential");
    const auto& messages = message_.messages();
    if (course_.approval_known() && !message_.batch() && !messages.empty() &&
        !messages[0].progress_token.empty())
        text += sse_event(make_progress(messages[0].progress_token, ++news_.progress,
                                        "Waiting for approval: " + news_.approval_link));
    return text;
}

void recovery_wait::enter() {
    auto& shared = down_.home().shared;
    for (const auto& m : message_.messages())
        if (m.is_request())
            keys_.push_back(cancellation_key(credential_, head_, down_.peer(), m.id));
    for (const auto& key : keys_)
        shared.held.add(key, held_);
    down_.home().counters.waited.fetch_add(1, std::memory_order_relaxed);
    down_.home().recovery.ask(held_);
    if (down_.memory())
        down_.memory()->hold();
}

void recovery_wait::leave() {
    auto& shared = down_.home().shared;
    wake_.clear();
    held_->abandon();
    for (const auto& key : keys_)
        shared.held.remove(key, held_.get());
    shared.waiters.fetch_sub(1, std::memory_order_relaxed);
    if (!held_->verdict)
        down_.home().recovery.abandon(held_);
}

loop_task<result<std::optional<recovery_verdict>>> recovery_wait::run() {
    using due = wait_course::due;
    auto& waiters = down_.home().shared.waiters;
    if (waiters.fetch_add(1, std::memory_order_relaxed) >= most_waiters_) {
        waiters.fetch_sub(1, std::memory_order_relaxed);
        held_->abandon();
        co_return failure::passing(fault::overloaded, "too many requests wait for a credential",
                                   "raise limits.waiters, or try again");
    }
    enter();
    std::optional<failure> early;
    while (!held_->verdict && !down_.gone() && !early) {
        wake_.set(course_.wake_at());
        co_await down_.waker().wait();
        if (held_->verdict || down_.gone())
            break;
        take_news();
        for (auto what = course_.next(steady_clock::now()); what != due::nothing && !down_.gone() && !early;
             what = course_.next(steady_clock::now())) {
            if (what == due::begin_stream)
                co_await answer_.begin_stream();
            else if (what == due::heartbeat)
                co_await answer_.write_events(heartbeat());
            else
                early = ended_by(what);
        }
    }
    leave();
    if (!held_->recovery.empty())
        news_.recovery = held_->recovery;
    if (held_->verdict && !held_->verdict->recovery.empty())
        news_.recovery = held_->verdict->recovery;
    if (early && !down_.gone())
        co_return *early;
    if (down_.gone() || !held_->verdict)
        co_return std::optional<recovery_verdict>();
    co_return held_->verdict;
}

} // namespace reauth
