// Plain aligned tables and relative times for a terminal.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Rows of equal length; the first is the heading. Columns are as wide as their widest cell, two spaces
/// apart, the last is not padded. Widths count code points.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

/// "in 14 min", "2 h ago", "now".
std::string relative_time(std::chrono::system_clock::time_point t, std::chrono::system_clock::time_point now);

/// Reads RFC 3339 UTC ("2026-01-02T03:04:05Z"), nothing else.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

} // namespace reauth
