// Phases 6 to 9 as the request lives them: it is held while its credential is recovered, and replayed.
#include "proxy/relay/exchange.hpp"

#include "core/http/trace_context.hpp"
#include "proxy/relay/local_answer.hpp"

namespace reauth {

/// As it calls itself: in this message, or where its session began.
std::string exchange::client_name() const {
    auto name = message_.client_name();
    if (name.empty())
        name = w_.shared.clients.find(where_.credential(), head().value(field_id::mcp_session_id));
    return name;
}

/// What the caller has shown, for whoever acts as it; null: nothing that could be exchanged, or nobody does.
std::shared_ptr<const caller_token> exchange::token_of_caller() const {
    if (who_.proof != caller_proof::jwt || !where_.upstream().acts_as_caller())
        return nullptr;
    return std::make_shared<const caller_token>(
        caller_token{secret(std::string(bearer_of(head()))), who_.id_token, who_.expires_at});
}

recovery_ask exchange::make_ask() {
    read_message();
    recovery_ask ask;
    ask.where = where_;
    ask.token = token_of_caller();
    auto& what = ask.what;
    what.groups = who_.groups;
    what.in_session = head().find(field_id::mcp_session_id) != nullptr;
    what.challenge = heard_.challenge;
    what.sent_generation = credential_ ? credential_->generation() : 0;
    what.first_generation = first_generation_;
    what.had_worked = credential_ && credential_->worked.load(std::memory_order_relaxed);
    what.operations = message_.operations();
    what.client_name = client_name();
    what.arguments = message_.first_arguments(body_);
    ask.trace = watch_ && watch_->span ? watch_->span->context.text() : traceparent_of(head());
    // of GETs only a 2024-11-05 client's first request may ask a person
    what.person = message_.kind() != waiting_kind::stream || from_old_stream_client(head())
                      ? person_use::may_ask
                      : person_use::only_waits;
    return ask;
}

/// A GET without session and credential: clients fall back to it after an error and would hang. It is held
/// only where the server is known to speak nothing newer than 2024-11-05, for which it is the first request.
bool exchange::owed_nothing() const {
    return message_.kind() == waiting_kind::stream && !credential_ && !answer_.streaming() &&
           !head().find(field_id::mcp_session_id) &&
           !w_.shared.old_servers.is_old(where_.to->origin + where_.to->base_path);
}

std::shared_ptr<pending_recovery> exchange::hold(recovery_ask ask) {
    return std::make_shared<pending_recovery>(w_.loop, down_.waker(), std::move(ask));
}

/// What the vault holds for the caller comes into force, before anything is sent.
loop_task<result<exchange::outcome>> exchange::load_first() {
    recovery_ask ask;
    ask.where = where_;
    ask.only_load = true;
    read_message();
    auto loaded = co_await wait(hold(std::move(ask)));
    if (loaded && *loaded == outcome::resend)
        w_.credential(where_.credential()).loaded = true;
    co_return loaded;
}

/// The credential has expired for sure: renewed before it is sent.
loop_task<result<exchange::outcome>> exchange::recover_ahead() {
    renewed_ahead_ = credential_->generation();
    auto ask = make_ask();
    ask.what.notice_only = true;
    ask.what.challenge = {};
    ask.what.challenge.kind = challenge_kind::token_expired;
    return wait(hold(std::move(ask)));
}

/// Why the challenge that was heard is answered at once; nothing: the request is held.
std::optional<failure> exchange::why_not_held(recovery_ask& ask) {
    const auto& upstream = where_.upstream().name;
    if (attempts_++ >= where_.settings().limits.attempts)
        return failure::permanent(fault::reauth_failed,
                                  "upstream " + upstream + " refused the request " +
                                      std::to_string(attempts_) + " times, each time with a new credential",
                                  "see `mcp-reauth doctor " + upstream + "`");
    if (owed_nothing()) {
        no_stream_ = true;
        return failure::passing(fault::approval_required,
                                "upstream " + upstream + " wants a sign-in before it has a stream to give",
                                "send `initialize` by POST: its answer says how to sign in");
    }
    if (replayable())
        return {};
    // too late for this request; the next one finds a new credential
    auto held = hold(std::move(ask));
    held->abandon();
    w_.recovery.ask(held);
    return failure::passing(fault::request_not_replayable,
                            "the upstream wants a new credential, and this request is larger than "
                            "limits.replay_body allows to replay",
                            "send it again: the credential is being renewed");
}

/// What the challenge that was heard is held for; a failure: it is not.
result<std::shared_ptr<pending_recovery>> exchange::hold_for_challenge() {
    w_.counters.challenges.fetch_add(1, std::memory_order_relaxed);
    auto ask = make_ask();
    if (heard_.is_page) {
        ask.what.notice_only = true;
        ask.what.person = person_use::never;
    }
    if (auto why = why_not_held(ask))
        return std::move(*why);
    return hold(std::move(ask));
}

loop_task<result<exchange::outcome>> exchange::recover() {
    auto held = hold_for_challenge();
    if (!held)
        co_return held.error();
    auto renewed = co_await wait(std::move(*held));
    if (!renewed && heard_.is_page && renewed.error().code == fault::reauth_failed)
        co_return redirect_failure();
    co_return renewed;
}

/// Holds the request until the recovery is over: it is sent again, or answered. The frames of this path live
/// as long as a person takes: what they need only before the wait is left in functions that return.
loop_task<result<exchange::outcome>> exchange::wait(std::shared_ptr<pending_recovery> held) {
    if (body_.read())
        down_.watch();
    recovery_wait waiting(down_, answer_, message_, head(), where_, std::move(held), began_, news_);
    const auto since = watch_ ? request_watch::clock::now() : request_watch::clock::time_point();
    auto ended = co_await waiting.run();
    if (watch_)
        watch_->waited += request_watch::clock::now() - since;
    if (!ended)
        co_return ended.error();
    if (!*ended)
        co_return outcome::client_gone;
    auto& verdict = **ended;
    if (verdict.is == recovery_verdict::kind::replay) {
        fresh_only_ = fresh_only_ || verdict.person_waited;
        if (verdict.same_credential && attempts_ > 0)
            --attempts_;
        if (!verdict.loaded)
            w_.counters.replays.fetch_add(1, std::memory_order_relaxed);
        co_return outcome::resend;
    }
    if (verdict.is == recovery_verdict::kind::relay)
        co_return co_await pass_to_client(std::move(verdict.why));
    news_.reason = verdict.reason;
    news_.required_scopes = verdict.required_scopes;
    co_return std::move(verdict.why);
}

/// As a field of the answer whose head is the beginning of `out`, where `recorder.header` wants it.
void exchange::tell_recovery(std::string& out) const {
    if (news_.recovery.empty() || !where_.settings().recorder.header)
        return;
    const auto end = out.find("\r\n\r\n");
    if (end != std::string::npos)
        out.insert(end + 2, "X-Reauth-Recovery: " + news_.recovery + "\r\n");
}

/// A rule leaves this challenge to the client. One with a token of its own is heard with that token, and
/// whatever comes back is relayed; one without gets the challenge.
loop_task<result<exchange::outcome>> exchange::pass_to_client(failure why) {
    if (head().find(field_id::authorization) && !who_.by_authorization) {
        pass_ = true;
        co_return outcome::resend;
    }
    if (answer_.streaming()) // a stream that has begun can't carry a challenge
        co_return why;
    log_outcome(why);
    auto& out = down_.memory()->out;
    out.clear();
    answer_.keep_only_if(body_.ended_well());
    append_challenge(out, heard_.status, heard_.lines,
                     make_http_error(rpc_code_reauth, why.describe(), error_data(why)), !answer_.keeps(),
                     is_head_);
    tell_recovery(out);
    const bool written = co_await answer_.write(out);
    co_return written ? outcome::answered : outcome::client_gone;
}

} // namespace reauth
