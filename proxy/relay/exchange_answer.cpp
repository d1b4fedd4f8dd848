// Phase 5: the upstream's answer: challenge, redirect, or relayed as it streams.
#include "proxy/relay/exchange.hpp"

#include "core/http/content_coding.hpp"
#include "core/http/http_field.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"
#include "proxy/log/log.hpp"

namespace reauth {
namespace {

constexpr std::size_t small_body = 64 * 1024;
constexpr std::chrono::seconds drain_time{5};
constexpr unsigned max_redirects = 3, max_nonces = 2;

} // namespace

std::string_view exchange::first_bytes() const {
    const auto& up = *down_.memory()->up;
    return up.reply.view().substr(up.answer.size);
}

/// Drains an answer that is not passed on, so that its connection can be used again; a long one costs the
/// connection.
loop_task<void> exchange::drain_answer() {
    const auto& answer = down_.memory()->up->answer;
    const auto promised = keep_alive_timeout(answer);
    if (answer.keep_alive && upload_.done()) {
        body_pump pump(up_.connection(), answer, first_bytes(), w_.scratch, down_.gone_flag());
        pump.limit(small_body);
        clock_.start(drain_time, up_.connection());
        const auto end = co_await pump.run();
        clock_.stop();
        if (end == pump_end::whole && pump.leaves_connection_clean())
            up_.keep(promised);
    }
    up_.close();
}

/// A 307/308 that stays below what was asked for: replaces the target.
bool exchange::follow_redirect() {
    auto& m = *down_.memory();
    if (redirects_ >= max_redirects || !body_.complete())
        return false;
    const auto to = resolve_reference(where_.to->origin + m.target, m.up->answer.value(field_id::location));
    if (!to || !valid_target(to->target()) || unsafe_path(to->target()))
        return false;
    m.target.assign(to->target());
    ++redirects_;
    return true;
}

/// Followed, taken for a dead token, or refused. `resend`: no, it is relayed after all.
loop_task<result<exchange::outcome>> exchange::take_redirect(redirect what) {
    const auto location = down_.memory()->up->answer.value(field_id::location);
    if (what == redirect::follow) {
        if (!follow_redirect())
            co_return outcome::answered;
        co_await drain_answer();
        co_return outcome::resend;
    }
    page_seen_at_ = clean_text(location.substr(0, location.find('?')), 200);
    if (what == redirect::elsewhere) {
        log_event(log_level::warn, "redirect is left to the client",
                  {{"upstream", where_.upstream().name},
                   {"to", page_seen_at_},
                   {"message", "it leads elsewhere: if that is the server, set it as `url`"}});
        co_return outcome::answered;
    }
    co_await drain_answer();
    if (what == redirect::refuse)
        co_return redirect_failure();
    page_seen_ = true;
    heard_ = {};
    heard_.status = 401;
    heard_.is_page = true;
    heard_.challenge.kind = challenge_kind::token_expired;
    heard_.challenge.bearer = true;
    co_return down_.gone() ? outcome::client_gone : outcome::challenged;
}

/// Of an answer to a POST without a session: who its client is, if a session begins; that there is nothing to
/// be had by POST, if it says so.
void exchange::learn_from_answer() {
    const auto& answer = down_.memory()->up->answer;
    if (head().method != "POST" || head().find(field_id::mcp_session_id))
        return;
    if (!answer.find(field_id::mcp_session_id)) {
        if (rest_.empty())
            w_.shared.old_servers.learn(where_.to->origin + where_.to->base_path);
        return;
    }
    read_message();
    w_.shared.clients.remember(where_.credential(), answer.value(field_id::mcp_session_id), client_name());
}

/// Whether the answer challenges us: then `heard_` is what it says.
bool exchange::hear_challenge() {
    const auto& answer = down_.memory()->up->answer;
    if (pass_ || !may_challenge(answer.status) ||
        (answer.status != 401 && !answer.find(field_id::www_authenticate)))
        return false;
    std::vector<std::string_view> lines;
    for (const auto& f : answer)
        if (f.id == field_id::www_authenticate)
            lines.push_back(f.value);
    heard_.challenge =
        read_challenge(answer.status, lines, answer.value(field_id::dpop_nonce), credential_ != nullptr);
    heard_.status = answer.status;
    heard_.is_page = false;
    heard_.lines.assign(lines.begin(), lines.end());
    return heard_.challenge.kind != challenge_kind::not_a_challenge;
}

loop_task<result<exchange::outcome>> exchange::after_challenge() {
    if (upload_.done()) {
        co_await drain_answer();
    } else {
        // an upload that was cut short by the answer is finished into the record: the replay needs all of it
        up_.close();
        auto finished = co_await upload_.finish();
        if (!finished)
            co_return finished.error();
        if (!body_.read() && body_.whole())
            co_return outcome::client_gone;
    }
    if (down_.gone())
        co_return outcome::client_gone;
    if (heard_.challenge.kind == challenge_kind::dpop_nonce && credential_ && nonces_++ < max_nonces &&
        replayable())
        co_return outcome::resend;
    co_return outcome::challenged;
}

/// The answer begins with where messages go (MCP 2024-11-05, HTTP with SSE).
bool exchange::tells_endpoint() const {
    const auto& answer = down_.memory()->up->answer;
    return old_stream_ && !pass_ && answer.status == 200 && answer.framing != body_framing::sized &&
           content_codings(answer).empty() && is_event_stream(answer.value(field_id::content_type));
}

/// Head and first bytes of the answer, into `out`. False: its framing is broken from the start.
bool exchange::begin_answer(body_pump& pump, endpoint_filter* endpoints) {
    auto& m = *down_.memory();
    const auto& answer = m.up->answer;
    const bool payload_only = old_client_ && answer.framing == body_framing::chunked;
    answer_.keep_only_if(body_.ended_well() && upload_.done() && answer.framing != body_framing::until_close);
    response_rewrite rewrite;
    rewrite.keep_challenge = pass_;
    rewrite.keep_cookies = where_.upstream().cookies == cookie_mode::pass;
    rewrite.close = !answer_.keeps();
    rewrite.drop_transfer_encoding = payload_only;
    m.out.clear();
    write_response_head(answer, rewrite, m.out);
    if (!news_.recovery.empty()) [[unlikely]]
        tell_recovery(m.out);
    if (watch_) [[unlikely]]
        watch_->head_out = request_watch::clock::now();
    pump.to(down_.client());
    pump.payload_only(payload_only);
    kept_ = {answer.keep_alive && upload_.done(), keep_alive_timeout(answer)};
    if (!endpoints)
        return pump.take_first(m.out);
    pump.through(*endpoints);
    // what came with the head stands in a buffer that may go
    std::string payload;
    const bool sound = pump.take_first(payload);
    if (sound && !payload.empty())
        m.out.append(*endpoints->pass(payload));
    if (sound && pump.done())
        m.out.append(endpoints->end());
    return sound;
}

void exchange::hand_back(const body_pump& pump) {
    if (kept_.may && pump.leaves_connection_clean())
        up_.keep(kept_.seconds);
    up_.close();
}

/// What is left may take hours (an SSE stream): no buffers are held for it, nor this exchange.
void exchange::let_go_on(const body_pump& pump, std::optional<endpoint_filter> endpoints) {
    if (body_.alone_in_memory()) {
        body_.detach();
        down_.release();
    } else {
        body_.release();
    }
    rest_of_answer_ = std::make_unique<answer_stream>(
        answer_stream::request{where_, attempts_, news_.approval_id, began_, answer_.keeps(), is_get_},
        std::move(up_.connection()), pump, std::move(endpoints), kept_);
}

/// … while the client still sends its request.
loop_task<result<exchange::outcome>> exchange::relay_rest(body_pump& pump) {
    const auto end = co_await pump.run();
    if (end == pump_end::stopped)
        co_return outcome::client_gone;
    if (end != pump_end::whole)
        co_return outcome::cut;
    hand_back(pump);
    co_return outcome::answered;
}

loop_task<result<exchange::outcome>> exchange::take_answer() {
    const auto& answer = down_.memory()->up->answer;
    if (watch_) [[unlikely]] {
        watch_->heard(answer.status);
        name_span();
    }
    if (credential_ && credential_->dpop())
        if (auto nonce = answer.value(field_id::dpop_nonce); !nonce.empty())
            w_.credential(where_.credential()).dpop_nonce.assign(nonce);
    if (where_.upstream().cookies == cookie_mode::jar)
        w_.shared.cookies.learn(where_.credential(), head(), answer, where_.to->host, down_.memory()->target,
                                wall_clock::now());
    if (answer.find(field_id::mcp_session_id) || answer.status == 404 || answer.status == 405) [[unlikely]]
        learn_from_answer();
    if (hear_challenge())
        co_return co_await after_challenge();
    if (credential_ && answer.status < 300 && !credential_->worked.load(std::memory_order_relaxed))
        [[unlikely]]
        credential_->worked.store(true, std::memory_order_relaxed);
    if (answer.status >= 300) [[unlikely]] {
        if (hear_configured_challenge())
            co_return co_await after_challenge();
        const auto what = judge_redirect();
        if (what != redirect::none) {
            auto taken = co_await take_redirect(what);
            if (!taken || *taken != outcome::answered)
                co_return taken;
        }
        if (answer.status >= 500 && credential_ && !pass_)
            co_await tell_of_hidden_challenge();
    } else if (where_.upstream().result_challenges) [[unlikely]] {
        const bool challenged = co_await hear_result_challenge();
        if (challenged)
            co_return co_await after_challenge();
    }
    if (down_.gone())
        co_return outcome::client_gone;
    if (answer_.streaming())
        co_return co_await relay_into_stream();
    std::optional<endpoint_filter> endpoints;
    if (tells_endpoint()) [[unlikely]]
        endpoints.emplace(old_stream(), answer.framing == body_framing::chunked && !old_client_);
    body_pump pump(up_.connection(), answer, first_bytes(), w_.scratch, down_.gone_flag());
    if (!begin_answer(pump, endpoints ? &*endpoints : nullptr))
        co_return failure::permanent(fault::upstream_malformed, "upstream " + where_.upstream().name +
                                                                    " answered with broken chunked framing");
    answer_.begin();
    write_job job{down_.memory()->out, {}};
    bool written = write_now(down_.client(), job);
    if (!written)
        written = co_await write_rest(down_.client(), job);
    if (!written || job.failed || down_.gone())
        co_return outcome::client_gone;
    if (pump.done()) {
        hand_back(pump);
        co_return outcome::answered;
    }
    if (!body_.read())
        co_return co_await relay_rest(pump);
    let_go_on(pump, std::move(endpoints));
    co_return outcome::goes_on;
}

} // namespace reauth
