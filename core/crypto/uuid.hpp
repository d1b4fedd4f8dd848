// UUIDs whose order is that of their making (RFC 9562 section 5.7).
#pragma once

#include "core/base/time_point.hpp"
#include "core/crypto/random.hpp"

#include <string>
#include <string_view>

namespace reauth {

/// A UUIDv7, in lower case: the time in milliseconds, then randomness.
std::string uuid_v7(time_point now, const random_source& random);
/// Whether it is written like a UUID.
bool is_uuid(std::string_view text) noexcept;

} // namespace reauth
