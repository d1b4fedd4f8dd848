// The upstream's side of one exchange: its connection, and the head of its answer.
#pragma once

#include "proxy/relay/connector.hpp"
#include "proxy/relay/phase_clock.hpp"
#include "proxy/relay/request_buffers.hpp"
#include "proxy/relay/upstream_pool.hpp"
#include "proxy/relay/worker.hpp"

namespace reauth {

/// Owned by the exchange; one attempt after the other.
class upstream_call {
public:
    upstream_call(worker& w, const request_target& where, phase_clock& clock)
        : w_(w), where_(where), clock_(clock), pool_(w.pool(*where.to)) {}

    /// A kept connection, if there is one that is still good.
    bool take_kept();
    /// A new connection. fault::upstream_unreachable.
    loop_task<result<void>> connect();

    /// What came of waiting for an answer.
    enum class heard {
        head,    ///< a final head is in `up->answer`, the first bytes of the body behind it in `up->reply`
        nothing, ///< the connection ended before a byte
    };
    /// Reads to the end of a final head (1xx are passed over) into `memory.up`, which is there once a byte
    /// is. fault::upstream_malformed or upstream_timeout.
    loop_task<result<heard>> read_head(request_buffers& memory, bool to_head_request);

    /// Everything was read: the next request may use the connection, if the upstream keeps it.
    void keep(unsigned promised_seconds);
    void close() noexcept { up_.close(); }
    /// Ends whatever is waited for.
    void interrupt();

    channel& connection() noexcept { return up_; }
    bool reused() const noexcept { return reused_; } ///< the connection had served before
    bool open() const noexcept { return up_.is_open(); }

private:
    failure malformed(const std::string& what, bool transient) const;
    failure broken_head(std::string_view bytes, std::string_view reason) const;

    worker& w_;
    const request_target& where_;
    phase_clock& clock_;
    upstream_pool& pool_;
    channel up_;
    std::unique_ptr<connector> connecting_;
    bool reused_ = false;
};

} // namespace reauth
