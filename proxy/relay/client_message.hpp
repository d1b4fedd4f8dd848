// What the client's request says, as far as somebody has to know: only a request that meets trouble is read.
#pragma once

#include "core/mcp/json_rpc.hpp"
#include "policy/rules/decision.hpp"
#include "policy/rules/wait_plan.hpp"
#include "proxy/relay/replay_body.hpp"

#include <string>
#include <vector>

namespace reauth {

/// Whether an answer may be an event stream.
bool accepts_event_stream(const request_head& head);

/// Nothing in it is newer than MCP 2024-11-05, whose clients' first request is a GET.
bool from_old_stream_client(const request_head& head);
/// It says so with every request (MCP 2026-07-28, "Protocol Version Header").
bool speaks_2026(const request_head& head);

/// The JSON-RPC messages of one request. Nothing is known before read().
class client_message {
public:
    /// A shallow look, once: a body that is not whole yet is looked at again later. What is no JSON-RPC has
    /// no messages.
    void read(const request_head& head, const replay_body& body);

    const std::vector<rpc_message>& messages() const noexcept { return body_.messages; }
    bool batch() const noexcept { return body_.batch; }
    waiting_kind kind() const noexcept { return kind_; }
    /// It is owed a response.
    bool has_request() const noexcept {
        return kind_ == waiting_kind::call || kind_ == waiting_kind::handshake;
    }
    bool elicits() const; ///< the client declares URL elicitation
    bool has_progress_token() const;
    bool probes() const;             ///< `server/discover` is in it
    std::string client_name() const; ///< as it says itself; may be empty
    std::vector<operation> operations() const;
    /// Sending it twice does no harm: its method, or every JSON-RPC method in it, only reads.
    bool only_reads(const request_head& head) const;
    /// Of the first tool call, for a person's eyes; of a large body they are not looked for.
    std::string first_arguments(const replay_body& body) const;

    /// Responses for these were given out: what is left is owed an answer.
    template<class Answered>
    void forget_answered(Answered answered) {
        std::erase_if(body_.messages,
                      [&](const rpc_message& m) { return !m.is_request() || answered(m.id); });
    }
    void forget_all() { body_.messages.clear(); }

private:
    rpc_body body_;
    waiting_kind kind_ = waiting_kind::other;
    bool read_ = false;
};

} // namespace reauth
