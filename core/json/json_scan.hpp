// JSON text, character by character, without what stands in strings.
#pragma once

#include <cstddef>
#include <string_view>

namespace reauth {

/// Calls `f(place, character)` for each character outside of strings, until it says false. Of text that is no
/// JSON too: no recursion, no memory. Whether `f` never said so.
template<class F>
constexpr bool scan_json(std::string_view text, F&& f) {
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                in_string = false;
            continue;
        }
        in_string = c == '"';
        if (!in_string && !f(i, c))
            return false;
    }
    return true;
}

} // namespace reauth
