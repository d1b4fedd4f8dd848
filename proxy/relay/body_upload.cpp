// Reading from the client and sending to the upstream, at the pace of the slower one.
#include "proxy/relay/body_upload.hpp"

namespace reauth {
namespace {

/// A body up to this size is sent in one write with its head, by copying it.
constexpr std::size_t join_limit = 4 * 1024;

failure broken_framing() {
    return failure::permanent(fault::internal, "the request body's chunked framing is broken");
}

} // namespace

loop_task<bool> body_upload::fill() {
    auto& in = down_.memory()->in;
    clock_.start(limits_.head_timeout, down_.client());
    while (!body_.arrived()) {
        auto r = down_.client().read(in.space(), in.free());
        if (r.is == io_result::kind::ok) {
            in.added(r.n);
            continue;
        }
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut || down_.gone() || clock_.expired())
            co_return false;
        co_await down_.client().wait(r.is);
    }
    clock_.stop();
    co_return true;
}

/// What one read gives, taken.
io_result body_upload::read_piece() {
    auto& scratch = down_.home().scratch;
    const auto direct = body_.direct();
    const auto place = direct.empty() ? std::span<char>(scratch) : direct;
    const auto r = down_.client().read(place.data(), place.size());
    if (r.is == io_result::kind::ok && direct.empty())
        body_.take({place.data(), r.n});
    else if (r.is == io_result::kind::ok)
        body_.took(r.n);
    return r;
}

void body_upload::take_at_hand() {
    body_.take_first();
    while (!body_.direct().empty() && body_.unsent().size() < byte_record::first_size)
        if (read_piece().is != io_result::kind::ok)
            return;
}

/// One piece. False: the client went away or was too slow; or, `forwarding`, the upstream has answered.
loop_task<result<bool>> body_upload::read_some(bool forwarding) {
    clock_.start(limits_.client_idle, down_.client());
    for (;;) {
        const auto r = read_piece();
        if (r.is == io_result::kind::ok) {
            clock_.stop();
            if (body_.broken())
                co_return broken_framing();
            co_return true;
        }
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut || down_.gone() || clock_.expired())
            co_return false;
        if (forwarding && early_answer_) {
            clock_.stop();
            co_return false;
        }
        co_await down_.client().wait(r.is);
    }
}

loop_task<result<void>> body_upload::finish() {
    body_.take_first();
    if (body_.broken())
        co_return broken_framing();
    while (!body_.read() && body_.whole() && !down_.gone()) {
        auto read = co_await read_some(false);
        if (!read)
            co_return read.error();
        if (!*read)
            break;
    }
    co_return result<void>();
}

bool body_upload::send_at_once(channel& up, std::string& head) {
    early_answer_ = false;
    done_ = true;
    if (!body_.complete())
        return false;
    const auto body = body_.view();
    job_ = {head, body, false, io_result::kind::again_write};
    if (!body.empty() && (body.size() <= join_limit || up.tls())) {
        head.append(body);
        job_ = {head, {}, false, io_result::kind::again_write};
    }
    return write_now(up, job_);
}

void body_upload::on_early_answer(void* self) {
    auto& x = *static_cast<body_upload*>(self);
    // a wake-up may be spurious, or a TLS session held: an upload that ends for nothing never ends
    if (!x.up_->has_input()) {
        x.up_->watch(&body_upload::on_early_answer, self);
        return;
    }
    x.early_answer_ = true;
    x.up_->interrupt();
    x.down_.client().interrupt();
}

loop_task<result<void>> body_upload::send(channel& up, std::string& head) {
    if (body_.complete()) {
        co_await write_rest(up, job_); // what send_at_once() could not
        co_return result<void>();
    }
    up_ = &up;
    up.watch(&body_upload::on_early_answer, this);
    body_.rewind();
    const auto at_hand = body_.unsent();
    const write_job first{head, at_hand};
    done_ = co_await write_rest(up, first);
    body_.sent(at_hand.size());
    result<void> sent;
    if (body_.broken())
        sent = broken_framing();
    else if (done_)
        sent = co_await forward(up);
    up.unwatch();
    if (early_answer_) {
        up.clear_interrupt();
        if (!down_.gone())
            down_.client().clear_interrupt();
    }
    done_ = done_ && body_.read() && !early_answer_;
    co_return sent;
}

loop_task<result<void>> body_upload::forward(channel& up) {
    while (!early_answer_) {
        const auto piece = body_.unsent();
        if (!piece.empty()) {
            const write_job job{piece, {}};
            done_ = co_await write_rest(up, job);
            body_.sent(piece.size());
            if (!done_)
                break;
            continue;
        }
        if (body_.read())
            break;
        auto read = co_await read_some(true);
        if (!read)
            co_return read.error();
        if (!*read) {
            if (!early_answer_)
                down_.lose();
            break;
        }
    }
    co_return result<void>();
}

} // namespace reauth
