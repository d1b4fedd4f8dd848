// Tools that a client is not to see: `stdio --ignore-tool`, as mcp-remote has it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Stands between a client and what it talks to: it takes the tools out of lists (MCP 2025-11-25, tools) and
/// refuses their calls. Patterns have `*`; upper and lower case are one. Not for several threads.
class tool_filter {
public:
    explicit tool_filter(std::vector<std::string> patterns);

    bool hides(std::string_view tool) const;
    /// A message of the client: the answers to give in place of sending it; nothing: it goes on. Lists that
    /// are asked for are remembered.
    std::optional<std::vector<std::string>> from_client(std::string_view message);
    /// A message for the client, without what it is not to see.
    std::string for_client(std::string message);

private:
    std::vector<std::string> patterns_;
    std::set<std::string> lists_; ///< ids of `tools/list` under way, as JSON text
};

} // namespace reauth
