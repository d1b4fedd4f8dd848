// Phase 4: the request goes up.
#include "proxy/relay/exchange.hpp"

#include "proxy/net/tls.hpp"
#include "proxy/relay/local_answer.hpp"

namespace reauth {

void exchange::build_request_head() {
    auto& m = *down_.memory();
    request_rewrite rewrite;
    rewrite.target = m.target;
    rewrite.host = where_.to->authority;
    rewrite.credential = credential_lines();
    rewrite.injected = where_.to->static_lines;
    rewrite.replaced = where_.to->replaced;
    // what is meant for us goes no further; to our own bridge it does
    rewrite.keep_authorization = pass_ && (!who_.by_authorization || where_.to->to_bridge);
    rewrite.keep_cookies = where_.upstream().cookies == cookie_mode::pass;
    // what comes is looked into
    rewrite.identity_encoding = answer_.streaming() || old_stream_ || where_.upstream().result_challenges;
    if (where_.upstream().cookies == cookie_mode::jar) {
        injected_ = where_.to->static_lines +
                    w_.shared.cookies.line_for(where_.credential(), m.head, m.target, wall_clock::now());
        rewrite.injected = injected_;
    }
    if (watch_) [[unlikely]]
        add_trace(rewrite);
    m.out.clear();
    write_request_head(m.head, rewrite, m.out);
}

/// A notifications/cancelled for a request that we hold: it is over, and the upstream never heard of it.
bool exchange::cancels_held_request() {
    if (w_.shared.waiters.load(std::memory_order_relaxed) == 0 || !body_.complete() ||
        body_.view().find("cancelled") == std::string_view::npos) // the slash before it may be escaped
        return false;
    read_message();
    const auto& messages = message_.messages();
    if (messages.size() != 1 || messages[0].method != "notifications/cancelled")
        return false;
    auto held = w_.shared.held.find(
        cancellation_key(where_.credential(), head(), down_.peer(), messages[0].cancelled_id));
    if (!held)
        return false;
    recovery_verdict verdict;
    verdict.why =
        failure::permanent(fault::request_not_replayable, "the client cancelled the request while it waited");
    held->finish(std::move(verdict));
    w_.recovery.abandon(held);
    return true;
}

loop_task<result<exchange::outcome>> exchange::answer_cancelled() {
    auto& out = down_.memory()->out;
    out.clear();
    append_answer(out, 202, "", !answer_.keeps());
    const bool written = co_await answer_.write(out);
    co_return written ? outcome::answered : outcome::client_gone;
}

/// The connection broke before a response byte: what only reads is sent once more where a kept connection may
/// just have been closed.
result<exchange::outcome> exchange::after_silence() {
    read_message();
    const bool safe = message_.only_reads(head());
    if (up_.reused() && safe && body_.complete()) {
        fresh_only_ = true;
        w_.counters.resent.fetch_add(1, std::memory_order_relaxed);
        return outcome::resend;
    }
    return failure::passing(
        fault::upstream_unreachable,
        "upstream " + where_.upstream().name + " closed the connection without an answer",
        safe
            ? "try again"
            : "it may or may not have executed the request, so it was not sent twice: check, then try again");
}

loop_task<result<exchange::outcome>> exchange::attempt() {
    if (cancels_held_request())
        co_return co_await answer_cancelled();
    if (watch_) [[unlikely]]
        watch_->sending();
    if (fresh_only_ || !up_.take_kept()) {
        auto connected = co_await up_.connect();
        if (down_.gone())
            co_return outcome::client_gone;
        if (!connected)
            co_return connected.error();
    }
    if (body_.read())
        down_.watch();
    auto& m = *down_.memory();
    if (!body_.read())
        upload_.take_at_hand();
    build_request_head();
    if (!upload_.send_at_once(up_.connection(), m.out)) {
        const bool whole_before = body_.read();
        auto sent = co_await upload_.send(up_.connection(), m.out);
        if (down_.gone())
            co_return outcome::client_gone;
        if (!sent)
            co_return sent.error();
        if (body_.read() && !whole_before)
            down_.watch();
    }
    // a broken upload may still have been answered: look before giving up
    auto heard = co_await up_.read_head(m, is_head_);
    if (down_.gone())
        co_return outcome::client_gone;
    if (!heard)
        co_return heard.error();
    if (*heard == upstream_call::heard::nothing) {
        auto silence = after_silence();
        if (!silence && wants_client_certificate(up_.connection().tls()))
            silence = failure::permanent(fault::upstream_unreachable, silence.error().message,
                                         std::string(client_certificate_advice));
        up_.close();
        co_return silence;
    }
    co_return co_await take_answer();
}

} // namespace reauth
