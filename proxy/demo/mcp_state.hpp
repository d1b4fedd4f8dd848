// The inside of demo_mcp_server, shared by its parts.
#pragma once

#include "proxy/demo/mcp_server.hpp"

#include <deque>
#include <mutex>
#include <set>

namespace reauth {

/// An open GET stream: what waits to be sent, and its alarm clock.
struct demo_event_stream {
    explicit demo_event_stream(executor ex) : alarm(ex) {}
    loop_timer alarm;
    std::deque<nlohmann::json> waiting;
};

/// What a JSON-RPC request is answered with, and the notifications that go before.
struct demo_rpc_answer {
    nlohmann::json message;
    std::vector<nlohmann::json> before;
    bool stream = false;
};

struct demo_mcp_server::state : std::enable_shared_from_this<state> {
    state(executor e, demo_mcp_options o)
        : ex(e), options(std::move(o)), before_authentication(e), before_answer(e) {}

    executor ex;
    demo_mcp_options options;
    std::unique_ptr<http_service> service;
    std::string url, origin;
    demo_gate before_authentication, before_answer;

    mutable std::mutex mutex; ///< guards everything below
    demo_mcp_faults faults;
    std::map<std::string, std::uint64_t> executions;
    std::uint64_t challenges = 0, scope_challenges = 0, notes = 0, events = 0;
    std::set<std::string> sessions;
    std::set<std::shared_ptr<demo_event_stream>> streams;
    bool stopped = false;

    static task<void> serve(std::shared_ptr<state> self, service_exchange& x);
    static task<void> serve_post(std::shared_ptr<state> self, service_exchange& x);
    static task<void> serve_stream(std::shared_ptr<state> self, service_exchange& x);
    static task<void> send_answer(std::shared_ptr<state> self, service_exchange& x, demo_rpc_answer answer,
                                  std::vector<header_field> headers);

    service_response metadata();
    /// The challenge this request deserves, or nothing (RFC 6750 §3, RFC 9728 §5.1).
    std::optional<service_response> challenge(const service_request& request, const nlohmann::json& message,
                                              demo_token_state& token);
    service_response challenge_with(unsigned status, const std::string& error, const scope_set& scopes,
                                    const std::string& description);
    /// Refuses what breaks the transport's rules: Origin, Accept, Content-Type, session, protocol version.
    std::optional<service_response> transport_error(const service_request& request,
                                                    const nlohmann::json& message);
    demo_rpc_answer execute(const nlohmann::json& message, const demo_token_state& token,
                            std::string& new_session);
    demo_rpc_answer call_tool(const nlohmann::json& message, const demo_token_state& token);
    void wake_streams();
};

/// The tools as tools/list shows them.
nlohmann::json demo_tool_list();

} // namespace reauth
