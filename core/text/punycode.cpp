// Punycode, encoding direction only: nothing here ever needs to decode a host.
#include "core/text/punycode.hpp"

#include <algorithm>
#include <cstdint>

namespace reauth {

namespace {

constexpr std::uint32_t base = 36, tmin = 1, tmax = 26, skew = 38, damp = 700;

char digit(std::uint32_t d) {
    return static_cast<char>(d < 26 ? 'a' + d : '0' + (d - 26));
}

std::uint32_t adapt(std::uint32_t delta, std::uint32_t points, bool first) {
    delta = first ? delta / damp : delta / 2;
    delta += delta / points;
    std::uint32_t k = 0;
    for (; delta > ((base - tmin) * tmax) / 2; k += base)
        delta /= base - tmin;
    return k + (base - tmin + 1) * delta / (delta + skew);
}

void append_integer(std::string& out, std::uint32_t q, std::uint32_t bias) {
    for (std::uint32_t k = base;; k += base) {
        const std::uint32_t t = k <= bias ? tmin : std::min(k - bias, tmax);
        if (q < t)
            break;
        out += digit(t + (q - t) % (base - t));
        q = (q - t) / (base - t);
    }
    out += digit(q);
}

} // namespace

std::optional<std::string> punycode_label(std::u32string_view label) {
    constexpr std::size_t dns_label = 63;
    // this also keeps delta far from overflow: 63 * 0x110000 < 2^32
    if (label.size() > dns_label)
        return std::nullopt;
    std::string out;
    for (const char32_t c : label)
        if (c < 0x80)
            out += static_cast<char>(c);
    auto handled = static_cast<std::uint32_t>(out.size());
    if (handled == label.size())
        return out;
    const std::uint32_t basic = handled;
    out.insert(0, "xn--");
    if (basic > 0)
        out += '-';
    std::uint32_t n = 0x80, delta = 0, bias = 72;
    while (handled < label.size()) {
        std::uint32_t next = 0x10ffff;
        for (const char32_t c : label)
            if (c >= n)
                next = std::min<std::uint32_t>(next, c);
        delta += (next - n) * (handled + 1);
        n = next;
        for (const char32_t c : label) {
            if (c < n)
                ++delta;
            if (c != n)
                continue;
            append_integer(out, delta, bias);
            bias = adapt(delta, handled + 1, handled == basic);
            delta = 0;
            ++handled;
        }
        ++delta;
        ++n;
    }
    if (out.size() > dns_label)
        return std::nullopt;
    return out;
}

} // namespace reauth
