// What the properties read from their dice.
#pragma once

#include "tests/support/life_world.hpp"

namespace reauth::test {

/// One of the open approvals; empty: there is none.
inline std::string nth_open(const life_world& w, unsigned n) {
    if (w.open.empty())
        return {};
    auto it = w.open.begin();
    std::advance(it, n % w.open.size());
    return it->first;
}

inline std::string scope_of(unsigned n) {
    static const char* const scopes[] = {"", "read", "write", "read write", "admin"};
    return scopes[n % 5];
}

} // namespace reauth::test
