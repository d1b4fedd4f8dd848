// base64, hex and form encoding.
#include "core/text/encoding.hpp"

#include "core/text/ascii.hpp"

#include <array>
#include <cstdint>

namespace reauth {

namespace {

constexpr std::string_view standard_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
constexpr std::size_t max_form_fields = 256;

std::string encode64(std::string_view bytes, std::string_view alphabet, bool padded) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t v = 0;
        for (std::size_t k = 0; k < 3; ++k)
            v = v << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (std::size_t k = 0; k <= n; ++k)
            out += alphabet[v >> (18 - 6 * k) & 63];
        if (padded)
            out.append(3 - n, '=');
    }
    return out;
}

std::optional<std::string> decode64(std::string_view text, std::string_view alphabet) {
    for (int pads = 0; pads < 2 && text.size() % 4 != 1 && text.ends_with('='); ++pads)
        text.remove_suffix(1);
    if (text.size() % 4 == 1)
        return std::nullopt;
    std::string out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t v = 0;
    int bits = 0;
    for (const char c : text) {
        const auto digit = alphabet.find(c);
        if (digit == std::string_view::npos)
            return std::nullopt;
        v = (v << 6 | static_cast<std::uint32_t>(digit)) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>(v >> bits & 0xff);
        }
    }
    // bits that are left over must be zero: otherwise one value has several spellings
    if ((v & ((1u << bits) - 1)) != 0)
        return std::nullopt;
    return out;
}

void append_escaped(std::string& out, std::string_view value, std::string_view space) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (unreserved.find(c) != std::string_view::npos) {
            out += c;
        } else if (c == ' ') {
            out += space;
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
}

} // namespace

std::string base64url_encode(std::string_view bytes) {
    return encode64(bytes, url_alphabet, false);
}
std::optional<std::string> base64url_decode(std::string_view text) {
    return decode64(text, url_alphabet);
}
std::string base64_encode(std::string_view bytes) {
    return encode64(bytes, standard_alphabet, true);
}
std::optional<std::string> base64_decode(std::string_view text) {
    return decode64(text, standard_alphabet);
}

std::string hex_encode(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

std::string form_encode(std::string_view value) {
    std::string out;
    append_escaped(out, value, "+");
    return out;
}

std::string percent_encode(std::string_view value) {
    std::string out;
    append_escaped(out, value, "%20");
    return out;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] == '%') {
            if (i + 2 >= text.size())
                return std::nullopt;
            const int high = hex_digit(text[i + 1]);
            const int low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0)
                return std::nullopt;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

form_fields parse_form(std::string_view text) {
    form_fields out;
    while (!text.empty() && out.size() < max_form_fields) {
        const auto end = text.find('&');
        const auto field = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (field.empty())
            continue;
        const auto equals = field.find('=');
        auto name = percent_decode(field.substr(0, equals), true);
        auto value = percent_decode(
            equals == std::string_view::npos ? std::string_view{} : field.substr(equals + 1), true);
        if (name && value)
            out.emplace_back(std::move(*name), std::move(*value));
    }
    return out;
}

std::optional<std::string_view> form_value(const form_fields& fields, std::string_view name) noexcept {
    for (const auto& [key, value] : fields)
        if (key == name)
            return value;
    return std::nullopt;
}

form_body& form_body::add(std::string_view name, std::string_view value) {
    // one allocation for a usual body: growing would leave copies of secrets behind
    if (text_.empty())
        text_.reserve(4096);
    else
        text_ += '&';
    append_escaped(text_, name, "+");
    text_ += '=';
    append_escaped(text_, value, "+");
    return *this;
}

secret form_body::take() {
    secret out{std::move(text_)};
    text_.clear();
    return out;
}

} // namespace reauth
