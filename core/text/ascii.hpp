// ASCII-only text helpers: HTTP and OAuth names compare without locale.
#pragma once

#include <string>
#include <string_view>

namespace reauth {

/// Lower-cases A-Z only.
constexpr char ascii_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// A copy with A-Z lower-cased.
std::string ascii_lower(std::string_view text);

/// What a hexadecimal digit stands for; -1: it is none.
constexpr int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/// Equality that ignores ASCII case.
bool iequals(std::string_view a, std::string_view b) noexcept;

/// Without leading and trailing spaces and tabs (RFC 9110 §5.6.3 OWS).
std::string_view trim_ows(std::string_view text) noexcept;

/// Without leading and trailing space, tab, CR and LF: for what a person pasted or a file ends with.
std::string_view trim_space(std::string_view text) noexcept;

} // namespace reauth
