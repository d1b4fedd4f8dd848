// Claims that a configuration names: who somebody is, and in which groups.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// The claim of that name, else the one that its dots lead to; null: there is none.
const nlohmann::json* claim_at(const nlohmann::json& claims, std::string_view name);
/// The texts of such a claim, or the one that it is: sorted, each once, at most 1024 of at most 255 bytes.
std::vector<std::string> groups_claimed(const nlohmann::json& claims, const std::string& name);
/// The text of such a claim; empty: it is missing, no text, or longer than 255 bytes (OpenID Connect Core
/// section 2, of `sub`).
std::string name_claimed(const nlohmann::json& claims, std::string_view name);

} // namespace reauth
