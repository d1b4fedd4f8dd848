// Phase 4: the request goes up, recorded as far as the limits allow.
#include "core/json_rpc.hpp"
#include "proxy/net/channel_io.hpp"
#include "proxy/relay/exchange.hpp"
#include "proxy/relay/local_answer.hpp"

namespace reauth {
namespace {

/// A body up to this size is sent in one write with its head, by copying it.
constexpr std::size_t join_limit = 4 * 1024;

} // namespace

std::string_view exchange::body_view() const noexcept {
    if (body_in_buffer_)
        return s_.memory->in.view().substr(s_.memory->head.size, consumed_ - s_.memory->head.size);
    return s_.memory ? std::string_view(s_.memory->record) : std::string_view{};
}

void exchange::drop_record() {
    body_whole_ = body_in_buffer_;
    if (s_.memory && !body_in_buffer_)
        s_.memory->record.clear();
    w_.limits.replay_bytes.fetch_sub(recorded_extra_, std::memory_order_relaxed);
    recorded_extra_ = 0;
}

/// Whether the record may grow by that much; what was recorded is counted over all requests.
bool exchange::record_room(std::size_t more) {
    const auto& limits = where_.settings().limits;
    if (s_.memory->record.size() + more > limits.replay_body)
        return false;
    if (w_.limits.replay_bytes.fetch_add(more, std::memory_order_relaxed) + more > limits.replay_memory) {
        w_.limits.replay_bytes.fetch_sub(more, std::memory_order_relaxed);
        return false;
    }
    recorded_extra_ += more;
    return true;
}

/// Waits for a body that fits into the first buffer, so that it needs no second copy.
task<bool> exchange::fill_body() {
    auto& in = s_.memory->in;
    const auto& head = s_.memory->head;
    if (head.framing == body_framing::none) {
        body_read_ = body_in_buffer_ = true;
        co_return true;
    }
    if (head.framing != body_framing::sized || head.size + head.content_length > input_buffer::first_size)
        co_return true;
    consumed_ = head.size + static_cast<std::size_t>(head.content_length);
    // the head's views stay valid: the buffer neither moves nor grows here
    if (in.view().data() + consumed_ > in.space() + in.free()) {
        consumed_ = head.size;
        co_return true;
    }
    filling_ = true;
    deadline_.set_after(where_.settings().limits.head_timeout);
    while (in.size() < consumed_) {
        auto r = s_.client.read(in.space(), in.free());
        if (r.is == io_result::kind::ok) {
            in.added(r.n);
            continue;
        }
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut || s_.gone || up_timed_out_)
            co_return false;
        co_await s_.client.wait(r.is);
    }
    filling_ = false;
    deadline_.clear();
    body_read_ = body_in_buffer_ = true;
    co_return true;
}

/// Takes body bytes off the input into the record (which is also what is sent from).
void exchange::take_body(std::string_view& input) {
    if (!pass_body(upload_scanner_, input, false, s_.memory->record)) {
        body_broken_ = true;
        why_ = failure::permanent(fault::internal, "the request body's chunked framing is broken");
    }
    body_read_ = upload_scanner_.done();
}

/// Reads a piece of the body. `forwarding`: an early answer from the upstream ends the wait.
task<bool> exchange::read_body_some(bool forwarding) {
    auto& m = *s_.memory;
    filling_ = true;
    deadline_.set_after(where_.settings().limits.client_idle);
    for (;;) {
        auto r = s_.client.read(w_.scratch.data(), w_.scratch.size());
        if (r.is == io_result::kind::ok) {
            filling_ = false;
            deadline_.clear();
            if (body_whole_ && !record_room(r.n)) {
                drop_record();
                body_whole_ = false;
            }
            std::string_view input(w_.scratch.data(), r.n);
            take_body(input);
            if (!input.empty()) {
                // the next request has begun
                if (m.in.free() < input.size())
                    client_keeps_ = false;
                else {
                    std::memcpy(m.in.space(), input.data(), input.size());
                    m.in.added(input.size());
                }
            }
            co_return why_.message.empty();
        }
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut || s_.gone || up_timed_out_)
            co_return false;
        if (forwarding && early_answer_) {
            filling_ = false;
            deadline_.clear();
            co_return true;
        }
        co_await s_.client.wait(r.is);
    }
}

/// Body bytes that came with the head and did not fit as a whole: into the record.
void exchange::take_buffered_body() {
    auto& m = *s_.memory;
    if (body_read_ || consumed_ != m.head.size || m.in.size() <= m.head.size || !m.record.empty())
        return;
    auto input = m.in.view().substr(m.head.size);
    if (!record_room(input.size()))
        body_whole_ = false;
    auto given = input.size();
    take_body(input);
    m.in.cut_out(m.head.size, given - input.size());
}

/// A request that ends before it was sent: the rest of its body is read, so that its id is known.
task<void> exchange::finish_body() {
    take_buffered_body();
    while (!body_read_ && body_whole_ && !s_.gone) {
        auto read = co_await read_body_some(false);
        if (!read)
            break;
    }
}

