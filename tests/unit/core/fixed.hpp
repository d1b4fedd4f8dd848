// A clock that stands and bytes that are always the same.
#pragma once

#include "core/crypto/random.hpp"
#include "core/oauth/credential.hpp"

#include <string>

namespace reauth::test {

inline const time_point now{std::chrono::seconds{1'700'000'000}};
inline const random_source fixed = [](std::size_t n) { return std::string(n, 'r'); };

} // namespace reauth::test
