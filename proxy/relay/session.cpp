// The loop over one connection's requests.
#include "proxy/relay/session.hpp"

#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"
#include "proxy/net/channel_io.hpp"
#include "proxy/relay/answer_stream.hpp"
#include "proxy/relay/client_message.hpp"
#include "proxy/relay/exchange.hpp"

namespace reauth {

session::session(worker& w, channel c, SSL_CTX* tls, const listener_identity& l, std::string from)
    : home(w), listener(l), down_(w, std::move(c), std::move(from)), tls_(tls),
      deadline_(w.loop.deadlines, &session::on_deadline, this) {
    home.enter(*this);
}

session::~session() {
    down_.release();
    home.leave(*this);
}

void session::on_deadline(void* self) {
    auto& s = *static_cast<session*>(self);
    s.timed_out_ = true;
    s.down_.client().interrupt();
}

bool session::only_listens() const noexcept {
    return (current_ && current_->only_listens()) || (stream_ && stream_->only_listens());
}

void session::stop(bool force) {
    stopping_ = true;
    if (force || only_listens())
        down_.cut();
    if (!busy())
        down_.client().interrupt();
}

void session::end_stream_of_caller() {
    caller_ended_ = true;
    if (stream_ || only_listens())
        down_.cut();
}

loop_task<bool> session::handshake() {
    down_.client().start_tls(tls_, true);
    deadline_.set_after(home.table->settings->limits.head_timeout);
    for (;;) {
        auto r = down_.client().handshake();
        if (r.is == io_result::kind::ok)
            co_return true;
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut || down_.client().interrupted())
            co_return false;
        co_await down_.client().wait(r.is);
    }
}

void session::put_by() {
    const auto held = down_.memory()->in.view();
    half_.reset(new char[held.size()]);
    half_size_ = static_cast<std::uint32_t>(held.size());
    std::memcpy(half_.get(), held.data(), held.size());
    down_.release();
}

void session::take_back() {
    auto& in = down_.need_memory().in;
    if (in.free() <= half_size_)
        in.grow(max_head_size);
    std::memcpy(in.space(), half_.get(), half_size_);
    in.added(half_size_);
    half_.reset();
}

loop_task<session::next> session::read_head(head_outcome& outcome) {
    using kind = head_outcome::kind;
    const auto& limits = home.table->settings->limits;
    if (!listener.within) // who is of this process is told of no end
        deadline_.set_after(limits.client_idle);
    bool started = false;
    for (;;) {
        if (down_.memory() && down_.memory()->in.size() > 0) {
            outcome = parse_request_head(down_.memory()->in.view(), down_.memory()->head);
            if (outcome.is != kind::incomplete)
                break;
            if (!started) {
                started = true;
                deadline_.set_after(limits.head_timeout);
            }
            if (down_.memory()->in.free() == 0) {
                down_.memory()->in.compact();
                down_.memory()->in.grow(max_head_size);
            }
        }
        // an idle connection holds no buffer: read into the worker's, and take down_.memory() once there is
        // something
        const bool lent = !down_.memory();
        char* space = lent ? home.scratch.data() : down_.memory()->in.space();
        auto room = lent ? input_buffer::first_size : down_.memory()->in.free();
        auto r = down_.client().read(space, room);
        if (r.is == io_result::kind::ok) {
            auto& in = down_.need_memory().in;
            if (lent)
                std::memcpy(in.space(), space, r.n);
            in.added(r.n);
            continue;
        }
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut)
            co_return next::end;
        if (down_.client().interrupted())
            co_return next::end;
        if (down_.memory() && down_.memory()->in.size() == 0)
            down_.release();
        else if (down_.memory()) [[unlikely]]
            put_by();
        co_await down_.client().wait(r.is);
        if (half_) [[unlikely]]
            take_back();
    }
    deadline_.clear();
    co_return next::request;
}