void exchange::build_request_head() {
    auto& m = *s_.memory;
    request_rewrite rewrite;
    rewrite.target = m.target;
    rewrite.host = where_.to->authority;
    rewrite.credential = credential_lines();
    rewrite.injected = where_.to->static_lines;
    rewrite.replaced = where_.to->replaced;
    rewrite.keep_authorization = pass_;
    rewrite.keep_cookies = where_.upstream().cookies == cookie_mode::pass;
    rewrite.identity_encoding = identity_only_;
    if (where_.upstream().cookies == cookie_mode::jar) {
        injected_ = where_.to->static_lines + kept_cookies();
        rewrite.injected = injected_;
    }
    m.out.clear();
    write_request_head(m.head, rewrite, m.out);
}

task<bool> exchange::obtain_connection() {
    up_timed_out_ = false;
    if (!fresh_only_) {
        up_ = w_.pool(*where_.to).take(steady_clock::now());
        if (up_.is_open()) {
            up_.clear_interrupt();
            reused_ = true;
            co_return true;
        }
    }
    reused_ = false;
    connecting_ = std::make_unique<connector>(w_.context, *where_.to);
    deadline_.set_after(where_.settings().limits.upstream_connect);
    auto made = co_await connecting_->run();
    deadline_.clear();
    connecting_.reset();
    if (made) {
        up_ = std::move(*made);
        co_return true;
    }
    why_ = made.error();
    co_return false;
}

void exchange::on_early_answer(void* self) {
    auto& x = *static_cast<exchange*>(self);
    // a wake-up may be spurious, or a TLS session held: an upload that ends for nothing never ends
    if (!x.up_.has_input()) {
        x.up_.watch(&exchange::on_early_answer, self);
        return;
    }
    x.early_answer_ = true;
    x.up_.interrupt();
    x.s_.client.interrupt();
}

/// Sends head and body; returns false if the connection broke. An upstream that answers early ends the
/// upload.
task<bool> exchange::upload() {
    auto& m = *s_.memory;
    build_request_head();
    auto body = body_view();
    if (body_read_ && body_whole_) {
        std::string_view second = body;
        if (!body.empty() && (body.size() <= join_limit || up_.tls())) {
            m.out.append(body);
            second = {};
        }
        write_job job{m.out, second};
        if (write_now(up_, job))
            co_return !job.failed;
        auto sent = co_await write_rest(up_, job);
        co_return sent;
    }
    early_answer_ = false;
    up_.watch(&exchange::on_early_answer, this);
    write_job head{m.out, {}};
    bool ok = co_await write_rest(up_, head);
    std::size_t sent = 0;
    take_buffered_body();
    while (ok && !early_answer_ && why_.message.empty()) {
        auto piece = std::string_view(m.record).substr(sent);
        if (!piece.empty()) {
            write_job job{piece, {}};
            sent += piece.size();
            ok = co_await write_rest(up_, job);
            if (!body_whole_) {
                m.record.clear();
                sent = 0;
            }
            continue;
        }
        if (body_read_)
            break;
        auto read = co_await read_body_some(true);
        if (!read && !early_answer_) {
            s_.gone = s_.gone || why_.message.empty();
            ok = false;
        }
        if (!body_whole_)
            sent = 0;
    }
    up_.unwatch();
    if (early_answer_) {
        up_.clear_interrupt();
        if (!s_.gone)
            s_.client.clear_interrupt();
        ok = true;
    }
    upload_done_ = ok && body_read_ && !early_answer_;
    co_return ok;
}

task<exchange::outcome> exchange::attempt() {
    if (body_in_buffer_ && cancels_held_request()) {
        s_.memory->out.clear();
        append_answer(s_.memory->out, 202, "", !client_keeps_);
        write_job job{s_.memory->out, {}};
        auto written = co_await write_rest(s_.client, job);
        co_return written ? outcome::relayed : outcome::client_gone;
    }
    auto connected = co_await obtain_connection();
    if (s_.gone)
        co_return outcome::client_gone;
    if (!connected)
        co_return outcome::broken;
    upload_done_ = true;
    got_answer_bytes_ = false;
    if (body_read_)
        s_.watch_client();
    co_await upload();
    if (s_.gone)
        co_return outcome::client_gone;
    if (!why_.message.empty())
        co_return outcome::broken;
    if (body_read_)
        s_.watch_client();
    deadline_.set_after(where_.settings().limits.upstream_answer);
    // a broken upload may still have been answered: look before giving up
    auto what = co_await read_answer();
    if (what != outcome::broken || got_answer_bytes_ || !why_.message.empty())
        co_return what;
    // the connection broke before a response byte
    finish_upstream(false);
    parse_messages();
    bool safe = s_.memory->head.method == "GET" || s_.memory->head.method == "HEAD" ||
                s_.memory->head.method == "OPTIONS";
    if (!safe && messages_.valid) {
        safe = !messages_.messages.empty();
        for (const auto& m : messages_.messages)
            safe = safe && reads_only(m.method);
    }
    if (reused_ && safe && body_whole_ && body_read_) {
        fresh_only_ = true;
        w_.counters.resent.fetch_add(1, std::memory_order_relaxed);
        co_return outcome::redirected;
    }
    why_ = failure::passing(
        fault::upstream_unreachable,
        "upstream " + where_.upstream().name + " closed the connection without an answer",
        safe
            ? "try again"
            : "it may or may not have executed the request, so it was not sent twice: check, then try again");
    co_return outcome::broken;
}

} // namespace reauth
