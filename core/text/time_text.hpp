// Times as text (RFC 3339), in UTC.
#pragma once

#include "core/base/time_point.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// "2026-01-31T12:00:00Z"
std::string rfc3339(time_point t);
/// "2026-01-31T12:00:00.123Z"
std::string rfc3339_ms(time_point t);
/// What either of them wrote, also with an offset in place of the Z; nothing: it is no such time, or one
/// before 1970. What is beyond the clock's end is its end.
std::optional<time_point> parse_rfc3339(std::string_view text);

} // namespace reauth
