// Cleaning of foreign text before a person sees it.
#include "core/text/display_text.hpp"

#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"
#include "core/text/punycode.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>

namespace reauth {

namespace {

// Characters that have no shape of their own but change how others look or read (Unicode categories Cc, Cf
// and kin).
bool invisible(char32_t c) noexcept {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f ||
           c == 0x1160 || c == 0x17b4 || c == 0x17b5 || (c >= 0x180b && c <= 0x180f) ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
           c == 0x3164 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || c == 0xffa0 ||
           (c >= 0xfff0 && c <= 0xfffb) || (c >= 0x1d173 && c <= 0x1d17a) || (c >= 0xe0000 && c <= 0xe0fff);
}

bool breaks_line(char32_t c) noexcept {
    return (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool host_char(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool ip_literal(std::string_view host) noexcept {
    return host.size() > 2 && host.front() == '[' && host.back() == ']' &&
           host.find_first_not_of("0123456789abcdef:.", 1) == host.size() - 1;
}

constexpr std::string_view invalid_host = "(invalid host)";

} // namespace

std::string clean_text(std::string_view text, std::size_t cap) {
    std::string out;
    std::size_t points = 0;
    bool space_waits = false;
    while (!text.empty()) {
        const char32_t c = next_code_point(text).value_or(0xfffd);
        if (c == ' ' || breaks_line(c)) {
            space_waits = points > 0;
            continue;
        }
        if (invisible(c))
            continue;
        if (points + (space_waits ? 1 : 0) >= cap)
            return out + "…";
        if (space_waits) {
            out += ' ';
            ++points;
            space_waits = false;
        }
        append_utf8(out, c);
        ++points;
    }
    return out;
}

void append_visible(std::string& out, char32_t c) {
    constexpr std::string_view digits = "0123456789abcdef";
    const bool other_space =
        c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f || c == 0x3000;
    if (!invisible(c) && !other_space) {
        append_utf8(out, c);
        return;
    }
    const auto unit = [&](char32_t u) {
        out += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4)
            out += digits[(u >> shift) & 15];
    };
    if (c >= 0x10000) {
        unit(0xd800 + ((c - 0x10000) >> 10));
        unit(0xdc00 + ((c - 0x10000) & 0x3ff));
    } else {
        unit(c);
    }
}

std::string visible_text(std::string_view text) {
    std::string out;
    while (!text.empty())
        append_visible(out, next_code_point(text).value_or(0xfffd));
    return out;
}

std::string visible_name(std::string_view text, std::size_t cap) {
    std::string out;
    bool after_space = true;
    for (std::size_t points = 0; !text.empty(); ++points) {
        if (points == cap)
            return out + "…";
        const auto c = next_code_point(text).value_or(0xfffd);
        const bool space = c == ' ';
        if (space && (after_space || text.empty()))
            out += "\\u0020";
        else
            append_visible(out, c);
        after_space = space;
    }
    return out;
}

std::string html_escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

std::string display_host(std::string_view host) {
    const auto decoded = percent_decode(host, false);
    if (!decoded || decoded->empty() || decoded->size() > 1024)
        return std::string(invalid_host);
    std::string lower = ascii_lower(*decoded);
    if (ip_literal(lower))
        return lower;
    std::string out;
    std::u32string label;
    const auto finish = [&] {
        const auto text = punycode_label(label);
        label.clear();
        if (!text || !std::all_of(text->begin(), text->end(), host_char))
            return false;
        out += *text;
        return true;
    };
    for (std::string_view rest = lower; !rest.empty();) {
        const auto c = next_code_point(rest);
        if (!c || (*c >= 0x80 && invisible(*c)))
            return std::string(invalid_host);
        // U+3002 and its kin are dots to a resolver (IDNA 2003)
        if (*c == '.' || *c == 0x3002 || *c == 0xff0e || *c == 0xff61) {
            if (!finish())
                return std::string(invalid_host);
            out += '.';
        } else {
            label += *c;
        }
    }
    return finish() && out.size() <= 253 ? out : std::string(invalid_host);
}

std::string as_sentence(std::string_view words) {
    std::string out(words);
    if (out.empty())
        return out;
    const auto word = words.substr(0, words.find_first_of(" .,:;!?"));
    const bool plain = word.size() == 1 || std::all_of(word.begin(), word.end(), [](char c) {
                           return (c >= 'a' && c <= 'z') || c == '\'';
                       });
    if (plain && out[0] >= 'a' && out[0] <= 'z')
        out[0] = static_cast<char>(out[0] - 'a' + 'A');
    if (std::string_view(".!?:…").find(out.back()) == std::string_view::npos)
        out += '.';
    return out;
}

} // namespace reauth
