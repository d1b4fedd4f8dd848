// Phase 5: the upstream's answer: challenge, redirect, or relayed as it streams.
#include "core/http_field.hpp"

#include "core/display_text.hpp"
#include "core/uri.hpp"
#include "proxy/log/log.hpp"
#include "proxy/net/channel_io.hpp"
#include "proxy/relay/exchange.hpp"

namespace reauth {
namespace {

constexpr std::size_t small_body = 64 * 1024;
constexpr unsigned max_redirects = 3;

/// Runs the scanner over all of `bytes`; true if they can go on exactly as they are, up to `used`.
bool passes_untouched(body_scanner& scanner, std::string_view bytes, std::size_t& used, bool& bad) {
    auto input = bytes;
    for (;;) {
        auto piece = scanner.next(input);
        if (piece.is == body_piece::kind::skip)
            return false;
        if (piece.is == body_piece::kind::bad) {
            bad = true;
            return false;
        }
        if (piece.is == body_piece::kind::need_more || scanner.done())
            break;
    }
    used = bytes.size() - input.size();
    return true;
}

} // namespace

/// Reads to the end of a final head (1xx are passed over). False: `why_` or nothing came.
task<bool> exchange::read_answer_head() {
    auto& m = *s_.memory;
    auto& reply = m.up->reply;
    reply.clear();
    for (;;) {
        if (reply.size() > 0) {
            auto parsed = parse_response_head(reply.view(), is_head_, m.up->answer);
            if (parsed.is == head_outcome::kind::complete) {
                if (m.up->answer.status >= 200)
                    co_return true;
                reply.consume(m.up->answer.size);
                continue;
            }
            if (parsed.is != head_outcome::kind::incomplete) {
                why_ = failure::permanent(fault::upstream_malformed,
                                          "upstream " + where_.upstream().name +
                                              " answered with broken HTTP: " + parsed.reason);
                co_return false;
            }
            if (reply.free() == 0) {
                reply.compact();
                reply.grow(max_head_size);
            }
        }
        if (got_answer_bytes_) // it comes in pieces
            up_.look_again();
        auto r = up_.read(reply.space(), reply.free());
        if (r.is == io_result::kind::ok) {
            reply.added(r.n);
            got_answer_bytes_ = true;
            continue;
        }
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut) {
            if (got_answer_bytes_)
                why_ = failure::passing(fault::upstream_malformed, "upstream " + where_.upstream().name +
                                                                       " broke off in its answer's head");
            co_return false;
        }
        if (up_.interrupted())
            co_return false;
        co_await up_.wait(r.is);
    }
}

/// Drains a challenge's body so that the connection can be used again; a long one costs the connection.
task<void> exchange::collect_small_body() {
    auto& m = *s_.memory;
    body_scanner scanner(m.up->answer);
    bool keep = m.up->answer.keep_alive && upload_done_;
    auto timeout = keep_alive_timeout(m.up->answer);
    std::string_view input = m.up->reply.view().substr(m.up->answer.size);
    std::string sink;
    bool ok = pass_body(scanner, input, true, sink);
    deadline_.set_after(std::chrono::seconds(5));
    while (ok && keep && !scanner.done() && scanner.payload() < small_body) {
        up_.look_again();
        auto r = up_.read(w_.scratch.data(), w_.scratch.size());
        if (r.is == io_result::kind::ok) {
            sink.clear();
            input = {w_.scratch.data(), r.n};
            ok = pass_body(scanner, input, true, sink);
            continue;
        }
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut || up_.interrupted())
            break;
        co_await up_.wait(r.is);
    }
    deadline_.clear();
    up_timed_out_ = false;
    if (ok && keep && scanner.done() && input.empty() && !up_.interrupted())
        w_.pool(*where_.to).give(std::move(up_), timeout, steady_clock::now());
    finish_upstream(false);
}

void exchange::finish_upstream(bool reusable) {
    if (!reusable)
        up_.close();
}

/// A 307/308 that stays inside the upstream's origin: replaces the target.
bool exchange::follow_redirect() {
    auto& m = *s_.memory;
    if ((m.up->answer.status != 307 && m.up->answer.status != 308) || redirects_ >= max_redirects ||
        !body_whole_ || !body_read_ || pass_)
        return false;
    const auto base = where_.to->origin + m.target;
    const auto location = m.up->answer.value(field_id::location);
    const auto to = resolve_reference(base, location);
    if (!to || !same_origin(base, to->origin()) || !valid_target(to->target()) || unsafe_path(to->target())) {
        log_event(log_level::warn, "redirect is left to the client",
                  {{"upstream", where_.upstream().name},
                   {"to", to ? to->origin() : clean_text(location)},
                   {"message", "it leads elsewhere: if that is the server, set it as `url`"}});
        return false;
    }
    m.target.assign(to->target());
    ++redirects_;
    return true;
}

