// Chunked coding as a byte-wise state machine; lengths counted down.
#include "core/http/http_body.hpp"

#include "core/text/ascii.hpp"

namespace reauth {
namespace {

std::string_view cut(std::string_view& input, std::size_t n) noexcept {
    auto piece = input.substr(0, n);
    input.remove_prefix(n);
    return piece;
}

constexpr std::uint16_t max_skipped = 16 * 1024; // extensions and trailers of one body

} // namespace

body_piece body_scanner::next(std::string_view& input) noexcept {
    using kind = body_piece::kind;
    if (state_ == state::done)
        return {kind::end, {}};
    if (framing_ == body_framing::chunked)
        return next_chunked(input);
    if (input.empty())
        return {kind::need_more, {}};
    if (framing_ == body_framing::until_close) {
        payload_ += input.size();
        return {kind::payload, cut(input, input.size())};
    }
    return counted(input, state::done);
}

/// Content whose length is known; `then` follows it.
body_piece body_scanner::counted(std::string_view& input, state then) noexcept {
    const auto n = input.size() < left_ ? input.size() : static_cast<std::size_t>(left_);
    left_ -= n;
    payload_ += n;
    if (left_ == 0)
        state_ = then;
    return {body_piece::kind::payload, cut(input, n)};
}

/// One character of a chunk's size line; false: it can't stand there.
bool body_scanner::size_character(char c) noexcept {
    if (const int d = hex_digit(c); d >= 0) {
        if (++digits_ > 15)
            return false;
        left_ = left_ * 16 + static_cast<unsigned>(d);
        return true;
    }
    if (digits_ == 0)
        return false;
    if (c == '\r')
        state_ = state::size_lf;
    else if (c == ';' || c == ' ' || c == '\t')
        state_ = state::extension;
    else
        return false;
    return true;
}

body_piece body_scanner::skip_extension(std::string_view& input) noexcept {
    std::size_t n = 0;
    while (n < input.size() && input[n] != '\r') {
        // a bare LF in an extension is how some parsers are told apart from others
        if (input[n] == '\n' || ++skipped_ > max_skipped)
            return {body_piece::kind::bad, {}};
        ++n;
    }
    return {body_piece::kind::skip, cut(input, n)};
}

body_piece body_scanner::skip_trailer(std::string_view& input) noexcept {
    std::size_t n = 0;
    while (n < input.size() && state_ != state::trailer_start) {
        const char t = input[n++];
        // a bare LF would end the body here for us and not for a stricter reader
        if (++skipped_ > max_skipped || (state_ == state::trailer_lf) != (t == '\n'))
            return {body_piece::kind::bad, {}};
        state_ = t == '\r' ? state::trailer_lf : t == '\n' ? state::trailer_start : state::trailer;
    }
    return {body_piece::kind::skip, cut(input, n)};
}

body_piece body_scanner::next_chunked(std::string_view& input) noexcept {
    using kind = body_piece::kind;
    if (!started_) {
        started_ = true;
        state_ = state::size_start;
    }
    if (input.empty())
        return {kind::need_more, {}};
    if (state_ == state::data)
        return counted(input, state::data_end);
    // framing runs go on as they are; a run ends where the state changes to data, skip or end
    std::size_t i = 0;
    const auto framing_before = [&] { return body_piece{kind::framing, cut(input, i)}; };
    for (; i < input.size(); ++i) {
        const char c = input[i];
        switch (state_) {
        case state::size_start:
            left_ = 0;
            digits_ = 0;
            state_ = state::size;
            [[fallthrough]];
        case state::size:
            if (!size_character(c))
                return {kind::bad, {}};
            if (state_ == state::extension)
                return i > 0 ? framing_before() : skip_extension(input);
            break;
        case state::extension:
            if (c != '\r')
                return skip_extension(input);
            state_ = state::size_lf;
            break;
        case state::size_lf:
            if (c != '\n')
                return {kind::bad, {}};
            state_ = left_ == 0 ? state::trailer_start : state::data;
            if (state_ == state::data) {
                ++i;
                return framing_before();
            }
            break;
        case state::data_end:
        case state::data_lf:
            if (c != (state_ == state::data_end ? '\r' : '\n'))
                return {kind::bad, {}};
            state_ = state_ == state::data_end ? state::data_lf : state::size_start;
            break;
        case state::trailer_start:
            state_ = c == '\r' ? state::last_lf : state::trailer;
            if (state_ == state::trailer)
                return i > 0 ? framing_before() : skip_trailer(input);
            break;
        case state::trailer:
        case state::trailer_lf:
            return skip_trailer(input);
        case state::last_lf:
            if (c != '\n')
                return {kind::bad, {}};
            state_ = state::done;
            ++i;
            return {kind::end, cut(input, i)};
        case state::data:
        case state::done:
            return {kind::bad, {}};
        }
    }
    return framing_before();
}

} // namespace reauth
