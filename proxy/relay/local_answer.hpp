// Answers of our own: small JSON bodies, and failures in the shape that MCP clients understand.
#pragma once

#include "core/base/failure.hpp"
#include "core/mcp/json_rpc.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Appends a whole HTTP answer with a JSON body; with Retry-After where the status says that later is better.
void append_answer(std::string& out, unsigned status, std::string_view json_body, bool close,
                   bool head_only = false, std::optional<std::chrono::seconds> retry_after = {});

/// Appends an upstream's challenge for the client's own eyes: its status and its WWW-Authenticate lines as
/// they came (RFC 9110 section 11.6.1), with a JSON body of ours.
void append_challenge(std::string& out, unsigned status, const std::vector<std::string>& lines,
                      std::string_view json_body, bool close, bool head_only = false);

/// Appends an answer for a refusal at the door: {"error":{"message":…}}.
void append_refusal(std::string& out, unsigned status, std::string_view message, bool close,
                    bool head_only = false);

/// A failure as the client sees it.
struct failure_answer {
    unsigned status = 200;
    std::string body;
};

/// Design, "What a client gets when it can't go on": 200 with a JSON-RPC error for requests with an id (not
/// for server/discover, whose clients would fall back to an older era), 502/503/504 with a JSON body else.
failure_answer describe_failure(const failure& why, const std::vector<rpc_message>& messages, bool batch,
                                const rpc_error_data& data, int code = rpc_code_reauth);

/// The HTTP status for a failure where no JSON-RPC error can carry it.
unsigned status_for(fault f) noexcept;

} // namespace reauth
