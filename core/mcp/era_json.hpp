// Careful looks at messages whose members keep their order.
#pragma once

#include "core/json/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace reauth {

/// Members stay in the order in which they came.
using era_json = nlohmann::ordered_json;

inline std::string era_text(const era_json& value) {
    return json_text(value);
}

/// A member that is an object; an empty one else.
inline era_json object_of(const era_json& in, const char* name) {
    const auto found = in.is_object() ? in.find(name) : in.end();
    return found != in.end() && found->is_object() ? *found : era_json::object();
}

inline std::string string_of(const era_json& in, const char* name) {
    const auto found = in.is_object() ? in.find(name) : in.end();
    return found != in.end() && found->is_string() ? found->get<std::string>() : std::string();
}

} // namespace reauth
