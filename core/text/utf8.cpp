// Strict UTF-8 decoding (RFC 3629).
#include "core/text/utf8.hpp"

namespace reauth {

std::optional<char32_t> next_code_point(std::string_view& text) noexcept {
    const auto first = static_cast<unsigned char>(text.front());
    std::size_t length = 0;
    char32_t value = 0, lowest = 0;
    if (first < 0x80) {
        length = 1;
        value = first;
    } else if ((first & 0xe0) == 0xc0) {
        length = 2;
        value = first & 0x1f;
        lowest = 0x80;
    } else if ((first & 0xf0) == 0xe0) {
        length = 3;
        value = first & 0x0f;
        lowest = 0x800;
    } else if ((first & 0xf8) == 0xf0) {
        length = 4;
        value = first & 0x07;
        lowest = 0x10000;
    }
    bool valid = length != 0 && length <= text.size();
    for (std::size_t i = 1; valid && i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        valid = (byte & 0xc0) == 0x80;
        value = value << 6 | (byte & 0x3f);
    }
    valid = valid && value >= lowest && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    text.remove_prefix(valid ? length : 1);
    if (!valid)
        return std::nullopt;
    return value;
}

void append_utf8(std::string& out, char32_t c) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xc0 | c >> 6);
        tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xe0 | c >> 12);
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xf0 | c >> 18);
        tail(12);
        tail(6);
        tail(0);
    }
}

} // namespace reauth