task<exchange::outcome> exchange::read_answer() {
    auto got = co_await read_answer_head();
    deadline_.clear();
    if (s_.gone)
        co_return outcome::client_gone;
    if (!got && up_timed_out_ && why_.message.empty())
        why_ = failure::passing(fault::upstream_timeout,
                                "upstream " + where_.upstream().name + " did not begin to answer in time",
                                "it may or may not have executed the request; if it needs longer, raise "
                                "limits.upstream_answer");
    if (!got)
        co_return outcome::broken;
    const auto& answer = s_.memory->up->answer;
    if (credential_ && credential_->dpop())
        if (auto nonce = answer.value(field_id::dpop_nonce); !nonce.empty())
            w_.credential(where_.credential()).dpop_nonce.assign(nonce);
    if (where_.upstream().cookies == cookie_mode::jar)
        keep_cookies();
    if (answer.find(field_id::mcp_session_id) || answer.status == 404 || answer.status == 405) [[unlikely]]
        learn_from_answer();
    if (!pass_ &&
        (answer.status == 401 || (may_challenge(answer.status) && answer.find(field_id::www_authenticate)))) {
        std::vector<std::string_view> lines;
        for (const auto& f : answer)
            if (f.id == field_id::www_authenticate)
                lines.push_back(f.value);
        challenge_ =
            read_challenge(answer.status, lines, answer.value(field_id::dpop_nonce), credential_ != nullptr);
        if (challenge_.kind != challenge_kind::not_a_challenge) {
            challenge_status_ = answer.status;
            challenge_lines_.assign(lines.begin(), lines.end());
            // an upload that was cut short by the answer is finished into the record: the replay needs all of
            // it
            if (!upload_done_) {
                finish_upstream(false);
                while (!body_read_ && body_whole_) {
                    auto read = co_await read_body_some(false);
                    if (!read)
                        co_return outcome::client_gone;
                }
            } else {
                co_await collect_small_body();
            }
            if (s_.gone)
                co_return outcome::client_gone;
            if (challenge_.kind == challenge_kind::dpop_nonce && credential_ && nonces_++ < 2 && replayable())
                co_return outcome::nonce;
            co_return outcome::challenged;
        }
    }
    if (follow_redirect()) {
        co_await collect_small_body();
        co_return outcome::redirected;
    }
    if (streaming_)
        co_return co_await relay_into_stream();
    co_return co_await relay_answer();
}

task<exchange::outcome> exchange::relay_answer() {
    auto& m = *s_.memory;
    const auto& answer = m.up->answer;
    body_scanner scanner(answer);
    bool payload_only = old_client_ && answer.framing == body_framing::chunked;
    bool keep_client =
        client_keeps_ && body_read_ && upload_done_ && answer.framing != body_framing::until_close;
    response_rewrite rewrite;
    rewrite.keep_challenge = pass_;
    rewrite.keep_cookies = where_.upstream().cookies == cookie_mode::pass;
    rewrite.close = !keep_client;
    rewrite.drop_transfer_encoding = payload_only;
    m.out.clear();
    write_response_head(answer, rewrite, m.out);
    client_keeps_ = keep_client;
    co_return co_await relay_body(scanner, payload_only, keep_client);
}

task<exchange::outcome> exchange::relay_body(body_scanner scanner, bool payload_only, bool) {
    auto& out = s_.memory->out;
    auto timeout = keep_alive_timeout(s_.memory->up->answer);
    bool keep_up = s_.memory->up->answer.keep_alive && upload_done_;
    std::string_view input = s_.memory->up->reply.view().substr(s_.memory->up->answer.size);
    if (!pass_body(scanner, input, payload_only, out)) {
        why_ = failure::permanent(fault::upstream_malformed, "upstream " + where_.upstream().name +
                                                                 " answered with broken chunked framing");
        co_return outcome::broken;
    }
    bool surplus = scanner.done() && !input.empty();
    sent_downstream_ = true;
    write_job job{out, {}};
    if (!write_now(s_.client, job)) {
        auto written = co_await write_rest(s_.client, job);
        job.failed = !written;
    }
    if (job.failed || s_.gone)
        co_return outcome::client_gone;
    if (!scanner.done()) {
        // what is left may take hours (an SSE stream): hold no buffers for it
        if (body_read_ && s_.memory->in.size() <= consumed_) {
            drop_record();
            consumed_ = 0;
            w_.buffers.give(std::move(s_.memory));
        }
        std::string patched;
        for (;;) {
            up_.look_again();
            auto r = up_.read(w_.scratch.data(), w_.scratch.size());
            if (r.is == io_result::kind::again_read || r.is == io_result::kind::again_write) {
                if (s_.gone)
                    co_return outcome::client_gone;
                co_await up_.wait(r.is);
                if (s_.gone)
                    co_return outcome::client_gone;
                continue;
            }
            if (r.is == io_result::kind::eof && scanner.close_is_end()) {
                keep_up = false;
                break;
            }
            if (r.is != io_result::kind::ok)
                co_return outcome::cut;
            std::string_view bytes(w_.scratch.data(), r.n);
            auto before = scanner;
            std::size_t used = 0;
            bool bad = false;
            if (payload_only || !passes_untouched(scanner, bytes, used, bad)) {
                if (bad)
                    co_return outcome::cut;
                scanner = before;
                patched.clear();
                if (!pass_body(scanner, bytes, payload_only, patched))
                    co_return outcome::cut;
                surplus = scanner.done() && !bytes.empty();
                job = {patched, {}};
            } else {
                surplus = used < r.n;
                job = {bytes.substr(0, used), {}};
            }
            if (!write_now(s_.client, job)) {
                // the scratch belongs to everybody once we suspend
                std::string rest(job.first);
                job.first = rest;
                auto written = co_await write_rest(s_.client, job);
                job.failed = !written;
            }
            if (job.failed || s_.gone)
                co_return outcome::client_gone;
            if (scanner.done())
                break;
        }
    }
    if (keep_up && !surplus && !up_.interrupted())
        w_.pool(*where_.to).give(std::move(up_), timeout, steady_clock::now());
    finish_upstream(false);
    co_return outcome::relayed;
}

} // namespace reauth
