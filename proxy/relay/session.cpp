// The loop over one connection's requests.
#include "proxy/relay/session.hpp"

#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"
#include "proxy/net/channel_io.hpp"
#include "proxy/relay/client_message.hpp"
#include "proxy/relay/exchange.hpp"
#include "proxy/relay/local_answer.hpp"

namespace reauth {

session::session(worker& w, channel c, SSL_CTX* tls, const listener_identity& l, std::string from)
    : home(w), client(std::move(c)), listener(l), peer(std::move(from)), waker(w.context.get_executor()),
      tls_(tls), deadline_(w.deadlines, &session::on_deadline, this) {
    home.enter(*this);
}

session::~session() {
    home.buffers.give(std::move(memory));
    home.leave(*this);
}

void session::on_deadline(void* self) {
    auto& s = *static_cast<session*>(self);
    s.timed_out_ = true;
    s.client.interrupt();
}

void session::stop(bool force) {
    stopping_ = true;
    if (force || (current && current->only_listens()))
        mark_gone();
    if (!current)
        client.interrupt();
}

void session::mark_gone() {
    gone = true;
    client.interrupt();
    waker.notify();
    if (current)
        current->interrupt();
}

void session::watch_client() {
    client.watch(&session::on_readable, this);
}

void session::on_readable(void* self) {
    auto& s = *static_cast<session*>(self);
    auto& in = s.need_memory().in;
    if (in.free() == 0)
        return; // a full buffer of requests that must wait: look again when this one is done
    auto r = s.client.read(in.space(), in.free());
    switch (r.is) {
    case io_result::kind::ok:
        in.added(r.n);
        s.watch_client();
        break;
    case io_result::kind::again_read:
    case io_result::kind::again_write:
        s.watch_client();
        break;
    case io_result::kind::eof:
    case io_result::kind::cut:
        s.mark_gone();
        break;
    }
}

task<bool> session::handshake() {
    client.start_tls(tls_, true);
    deadline_.set_after(home.table->settings->limits.head_timeout);
    for (;;) {
        auto r = client.handshake();
        if (r.is == io_result::kind::ok)
            co_return true;
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut || client.interrupted())
            co_return false;
        co_await client.wait(r.is);
    }
}

void session::put_by() {
    const auto held = memory->in.view();
    half_.reset(new char[held.size()]);
    half_size_ = static_cast<std::uint32_t>(held.size());
    std::memcpy(half_.get(), held.data(), held.size());
    home.buffers.give(std::move(memory));
}

void session::take_back() {
    auto& in = need_memory().in;
    if (in.free() <= half_size_)
        in.grow(max_head_size);
    std::memcpy(in.space(), half_.get(), half_size_);
    in.added(half_size_);
    half_.reset();
}

task<session::next> session::read_head(head_outcome& outcome) {
    using kind = head_outcome::kind;
    const auto& limits = home.table->settings->limits;
    deadline_.set_after(limits.client_idle);
    bool started = false;
    for (;;) {
        if (memory && memory->in.size() > 0) {
            outcome = parse_request_head(memory->in.view(), memory->head);
            if (outcome.is != kind::incomplete)
                break;
            if (!started) {
                started = true;
                deadline_.set_after(limits.head_timeout);
            }
            if (memory->in.free() == 0) {
                memory->in.compact();
                memory->in.grow(max_head_size);
            }
        }
        // an idle connection holds no buffer: read into the worker's, and take memory once there is something
        const bool lent = !memory;
        char* space = lent ? home.scratch.data() : memory->in.space();
        auto room = lent ? input_buffer::first_size : memory->in.free();
        auto r = client.read(space, room);
        if (r.is == io_result::kind::ok) {
            auto& in = need_memory().in;
            if (lent)
                std::memcpy(in.space(), space, r.n);
            in.added(r.n);
            continue;
        }
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut)
            co_return next::end;
        if (client.interrupted())
            co_return next::end;
        if (memory && memory->in.size() == 0)
            home.buffers.give(std::move(memory));
        else if (memory) [[unlikely]]
            put_by();
        co_await client.wait(r.is);
        if (half_) [[unlikely]]
            take_back();
    }
    deadline_.clear();
    co_return next::request;
}

