#include "core/http_body.hpp"

namespace reauth {
namespace {

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

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
    auto n = input.size() < left_ ? input.size() : static_cast<std::size_t>(left_);
    left_ -= n;
    payload_ += n;
    if (left_ == 0)
        state_ = state::done;
    return {kind::payload, cut(input, n)};
}

body_piece body_scanner::next_chunked(std::string_view& input) noexcept {
    using kind = body_piece::kind;
    if (!started_) {
        started_ = true;
        state_ = state::size_start;
    }
    if (input.empty())
        return {kind::need_more, {}};
    if (state_ == state::data) {
        auto n = input.size() < left_ ? input.size() : static_cast<std::size_t>(left_);
        left_ -= n;
        payload_ += n;
        if (left_ == 0)
            state_ = state::data_end;
        return {kind::payload, cut(input, n)};
    }
    // framing runs go on as they are; a run ends where the state changes to data, skip or end
    std::size_t i = 0;
    auto framing_before = [&] { return body_piece{kind::framing, cut(input, i)}; };
    for (; i < input.size(); ++i) {
        char c = input[i];
        switch (state_) {
        case state::size_start:
            left_ = 0;
            digits_ = 0;
            state_ = state::size;
            [[fallthrough]];
        case state::size:
            if (int d = hex_digit(c); d >= 0) {
                if (++digits_ > 15)
                    return {kind::bad, {}};
                left_ = left_ * 16 + static_cast<unsigned>(d);
                break;
            }
            if (digits_ == 0)
                return {kind::bad, {}};
            if (c == '\r') {
                state_ = state::size_lf;
                break;
            }
            if (c != ';' && c != ' ' && c != '\t')
                return {kind::bad, {}};
            state_ = state::extension;
            if (i > 0)
                return framing_before();
            [[fallthrough]];
        case state::extension: {
            std::size_t n = 0;
            while (n < input.size() && input[n] != '\r') {
                // a bare LF in an extension is how some parsers are told apart from others
                if (input[n] == '\n' || ++skipped_ > max_skipped)
                    return {kind::bad, {}};
                ++n;
            }
            if (n == 0) {
                state_ = state::size_lf;
                break;
            }
            return {kind::skip, cut(input, n)};
        }
        case state::size_lf:
            if (c != '\n')
                return {kind::bad, {}};
            if (left_ == 0) {
                state_ = state::trailer_start;
            } else {
                state_ = state::data;
                ++i;
                return framing_before();
            }
            break;
        case state::data_end:
            if (c != '\r')
                return {kind::bad, {}};
            state_ = state::data_lf;
            break;
        case state::data_lf:
            if (c != '\n')
                return {kind::bad, {}};
            state_ = state::size_start;
            break;
        case state::trailer_start:
            if (c == '\r') {
                state_ = state::last_lf;
                break;
            }
            state_ = state::trailer;
            if (i > 0)
                return framing_before();
            [[fallthrough]];
        case state::trailer:
        case state::trailer_lf: {
            std::size_t n = 0;
            while (n < input.size() && state_ != state::trailer_start) {
                char t = input[n++];
                // a bare LF would end the body here for us and not for a stricter reader
                if (++skipped_ > max_skipped || (state_ == state::trailer_lf) != (t == '\n'))
                    return {kind::bad, {}};
                state_ = t == '\r' ? state::trailer_lf : t == '\n' ? state::trailer_start : state::trailer;
            }
            return {kind::skip, cut(input, n)};
        }
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

bool pass_body(body_scanner& scanner, std::string_view& input, bool payload_only, std::string& out) {
    using kind = body_piece::kind;
    for (;;) {
        auto piece = scanner.next(input);
        switch (piece.is) {
        case kind::bad:
            return false;
        case kind::need_more:
            return true;
        case kind::end:
            if (!payload_only)
                out.append(piece.bytes);
            return true;
        case kind::payload:
            out.append(piece.bytes);
            break;
        case kind::framing:
            if (!payload_only)
                out.append(piece.bytes);
            break;
        case kind::skip:
            break;
        }
        if (scanner.done())
            return true;
    }
}

} // namespace reauth
