// ASCII case folding and trimming.
#include "core/text/ascii.hpp"

#include <algorithm>

namespace reauth {

namespace {

std::string_view trim(std::string_view text, std::string_view what) noexcept {
    const auto first = text.find_first_not_of(what);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(what) - first + 1);
}

} // namespace

std::string ascii_lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        c = ascii_lower(c);
    return out;
}

bool iequals(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

std::string_view trim_ows(std::string_view text) noexcept {
    return trim(text, " \t");
}

std::string_view trim_space(std::string_view text) noexcept {
    return trim(text, " \t\r\n");
}

} // namespace reauth
