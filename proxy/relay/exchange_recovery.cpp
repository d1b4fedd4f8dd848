// Phases 6 to 9 as the request lives them: it is held while its credential is recovered, and replayed.
#include "core/http_field.hpp"

#include "core/ascii.hpp"
#include "core/sse.hpp"
#include "proxy/net/channel_io.hpp"
#include "proxy/relay/exchange.hpp"
#include "proxy/relay/local_answer.hpp"

namespace reauth {
namespace {

constexpr auto never = steady_clock::time_point::max();

} // namespace

recovery_ask exchange::make_ask() {
    parse_messages();
    recovery_ask ask;
    ask.where = where_;
    auto& what = ask.what;
    what.in_session = s_.memory->head.find(field_id::mcp_session_id) != nullptr;
    what.challenge = challenge_;
    what.sent_generation = credential_ ? credential_->generation() : 0;
    what.first_generation = first_generation_;
    for (const auto& m : messages_.messages)
        if (!m.method.empty())
            what.operations.push_back({m.method, m.tool});
    what.client_name = client_name();
    what.arguments = first_arguments();
    what.person =
        class_ != waiting_kind::stream || old_stream_client() ? person_use::may_ask : person_use::only_waits;
    return ask;
}

/// A 2024-11-05 client's first request is a GET without version and session: only it may ask a person.
bool exchange::old_stream_client() const {
    const auto& head = s_.memory->head;
    return !head.find(field_id::mcp_protocol_version) && !head.find(field_id::mcp_session_id) &&
           !head.find(field_id::last_event_id);
}

bool exchange::event_stream_accepted() const {
    bool accepted = false;
    for (const auto& f : s_.memory->head)
        if (f.id == field_id::accept)
            for_each_list_item(f.value, [&](std::string_view item) {
                accepted = accepted || iequals(item.substr(0, 17), "text/event-stream");
            });
    return accepted;
}

/// A GET without session and credential: clients fall back to it after an error and would hang. It is held
/// only where the server is known to speak nothing newer than 2024-11-05, for which it is the first request.
bool exchange::owed_nothing() const {
    return class_ == waiting_kind::stream && !credential_ && !streaming_ &&
           !s_.memory->head.find(field_id::mcp_session_id) &&
           !w_.limits.old_servers.is_old(where_.to->origin + where_.to->base_path);
}

/// Phase 6 to 9. True: send again with what attach() finds. False: answered, or nobody is left.
task<bool> exchange::recover() {
    w_.counters.challenges.fetch_add(1, std::memory_order_relaxed);
    if (attempts_++ >= where_.settings().limits.attempts) {
        why_ = failure::permanent(fault::reauth_failed,
                                  "upstream " + where_.upstream().name + " refused the request " +
                                      std::to_string(attempts_) + " times, each time with a new credential",
                                  "see `mcp-reauth doctor " + where_.upstream().name + "`");
        co_await fail(why_);
        co_return false;
    }
    auto ask = make_ask();
    if (owed_nothing()) {
        no_stream_ = true;
        why_ = failure::passing(fault::approval_required,
                                "upstream " + where_.upstream().name +
                                    " wants a sign-in before it has a stream to give",
                                "send `initialize` by POST: its answer says how to sign in");
        co_await fail(why_);
        co_return false;
    }
    auto held = std::make_shared<held_request>(w_.context.get_executor(), s_.waker, std::move(ask));
    if (!replayable() || !body_read_) {
        // too late for this request; the next one finds a new credential
        held->abandon();
        w_.recovery.ask(held);
        why_ = failure::passing(
            fault::request_not_replayable,
            "the upstream wants a new credential, and this request is larger than limits.replay_body "
            "allows to replay",
            "send it again: the credential is being renewed");
        co_await fail(why_);
        co_return false;
    }
    co_return co_await wait_for_verdict(held);
}

/// When an approval is known to wait, and when somebody begins to look at it: how this request experiences
/// it.
void exchange::follow_plan(const held_request& held) {
    approval_seen_ = true;
    attended_ = held.attended;
    approval_link_ = held.approval_link;
    approval_id_ = held.approval_id;
    const auto now = steady_clock::now();
    wait_situation s;
    s.kind = class_;
    s.wait = held.waits_for.wait;
    for (const auto& m : messages_.messages) {
        s.progress_token = s.progress_token || !m.progress_token.empty();
        s.elicits = s.elicits || m.url_elicitation;
        s.probe = s.probe || m.method == "server/discover";
    }
    s.event_stream = event_stream_accepted() && !old_client_;
    s.attended = attended_;
    s.held_for = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
    const auto plan = plan_wait(s);
    fail_at_once_ = plan.fail_at_once;
    if (plan.give_up_after)
        give_up_at_ = now + *plan.give_up_after;
    if (plan.stream_after && !streaming_)
        stream_at_ = now + *plan.stream_after;
    if (streaming_)
        beat_at_ = now;
}

/// Does what is due. False: the request has been answered, or the client is gone.
task<bool> exchange::keep_waiting(held_request& held) {
    auto now = steady_clock::now();
    if (!held.approval_link.empty() &&
        (!approval_seen_ || (held.attended && !attended_ && class_ == waiting_kind::handshake)))
        follow_plan(held);
    if (held.approval_id != approval_id_) {
        // one answer led to another question: a login, then what was to be confirmed
        approval_link_ = held.approval_link;
        approval_id_ = held.approval_id;
    }
    if (approval_seen_) {
        required_scopes_ = held.waits_for.required_scopes;
        reason_ = held.waits_for.reason;
    }
    if (approval_seen_ && fail_at_once_) {
        why_ =
            failure::passing(fault::approval_required,
                             "a person has to approve this first: open " + approval_link_, "then try again");
        co_await fail(why_);
        co_return false;
    }
    if (now >= give_up_at_) {
        const auto& trouble = held.waits_for.trouble;
        if (approval_seen_ && !trouble.empty())
            why_ = failure::passing(fault::authorization_server_unavailable,
                                    "the sign-in could not be begun: " + trouble +
                                        "; approve once more: open " + approval_link_,
                                    "then try again: the approval stays open");
        else if (approval_seen_)
            why_ = failure::passing(fault::approval_timeout,
                                    "nobody has approved this yet: open " + approval_link_,
                                    "then try again: the approval stays open");
        else
            why_ = failure::passing(fault::reauth_failed, "the recovery of the credential takes too long",
                                    "try again");
        co_await fail(why_);
        co_return false;
    }
    if (now >= stream_at_) {
        stream_at_ = never;
        auto begun = co_await begin_stream();
        if (!begun)
            co_return false;
        beat_at_ = now;
    }
    if (now >= beat_at_ && streaming_) {
        beat_at_ = now + held.waits_for.wait.heartbeat;
        std::string text = sse_comment("mcp-reauth is waiting for a credential");
        if (approval_seen_ && !messages_.batch && !messages_.messages.empty() &&
            !messages_.messages[0].progress_token.empty())
            text += sse_event(make_progress(messages_.messages[0].progress_token, ++progress_,
                                            "Waiting for approval: " + approval_link_));
        auto written = co_await stream_write(std::move(text));
        if (!written)
            co_return false;
    }
    co_return true;
}

/// Waits for the recovery. True: attach and send again.
task<bool> exchange::wait_for_verdict(std::shared_ptr<held_request> held) {
    const auto& limits = where_.settings().limits;
    if (w_.limits.waiters.fetch_add(1, std::memory_order_relaxed) >= limits.waiters) {
        w_.limits.waiters.fetch_sub(1, std::memory_order_relaxed);
        held->abandon();
        why_ = failure::passing(fault::overloaded, "too many requests wait for a credential",
                                "raise limits.waiters, or try again");
        co_await fail(why_);
        co_return false;
    }
    w_.counters.waited.fetch_add(1, std::memory_order_relaxed);
    auto now = steady_clock::now();
    stream_at_ = class_ == waiting_kind::stream && !old_client_ && !streaming_
                     ? now + held->waits_for.wait.grace
                     : never;
    give_up_at_ = class_ == waiting_kind::stream ? never
                  : class_ == waiting_kind::call ? never
                                                 : now + short_wait;
    beat_at_ = streaming_ ? now : never;
    approval_seen_ = attended_ = false;
    std::vector<std::string> keys;
    for (const auto& m : messages_.messages)
        if (m.is_request())
            keys.push_back(held_key(m.id));
    for (const auto& key : keys)
        w_.limits.held.add(key, held);
    if (body_read_)
        s_.watch_client();
    w_.recovery.ask(held);
    if (s_.memory)
        s_.memory->hold();
    bool answered = false;
    while (!held->verdict && !s_.gone && !answered) {
        auto next = std::min({stream_at_, give_up_at_, beat_at_});
        wake_.set(next);
        co_await s_.waker.wait();
        if (held->verdict || s_.gone)
            break;
        auto going_on = co_await keep_waiting(*held);
        answered = !going_on;
    }
    wake_.clear();
    if (s_.memory)
        s_.memory->resume();
    held->abandon();
    for (const auto& key : keys)
        w_.limits.held.remove(key, held.get());
    w_.limits.waiters.fetch_sub(1, std::memory_order_relaxed);
    if (!held->verdict)
        w_.recovery.abandon(held);
    if (answered || s_.gone)
        co_return false;
    const auto& verdict = *held->verdict;
    if (verdict.is == recovery_verdict::kind::replay) {
        fresh_only_ = fresh_only_ || verdict.person_waited;
        identity_only_ = streaming_;
        w_.counters.replays.fetch_add(1, std::memory_order_relaxed);
        co_return true;
    }
    if (verdict.is == recovery_verdict::kind::relay) {
        why_ = verdict.why;
        co_return co_await pass_to_client();
    }
    reason_ = verdict.reason;
    required_scopes_ = verdict.required_scopes;
    why_ = verdict.why;
    co_await fail(why_);
    co_return false;
}

/// A rule leaves this challenge to the client. One with a token of its own is heard with that token, and
/// whatever comes back is relayed; one without gets the challenge. True: send again.
task<bool> exchange::pass_to_client() {
    if (s_.memory->head.find(field_id::authorization)) {
        pass_ = true;
        co_return true;
    }
    if (streaming_) { // a stream that has begun can't carry a challenge
        co_await fail(why_);
        co_return false;
    }
    log_outcome(why_);
    auto& out = s_.memory->out;
    out.clear();
    client_keeps_ = client_keeps_ && body_read_;
    append_challenge(out, challenge_status_, challenge_lines_,
                     make_http_error(rpc_code_reauth, why_.describe(), error_data(why_)), !client_keeps_,
                     is_head_);
    write_job job{out, {}};
    auto written = co_await write_rest(s_.client, job);
    client_keeps_ = client_keeps_ && written;
    if (body_read_)
        s_.memory->in.consume(std::exchange(consumed_, 0));
    co_return false;
}

/// Our own 200 SSE head: the client's time-out machinery now sees a living answer.
task<bool> exchange::begin_stream() {
    static constexpr std::string_view head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        "X-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n";
    streaming_ = true;
    write_job job{head, {}};
    auto written = co_await write_rest(s_.client, job);
    if (!written)
        s_.gone = true;
    co_return written;
}

/// One chunk; empty text writes nothing (it would end the answer).
task<bool> exchange::stream_write(std::string text) {
    if (text.empty())
        co_return true;
    static constexpr char digits[] = "0123456789abcdef";
    std::string framed;
    for (std::size_t n = text.size(); n > 0; n /= 16)
        framed.insert(framed.begin(), digits[n % 16]);
    framed += "\r\n";
    framed += text;
    framed += "\r\n";
    write_job job{framed, {}};
    auto written = co_await write_rest(s_.client, job);
    if (!written)
        s_.gone = true;
    co_return written;
}

} // namespace reauth
