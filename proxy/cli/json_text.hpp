// Reads the API's JSON for printing: absent or odd members become empty text, never an exception.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace reauth {

/// A string member, cleaned and capped; empty if it is none.
std::string text_of(const nlohmann::json& object, const char* member, std::size_t cap = 400);
bool flag_of(const nlohmann::json& object, const char* member);
/// A list of strings joined by spaces.
std::string joined(const nlohmann::json& object, const char* member);
/// An array member; an empty array if it is none.
nlohmann::json array_of(const nlohmann::json& object, const char* member);
/// An RFC 3339 member as relative time; "-" if it is none.
std::string time_of(const nlohmann::json& object, const char* member);

} // namespace reauth
