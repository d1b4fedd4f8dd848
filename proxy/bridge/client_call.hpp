// One thing the client has said that wants an answer.
#pragma once

#include "core/mcp/json_rpc.hpp"
#include "proxy/net/client_run.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>

namespace reauth {

struct client_call {
    std::string line;
    rpc_message first;                ///< of a batch the first request
    std::set<std::string> unanswered; ///< ids, as JSON text
    bool stateless = false;           ///< of 2026-07-28: it says itself whatever there is to say
    bool handshake = false;           ///< `initialize`
    bool replayed = false;            ///< sent once more, in another session
    std::string refused_with;         ///< … after this: status and body
    bool quiet = false;               ///< ours, not the client's: it hears nothing of it
    std::optional<failure> failed;    ///< what came of a quiet one
    bool withdrawn = false;           ///< the client does not want the answer any more
    std::shared_ptr<client_run> run;  ///< the HTTP request under way

    bool wants_answer() const noexcept { return !withdrawn && !unanswered.empty(); }
};

/// A session with the upstream (MCP 2025-11-25, transports, "Session Management"), or what there is without.
struct upstream_session {
    std::string id;          ///< Mcp-Session-Id; empty: the server keeps none
    std::string version;     ///< that was agreed on
    std::uint64_t epoch = 0; ///< counts sessions: another number is another session
    bool worked = false;     ///< a request was answered in it
    bool open = false;       ///< `initialize` was answered
    bool listens = false;    ///< `notifications/initialized` was taken: its stream may be open
    bool heard = false;      ///< … and whether it is, is known
};

} // namespace reauth
