// A challenge inside a tool's result: `_meta["mcp/www_authenticate"]`, in use by MCP apps beside the 401 of
// the authorization specification.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// The bytes without which there is none: nothing is parsed before they were seen.
bool may_hold_result_challenge(std::string_view body) noexcept;

/// The WWW-Authenticate values of a JSON-RPC response's (or a batch's) results; empty: there are none, or it
/// is no JSON.
std::vector<std::string> result_challenges(std::string_view message);

/// What a body says of OAuth: its `error` (RFC 6750 section 3.1), cleaned; empty: it is no such object. A
/// JSON-RPC error is none.
std::string oauth_error_in(std::string_view body);

} // namespace reauth
