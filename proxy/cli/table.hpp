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

} // namespace reauth
