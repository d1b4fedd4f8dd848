// JSON-RPC 2.0 as MCP uses it: a shallow look at a body, and the errors that we answer with.
#pragma once

#include "core/base/failure.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Keys of `params._meta` that tell a request's revision and its client (MCP 2026-07-28, "_meta").
inline constexpr const char* meta_version = "io.modelcontextprotocol/protocolVersion";
inline constexpr const char* meta_client = "io.modelcontextprotocol/clientInfo";

/// What a shallow parse tells about one message. `id`, `progress_token`, `progress_of` and `cancelled_id` are
/// JSON text
/// (`7`, `"a"`).
struct rpc_message {
    std::string id;             ///< empty: a notification (or the id is null)
    std::string method;         ///< empty: a response
    std::string tool;           ///< operation_name()
    std::string progress_token; ///< params._meta.progressToken
    std::string progress_of;    ///< params.progressToken of notifications/progress
    std::string cancelled_id;   ///< params.requestId of notifications/cancelled
    /// params.clientInfo.name of initialize, or of the request's _meta (2026-07-28)
    std::string client_name;
    bool url_elicitation = false; ///< the client declares elicitation.url
    std::string protocol_version; ///< of the request's _meta (2026-07-28); empty before
    std::string task;             ///< params.taskId of tasks/…

    bool is_request() const noexcept { return !method.empty() && !id.empty(); }
    bool is_notification() const noexcept { return !method.empty() && id.empty(); }
    bool is_response() const noexcept { return method.empty(); }
};

/// The messages of one body.
struct rpc_body {
    bool valid = false; ///< it is JSON, an object or an array of objects
    bool batch = false;
    std::vector<rpc_message> messages;
};

/// Looks at a body without building it: nesting beyond 256 levels and non-JSON make it invalid; a batch of
/// more than 1,000 members too. Repeated keys make it invalid: readers disagree on which counts.
rpc_body parse_rpc(std::string_view body);

/// The members of `params` that may name what a method works on.
struct params_names {
    std::string name, uri;
};
/// Which of them does is the method's affair (MCP 2026-07-28): `name` for tools/call and prompts/get, `uri`
/// for resources/read, …/subscribe and …/unsubscribe, none for MCP's other methods, whatever stands there. A
/// method that MCP does not know: its name, else its URI.
const std::string& operation_name(std::string_view method, const params_names& names) noexcept;

/// Methods that only read, so that sending one again does no harm (MCP 2025-11-25, 2026-07-28).
bool reads_only(std::string_view method) noexcept;

/// Our application error codes.
inline constexpr int rpc_code_reauth = -32010;
inline constexpr int rpc_code_url_elicitation = -32042;

/// `error.data` of our errors.
struct rpc_error_data {
    fault code = fault::internal;
    std::string upstream;
    std::string reason;
    std::vector<std::string> required_scopes;
    std::string approval_url;
    std::optional<std::chrono::seconds> retry_after = {}; ///< when the same may be tried again
    std::string recovery = {}; ///< the id of what was tried: `mcp-reauth history ID`; empty: nothing was
};

/// {"jsonrpc":"2.0","id":ID,"error":{…}}; an empty id becomes null.
std::string make_rpc_error(std::string_view id, int code, std::string_view message,
                           const rpc_error_data& data);

/// The error member alone, for HTTP errors with a JSON body: {"error":{"code","message","data"}}.
std::string make_http_error(int code, std::string_view message, const rpc_error_data& data);

/// {"jsonrpc":"2.0","method":"notifications/progress",…} for the request's own token (JSON text).
std::string make_progress(std::string_view progress_token, unsigned progress, std::string_view message);

} // namespace reauth
