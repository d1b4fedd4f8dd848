// Connecting, and reading a head.
#include "proxy/relay/upstream_call.hpp"

namespace reauth {

bool upstream_call::take_kept() {
    up_ = pool_.take(w_.loop.now());
    reused_ = up_.is_open();
    if (reused_)
        up_.clear_interrupt();
    return reused_;
}

loop_task<result<void>> upstream_call::connect() {
    reused_ = false;
    connecting_ = std::make_unique<connector>(w_.loop, w_.dialing, *where_.to);
    clock_.start(
        where_.settings().limits.upstream_connect,
        [](void* self) { static_cast<upstream_call*>(self)->interrupt(); }, this);
    auto made = co_await connecting_->run();
    clock_.stop();
    connecting_.reset();
    if (!made)
        co_return made.error();
    up_ = std::move(*made);
    co_return result<void>();
}

void upstream_call::interrupt() {
    up_.interrupt();
    if (connecting_)
        connecting_->interrupt();
}

void upstream_call::keep(unsigned promised_seconds) {
    if (!up_.interrupted())
        w_.keep(pool_, std::move(up_), promised_seconds);
}

failure upstream_call::malformed(const std::string& what, bool transient) const {
    return failure::of(fault::upstream_malformed, "upstream " + where_.upstream().name + " " + what,
                       transient);
}

failure upstream_call::broken_head(std::string_view bytes, std::string_view reason) const {
    // a SETTINGS or GOAWAY frame of the whole connection (RFC 9113, sections 4.1 and 3.4)
    constexpr char settings = 4, goaway = 7;
    const bool frame = bytes.size() >= 4 && bytes[0] == '\0' && (bytes[3] == settings || bytes[3] == goaway);
    if (!frame)
        return malformed("answered with broken HTTP: " + std::string(reason), false);
    auto why = malformed("speaks HTTP/2 alone, and mcp-reauth speaks HTTP/1.1 to upstreams", false);
    why.fix = "have it serve HTTP/1.1 too (every common server can), or put one in front of it that does";
    return why;
}

loop_task<result<upstream_call::heard>> upstream_call::read_head(request_buffers& memory,
                                                                 bool to_head_request) {
    bool begun = false;
    memory.up.reset();
    clock_.start(where_.settings().limits.upstream_answer, up_);
    for (;;) {
        auto& into = memory.need_answer();
        auto& reply = into.reply;
        if (reply.size() > 0) {
            auto parsed = parse_response_head(reply.view(), to_head_request, into.answer);
            if (parsed.is == head_outcome::kind::complete) {
                if (into.answer.status >= 200)
                    break;
                reply.consume(into.answer.size);
                continue;
            }
            if (parsed.is != head_outcome::kind::incomplete)
                co_return broken_head(reply.view(), parsed.reason);
            if (reply.free() == 0) {
                reply.compact();
                reply.grow(max_head_size);
            }
        }
        if (begun) // it comes in pieces
            up_.look_again();
        auto r = up_.read(reply.space(), reply.free());
        if (r.is == io_result::kind::ok) {
            reply.added(r.n);
            begun = true;
            continue;
        }
        const bool ended = r.is == io_result::kind::eof || r.is == io_result::kind::cut;
        if (!begun)
            memory.up.reset();
        if (!ended && !up_.interrupted()) {
            co_await up_.wait(r.is);
            continue;
        }
        clock_.stop();
        if (ended && begun)
            co_return malformed("broke off in its answer's head", true);
        if (!ended && clock_.expired())
            co_return failure::passing(
                fault::upstream_timeout,
                "upstream " + where_.upstream().name + " did not begin to answer in time",
                "it may or may not have executed the request; if it needs longer, raise "
                "limits.upstream_answer");
        co_return heard::nothing;
    }
    clock_.stop();
    co_return heard::head;
}

} // namespace reauth
