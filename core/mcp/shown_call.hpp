// What a person is shown of a body that waits for a yes: all of it, every character visible, or how much is
// not.
#pragma once

#include "core/mcp/tool_call.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// JSON text for a person's eyes, whole or not: a line for each member; what has no shape of its own
/// (control, bidi and zero-width characters, spaces that are none) as its `\u` escape.
struct shown_json {
    std::string text;       ///< at most `cap` bytes of it, ended between characters
    std::size_t hidden = 0; ///< bytes of the JSON text that are not in it
};
shown_json show_json(std::string_view json_text, std::size_t cap);

/// One message as a person is shown it; each part may be cut short.
struct shown_call {
    std::string method, tool, arguments, also;
};
struct shown_calls {
    std::vector<shown_call> calls;
    std::size_t hidden = 0; ///< bytes of the body that are in none of them
};
/// What a person is shown of a body: `first` (an index) before the others, at most `cap` bytes in all.
shown_calls show_calls(const call_content& content, std::size_t first, std::size_t cap = 32 * 1024);

/// show_json() where nothing is decided by it: cut, it says how much there is.
std::string shown_arguments(std::string_view json_text, std::size_t cap = 4000);

} // namespace reauth
