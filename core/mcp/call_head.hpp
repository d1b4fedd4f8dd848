// A request whose calls a person may have to approve: what its head says of its body must leave no other
// reading than the one that is shown.
#pragma once

#include "core/http/http_head.hpp"
#include "core/mcp/tool_call.hpp"

namespace reauth {

/// Whether a Content-Type (RFC 9110 §8.3) names UTF-8, or no character set: a media type and its parameters,
/// each well formed, and each `charset` is `utf-8` (RFC 8259 §8.1: JSON is nothing else, but some servers
/// decode as they are told). The word stands nowhere else either, not within another name or value.
bool says_utf8(std::string_view content_type);

/// read_call_content(), and fault::denied_by_policy where a server could read the body otherwise: it has a
/// content coding, another character set in any Content-Type, or `Mcp-Method` or `Mcp-Name` (MCP 2026-07-28,
/// "Standard Request Headers") that do not say what each message of the body does.
result<call_content> read_call(const request_head& head, std::string_view body);

} // namespace reauth