loop_task<bool> session::serve() {
    const auto& head = down_.memory()->head;
    auto table = home.table; // the request ends under the configuration it began with
    home.counters.requests.store(home.counters.requests.load(std::memory_order_relaxed) + 1,
                                 std::memory_order_relaxed);
    const bool has_body = head.framing != body_framing::none;
    bool keep = head.keep_alive && head.minor_version == 1 && !has_body;
    caller_check whose;
    route_match match;
    bool answered = answers_stranger(*table, !keep);
    if (!answered) {
        whose = look_for_caller(table, 0);
        if (whose.is == caller_check::kind::verify) [[unlikely]]
            whose = co_await verify_callers(table, std::move(whose));
        if (down_.gone())
            co_return false;
        answered = answers_itself(*table, whose, match, !keep);
    }
    if (answered) {
        co_await send_out();
        if (keep)
            down_.memory()->in.consume(head.size);
        co_return keep;
    }
    if (has_body && head.minor_version == 1 && down_.memory()->in.size() == head.size &&
        iequals(head.value(field_id::expect), "100-continue")) {
        // Expect concerns this hop: whoever waits for leave to send the body gets it from us (RFC 9110
        // §10.1.1)
        const write_job leave{"HTTP/1.1 100 Continue\r\n\r\n", {}};
        co_await write_rest(down_.client(), leave);
    }
    if (match.to->bridged && !listener.within && !speaks_2026(head)) [[unlikely]]
        match.to = match.to->bridged;
    caller_ended_ = false;
    exchange work(down_, table, match, *caller_.who);
    current_ = &work;
    down_.serves([](void* who) { static_cast<exchange*>(who)->interrupt(); }, &work);
    home.touch(*this);
    keep = co_await work.run();
    current_ = nullptr;
    stream_ = work.rest();
    if (stream_) {
        down_.serves([](void* who) { static_cast<answer_stream*>(who)->interrupt(); }, stream_.get());
        if (caller_ended_)
            down_.cut();
        co_return true;
    }
    down_.serves(nullptr, nullptr);
    caller_.turn.end();
    home.ended(work.report());
    down_.unwatch();
    co_return keep && !stopping_ && !down_.gone();
}

/// An answer that went on has ended. Returns whether the connection can serve another request.
bool session::end_stream(pump_end how) {
    const auto over = std::move(stream_);
    down_.serves(nullptr, nullptr);
    over->hand_back(home);
    caller_.turn.end();
    home.ended(over->report());
    down_.unwatch();
    if (how != pump_end::whole || down_.gone()) {
        down_.client().reset();
        down_.lose();
    }
    return over->keeps_client() && !stopping_ && !down_.gone();
}

loop_task<void> session::linger() {
    // bytes that we do not want any more must be read before the close, or the peer loses our answer to a
    // reset
    down_.client().shutdown_write();
    deadline_.set_after(std::chrono::seconds(2));
    std::size_t total = 0;
    while (!down_.client().interrupted() && total < 1024 * 1024) {
        auto r = down_.client().read(home.scratch.data(), home.scratch.size());
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut)
            break;
        if (r.is == io_result::kind::ok)
            total += r.n;
        else
            co_await down_.client().wait(r.is);
    }
    deadline_.clear();
}

loop_task<void> session::run(std::unique_ptr<session> self) {
    using kind = head_outcome::kind;
    bool usable = true;
    if (tls_)
        usable = co_await handshake();
    while (usable && !stopping_) {
        head_outcome outcome;
        auto what = co_await read_head(outcome);
        if (what == next::end) {
            if (timed_out_ && down_.memory() && down_.memory()->in.size() > 0) {
                down_.client().clear_interrupt();
                refuse(408, "the request head did not arrive in time", true);
                co_await send_out();
            }
            break;
        }
        if (outcome.is != kind::complete) {
            down_.memory()->head.method = {};
            const unsigned status = outcome.is == kind::too_large ? 431 : 400;
            refuse(status, outcome.reason, true);
            co_await send_out();
            co_await linger();
            break;
        }
        usable = co_await serve();
        if (stream_) {
            const auto how = co_await stream_->run();
            usable = end_stream(how);
        }
        if (!usable && !down_.gone())
            co_await linger();
        if (down_.memory() && down_.memory()->in.size() == 0)
            down_.release();
    }
    down_.client().close();
    self.reset();
}

} // namespace reauth
