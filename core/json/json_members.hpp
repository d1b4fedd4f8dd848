// The members of an object or an array as the text they stand as: nothing is built, every digit stays.
#pragma once

#include <string_view>
#include <vector>

namespace reauth {

/// One member: its key as JSON text (with its quotes; empty in an array) and its value's text, without the
/// white space around them.
struct json_member {
    std::string_view key, value;
};

/// The members of `container`, the text of a JSON object or array that is known to be one (read before).
std::vector<json_member> json_members(std::string_view container);

} // namespace reauth
