// A JSON-RPC body read strictly, as a person has to approve it: what is shown is what every reader will see.
#pragma once

#include "core/failure.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// One message of the body that has a method.
struct tool_call {
    std::string method;
    std::string tool;      ///< params.name, else params.uri
    std::string arguments; ///< params.arguments as JSON text without white space; empty: there are none
};

struct call_content {
    std::vector<tool_call> calls;
    /// The body without white space and without what says nothing about the call and changes when a client
    /// tries again: ids, `_meta.progressToken` and trace context. Numbers stand digit by digit as they came.
    std::string canonical;
};

/// fault::denied_by_policy where readers could disagree on what the body means: it is no JSON-RPC, a key is
/// repeated at any depth, a key that matters is there in another spelling (some parsers match keys without
/// regard to case), or it is nested beyond 256 levels.
result<call_content> read_call_content(std::string_view body);

/// Arguments for a person's eyes: indented, cleaned line by line (core/display_text.hpp), at most `cap`
/// bytes, and then a line that says how many there are.
std::string shown_arguments(std::string_view json_text, std::size_t cap = 4000);

} // namespace reauth
