// The one loop that moves an answer's body: to the client as it came, through a filter, or nowhere.
#pragma once

#include "core/base/failure.hpp"
#include "core/http/http_body.hpp"
#include "proxy/net/channel_io.hpp"

#include <span>
#include <string>
#include <string_view>

namespace reauth {

/// What becomes of a body's payload on its way.
class body_filter {
public:
    virtual ~body_filter() = default;
    /// What is to be written for it (may be empty); valid until the next call. A failure ends the pump.
    virtual result<std::string_view> pass(std::string_view payload) = 0;
    /// What is to be written when all of it went through.
    virtual std::string_view end() const noexcept { return {}; }
};

/// How a pump ended.
enum class pump_end {
    whole,   ///< all of the body went over
    cut,     ///< the upstream broke off, or its framing is malformed
    stopped, ///< who reads it is gone, or the upstream's channel was interrupted (a deadline)
    enough,  ///< `limit` bytes of payload were read
    refused, ///< the filter: why()
};

/// One body. The upstream's channel may be under a deadline of its owner's, which interrupts it.
class body_pump {
public:
    /// `first` came with the head; `scratch` may be anybody's between two suspensions; `gone` turns true when
    /// nobody wants the rest.
    body_pump(channel& from, const response_head& head, std::string_view first, std::span<char> scratch,
              const bool& gone)
        : from_(from), scratch_(scratch), first_(first), scanner_(head), gone_(gone) {}
    /// Goes on where `other`, whose first bytes are taken, has stopped, in another place: no filter yet.
    body_pump(const body_pump& other, channel& from)
        : from_(from), to_(other.to_), scratch_(other.scratch_), scanner_(other.scanner_), gone_(other.gone_),
          payload_only_(other.payload_only_), surplus_(other.surplus_) {}
    body_pump(const body_pump&) = delete;
    body_pump(channel& from, const response_head& head, std::string_view first, std::span<char> scratch,
              bool&& gone) = delete; // it is looked at later

    /// Where it goes; nowhere without.
    void to(channel& client) noexcept { to_ = &client; }
    void through(body_filter& filter) noexcept {
        filter_ = &filter;
        payload_only_ = true;
    }
    /// Without the chunk framing (an HTTP/1.0 client).
    void payload_only(bool yes) noexcept { payload_only_ = yes; }
    /// Reads no more than about that much.
    void limit(std::uint64_t payload) noexcept { limit_ = payload; }

    /// Appends what came with the head to `out`, for one write with it. False: malformed framing.
    bool take_first(std::string& out);
    /// The rest, until its end.
    loop_task<pump_end> run();

    bool done() const noexcept { return scanner_.done(); }
    /// After the end: it was told by the framing, and nothing came behind it.
    bool leaves_connection_clean() const noexcept { return scanner_.done() && !surplus_ && !closed_; }
    const failure& why() const noexcept { return why_; }

private:
    enum class step { go_on, malformed, refused };
    step convert(std::string_view bytes);
    loop_task<bool> write_blocked(write_job job);
    bool at_end(io_result::kind is);

    channel& from_;
    channel* to_ = nullptr;
    body_filter* filter_ = nullptr;
    std::span<char> scratch_;
    std::string_view first_, now_; ///< now_: to be written
    body_scanner scanner_;
    const bool& gone_;
    std::string patched_;
    std::uint64_t limit_ = UINT64_MAX;
    failure why_;
    bool payload_only_ = false, surplus_ = false, closed_ = false;
};

} // namespace reauth
