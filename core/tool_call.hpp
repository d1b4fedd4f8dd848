// A JSON-RPC body read strictly, as a person has to approve it: what is shown is what every reader will see.
#pragma once

#include "core/failure.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// One message of the body.
struct tool_call {
    std::string method;    ///< empty: a response
    std::string tool;      ///< operation_name()
    std::string arguments; ///< params.arguments as JSON text without white space; empty: there are none
    /// Whatever else of the message the digest binds: `_meta`, `task`, `requestState`, unknown members … as
    /// JSON text of an object; empty: nothing.
    std::string also;
    std::string named; ///< what Mcp-Name says of it (MCP 2026-07-28): the tool, or the task's id
};

struct call_content {
    std::vector<tool_call> calls;
    /// The body without white space and without what says nothing about the call and changes when a client
    /// tries again: ids, `_meta.progressToken` and trace context, and a `_meta` or `params` in which nothing
    /// else is. Numbers stand digit by digit as they came.
    std::string canonical;
};

/// fault::denied_by_policy where readers could disagree on what the body means: it is no JSON-RPC, a key is
/// repeated at any depth, a key that matters is there in another spelling (some parsers match keys without
/// regard to case), or it is nested beyond 256 levels.
result<call_content> read_call_content(std::string_view body);

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
