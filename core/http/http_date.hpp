// Times in HTTP (RFC 9110 §5.6.7) and what a server asks us to wait (§10.2.3).
#pragma once

#include "core/base/time_point.hpp"
#include "core/http/http_message.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// As it is sent: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_http_date(time_point t);
/// An HTTP date in any of the forms that are seen; nothing if it is none.
std::optional<time_point> parse_http_date(std::string_view text);

/// How long a Retry-After of the answer asks to wait, given in seconds or as a date, which is measured by the
/// answer's own Date (its clock may be another), else by `now`. At most a day; nothing: it does not ask.
std::optional<std::chrono::seconds> retry_after(const http_response& answer,
                                                std::optional<time_point> now = std::nullopt);

} // namespace reauth
