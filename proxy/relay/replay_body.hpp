// The body of a client's request, kept so that it can be sent again. No sockets: bytes are given to it.
#pragma once

#include "conf/config.hpp"
#include "proxy/relay/request_buffers.hpp"

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace reauth {

/// Lives as long as the request. A small sized body stays where it was received, behind its head; any other
/// is recorded piece by piece, framing included, up to `limits.replay_body` and, over all requests,
/// `limits.replay_memory`. Beyond that only the piece under way is held, and the body is not whole any more.
class replay_body {
public:
    /// `memory` is the session's: the head was read into it, and it may be given away in the middle of an
    /// answer. `recorded` counts the bytes that all requests record.
    replay_body(lent<request_buffers>& memory, std::atomic<std::uint64_t>& recorded,
                const limits_config& limits);
    ~replay_body() { forget(); }
    replay_body(const replay_body&) = delete;

    /// Whether all of it is there without a copy: there is none, or it lies behind the head. False where more
    /// bytes are needed: of a body that `waits_in_place()` they are read into `memory->in`, of any other
    /// take() gets them.
    bool arrived() noexcept;
    bool waits_in_place() const noexcept { return in_place_ && !read_; }

    /// Takes what came with the head of a body that does not stay in place; does nothing the second time.
    void take_first();
    /// Takes further bytes from the client. What follows the body is the next request's and goes behind the
    /// head.
    void take(std::string_view bytes);

    /// Where further bytes of a body of known length may be read to; empty: they go through take().
    std::span<char> direct();
    /// So many bytes are there now.
    void took(std::size_t n);

    bool read() const noexcept { return read_; }     ///< the client has sent all of it
    bool whole() const noexcept { return whole_; }   ///< we have all that was sent so far
    bool broken() const noexcept { return broken_; } ///< its chunked framing is malformed
    /// The client's connection can go on behind it.
    bool ended_well() const noexcept { return read_ && !next_lost_; }
    /// All of it is here, and can be sent again.
    bool complete() const noexcept { return read_ && whole_; }

    /// What is kept, framing included.
    std::string_view view() const noexcept;
    /// The same without its transfer framing; `store` holds it where that had to be taken off.
    std::string_view payload(std::string& store) const;

    /// For sending it on while it comes: what was not sent yet.
    std::string_view unsent() const noexcept;
    void sent(std::size_t n) noexcept;
    void rewind() noexcept { sent_ = 0; }

    /// Gives up what was recorded; a body in place stays.
    void forget() noexcept;
    /// Whether `memory` holds nothing that is still needed once this request's bytes are.
    bool alone_in_memory() const noexcept;
    /// The request is over: its bytes leave `memory->in`. Once.
    void release() noexcept;
    /// The memory was given away.
    void detach() noexcept;

private:
    bool make_room(std::size_t more) noexcept;
    /// Puts bytes into the record and cuts them off `input`, which keeps what follows the body.
    void record(std::string_view& input);

    lent<request_buffers>& memory_;
    std::atomic<std::uint64_t>& recorded_everywhere_;
    const limits_config& limits_;
    body_scanner scanner_;
    std::size_t bytes_;        ///< of memory->in that belong to this request
    std::size_t recorded_ = 0; ///< … counted in recorded_everywhere_
    std::size_t sent_ = 0;
    bool in_place_ = false, read_ = false, whole_ = true, broken_ = false, next_lost_ = false;
};

} // namespace reauth
