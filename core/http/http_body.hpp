// Bodies in transit: where a body ends, and which bytes of it go on (RFC 9112 §7). Extensions and trailers
// are dropped.
#pragma once

#include "core/http/http_head.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace reauth {

/// One run of bytes that belong together.
struct body_piece {
    enum class kind : std::uint8_t {
        need_more, ///< everything given was looked at
        payload,   ///< body content
        framing,   ///< chunk framing to pass on as it is
        skip,      ///< chunk extensions and trailers: not passed on
        end,       ///< the body is complete; `bytes` is framing to pass on (may be empty)
        bad,       ///< malformed framing
    } is = kind::need_more;
    std::string_view bytes;
};

/// Follows a body through any number of reads. Give it the unconsumed input again and again; it cuts the next
/// piece off the front. Holds no buffer.
class body_scanner {
public:
    body_scanner() = default;
    explicit body_scanner(const message_head& head) : framing_(head.framing), left_(head.content_length) {
        if (framing_ == body_framing::none)
            state_ = state::done;
    }

    /// Takes the next piece off `input`.
    body_piece next(std::string_view& input) noexcept;
    bool done() const noexcept { return state_ == state::done; }
    body_framing framing() const noexcept { return framing_; }
    /// Payload bytes seen so far.
    std::uint64_t payload() const noexcept { return payload_; }
    /// The connection ended: true if that is a proper end of the body.
    bool close_is_end() const noexcept { return done() || framing_ == body_framing::until_close; }

private:
    enum class state : std::uint8_t {
        data,
        size_start,
        size,
        extension,
        size_lf,
        data_end,
        data_lf,
        trailer_start,
        trailer,
        trailer_lf,
        last_lf,
        done
    };
    body_framing framing_ = body_framing::none;
    state state_ = state::data;
    bool started_ = false;
    std::uint8_t digits_ = 0;
    std::uint16_t skipped_ = 0;
    std::uint64_t left_ = 0;
    std::uint64_t payload_ = 0;

    body_piece next_chunked(std::string_view& input) noexcept;
    body_piece counted(std::string_view& input, state then) noexcept;
    bool size_character(char c) noexcept;
    body_piece skip_extension(std::string_view& input) noexcept;
    body_piece skip_trailer(std::string_view& input) noexcept;
};

/// Cuts `input` into what goes on as it is and appends it to `out` (one append a run); `payload_only` leaves
/// the chunk framing away. Returns false if the framing is malformed. Stops at the end of the body; the rest
/// stays in `input`.
template<class Bytes>
bool pass_body(body_scanner& scanner, std::string_view& input, bool payload_only, Bytes& out) {
    using kind = body_piece::kind;
    for (;;) {
        const auto piece = scanner.next(input);
        if (piece.is == kind::bad)
            return false;
        const bool framing = piece.is == kind::framing || piece.is == kind::end;
        if (piece.is == kind::payload || (framing && !payload_only))
            out.append(piece.bytes);
        if (piece.is == kind::need_more || scanner.done())
            return true;
    }
}

} // namespace reauth
