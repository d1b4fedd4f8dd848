// Looking for words in what was said.
#pragma once

#include <string_view>

namespace reauth::test {

inline bool has(std::string_view whole, std::string_view part) {
    return whole.find(part) != whole.npos;
}

} // namespace reauth::test
