// Careful reading of foreign JSON objects: a member of the wrong type is as good as absent, or named in the
// failure.
#pragma once

#include "core/base/failure.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Parses an object of at most 256 KiB, forgiving what repair_json() can mend. Nothing if it is something
/// else.
std::optional<nlohmann::json> parse_json_object(std::string_view text);

/// The string member of that name; empty if it is absent or no string.
std::string json_string(const nlohmann::json& object, const char* name);
/// The boolean member; false if it is absent or no boolean.
bool json_bool(const nlohmann::json& object, const char* name);
/// An integer, given as a number (fractions are cut) or as a decimal string; nothing if it is absent, no such
/// thing or out of range.
std::optional<std::int64_t> json_integer(const nlohmann::json& object, const char* name);
/// A time since 1970 in seconds (`per_second` 1) or milliseconds (1000); nothing if it is absent or the clock
/// cannot hold it.
std::optional<std::chrono::system_clock::time_point> json_time(const nlohmann::json& object, const char* name,
                                                               std::int64_t per_second = 1);
/// How times are stored: milliseconds since 1970, as a number.
std::int64_t stored_time(std::chrono::system_clock::time_point t);
/// The same read back. Throws nlohmann::json::exception where it is no number.
std::chrono::system_clock::time_point time_stored(const nlohmann::json& value);
/// The strings of an array member (at most 256; other elements are skipped), or one string as a list of one.
/// Nothing if it is absent.
std::optional<std::vector<std::string>> json_strings(const nlohmann::json& object, const char* name);

} // namespace reauth