task<void> session::refuse(unsigned status, std::string_view message, bool close) {
    auto& out = need_memory().out;
    out.clear();
    append_refusal(out, status, message, close, memory->head.method == "HEAD");
    write_job job{out, {}};
    if (write_now(client, job))
        co_return;
    co_await write_rest(client, job);
}

task<bool> session::serve() {
    auto& head = memory->head;
    auto table = home.table; // the request ends under the configuration it began with
    home.counters.requests.store(home.counters.requests.load(std::memory_order_relaxed) + 1,
                                 std::memory_order_relaxed);
    const char* refusal = nullptr;
    unsigned status = 0;
    auto admitted = admit(head, *table->settings, listener);
    route_match match;
    if (admitted.status != 0) {
        status = admitted.status;
        refusal = admitted.reason;
    } else if (refusal = unsafe_path(head.target); refusal) {
        status = 400;
    } else {
        match = find_route(listener.mounts(*table), head.target);
        if (oauth_metadata_path(head.target) &&
            (!match.to || match.to->upstream->metadata == metadata_mode::shield)) {
            status = 404;
            refusal = "no OAuth metadata here: mcp-reauth signs in for you, connect without authorization";
        }
    }
    const bool has_body = head.framing != body_framing::none;
    bool keep = head.keep_alive && head.minor_version == 1 && !has_body;
    if (status != 0) {
        co_await refuse(status, refusal, !keep);
        if (keep)
            memory->in.consume(head.size);
        co_return keep;
    }
    if (!match.to) {
        std::string known = "no upstream at this path; known prefixes:";
        for (const auto& m : listener.mounts(*table))
            known += " " + (m.prefix.empty() ? std::string("/") : m.prefix);
        co_await refuse(404, known, !keep);
        if (keep)
            memory->in.consume(head.size);
        co_return keep;
    }
    if (has_body && head.minor_version == 1 && memory->in.size() == head.size &&
        iequals(head.value(field_id::expect), "100-continue")) {
        // Expect concerns this hop: whoever waits for leave to send the body gets it from us (RFC 9110
        // §10.1.1)
        const write_job leave{"HTTP/1.1 100 Continue\r\n\r\n", {}};
        co_await write_rest(client, leave);
    }
    if (match.to->bridged && !listener.within && !speaks_2026(head)) [[unlikely]]
        match.to = match.to->bridged;
    exchange work(*this, table, match, table->principals[admitted.principal]);
    current = &work;
    home.touch(*this);
    keep = co_await work.run();
    current = nullptr;
    unwatch_client();
    co_return keep && !stopping_ && !gone;
}

task<void> session::linger() {
    // bytes that we do not want any more must be read before the close, or the peer loses our answer to a
    // reset
    client.shutdown_write();
    deadline_.set_after(std::chrono::seconds(2));
    std::size_t total = 0;
    while (!client.interrupted() && total < 1024 * 1024) {
        auto r = client.read(home.scratch.data(), home.scratch.size());
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut)
            break;
        if (r.is == io_result::kind::ok)
            total += r.n;
        else
            co_await client.wait(r.is);
    }
    deadline_.clear();
}

task<void> session::run(std::shared_ptr<session> self) {
    using kind = head_outcome::kind;
    bool usable = true;
    if (tls_)
        usable = co_await handshake();
    while (usable && !stopping_) {
        head_outcome outcome;
        auto what = co_await read_head(outcome);
        if (what == next::end) {
            if (timed_out_ && memory && memory->in.size() > 0) {
                client.clear_interrupt();
                co_await refuse(408, "the request head did not arrive in time", true);
            }
            break;
        }
        if (outcome.is != kind::complete) {
            memory->head.method = {};
            const unsigned status = outcome.is == kind::too_large ? 431 : 400;
            co_await refuse(status, outcome.reason, true);
            co_await linger();
            break;
        }
        usable = co_await serve();
        if (!usable && !gone)
            co_await linger();
        if (memory && memory->in.size() == 0)
            home.buffers.give(std::move(memory));
    }
    client.close();
    self.reset();
}

} // namespace reauth
