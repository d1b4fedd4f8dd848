// A JSON-RPC body read strictly, as a person has to approve it: what is shown is what every reader will see.
#pragma once

#include "core/base/failure.hpp"

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
/// regard to case), `params` is no object, or it is nested beyond 256 levels.
result<call_content> read_call_content(std::string_view body);

} // namespace reauth
