// Header fields that repeat what a message says, so that who stands between need not read it (MCP 2026-07-28,
// Streamable HTTP, "Standard Request Headers" and "Custom Headers from Tool Parameters"; SEP-2243).
#pragma once

#include "core/http/http_message.hpp"
#include "core/mcp/json_rpc.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// The text as a field's value: as it is where it can be one, else `=?base64?…?=`.
std::string mcp_header_value(std::string_view text);

/// What such a value says; nothing: it is neither of both.
std::optional<std::string> mcp_header_text(std::string_view value);

/// MCP-Protocol-Version, Mcp-Method and, where the method has one, Mcp-Name of a request of 2026-07-28.
std::vector<header_field> mcp_request_fields(const rpc_message& request);

/// Which parameters of which tool are repeated in `Mcp-Param-…` fields, as `x-mcp-header` in the tools'
/// schemas says.
class tool_headers {
public:
    /// An answer to `tools/list`. Tools whose declarations break the rules (a client of this transport must
    /// not use those) are left out of what is given back; nothing changes where there are none.
    std::string learn(std::string answer);
    /// The fields of a `tools/call`, whose text is `message`. A tool that is not known has none.
    std::vector<header_field> fields(std::string_view tool, std::string_view message) const;

private:
    struct declaration {
        std::vector<std::string> path; ///< of keys, from the arguments down
        std::string name;              ///< behind "Mcp-Param-"
    };
    struct scan;
    std::map<std::string, std::vector<declaration>, std::less<>> tools_;
};

} // namespace reauth
