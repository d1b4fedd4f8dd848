// The demo's protected MCP server: Streamable HTTP (revisions 2025-06-18 and 2025-11-25), challenges as RFC
// 9728 and RFC 6750 say, and counts of what really ran.
#pragma once

#include "proxy/demo/token_book.hpp"
#include "proxy/demo/tools.hpp"
#include "proxy/net/http_service.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace reauth {

/// How answers to requests travel: `automatic` streams only the tool `slow`.
enum class demo_answer_style { automatic, json, sse };

struct demo_mcp_options {
    std::string name = "demo-notes";
    std::string path = "/mcp";
    std::vector<std::string> authorization_servers;                       ///< issuers for the metadata
    std::function<demo_token_state(std::string_view access_token)> check; ///< introspection; required
    scope_set base_scopes{"mcp:tools"};                                   ///< every request needs these
    std::map<std::string, scope_set> tool_scopes{{"publish", {"notes:write"}}};
    scope_set scopes_supported{"mcp:tools", "notes:write"};
    bool check_audience = true;                     ///< a token's resource must be ours, where it has one
    std::chrono::milliseconds event_interval{1000}; ///< between events of the GET stream; 0: only broadcast()
    std::chrono::milliseconds slow_step{200};       ///< between progress notifications of `slow`
    std::size_t max_body = 8u << 20;
};

/// Changes of behaviour for tests; they stay until changed.
struct demo_mcp_faults {
    demo_answer_style style = demo_answer_style::automatic;
    bool anonymous_initialize = false;   ///< initialize and notifications need no token
    bool omit_resource_metadata = false; ///< no resource_metadata in challenges
    bool hide_metadata = false;          ///< the metadata document answers 404
    bool bare_challenge = false;         ///< WWW-Authenticate: Bearer, nothing more
    /// Rewrites the value of WWW-Authenticate before it is sent.
    std::function<void(unsigned status, std::string& challenge)> patch_challenge;
    std::function<void(nlohmann::json&)> patch_metadata;
    unsigned drop_next = 0; ///< the next N POSTs are executed, then cut without an answer
};

/// Every member function may be called from any thread; the server itself runs on `ex`, one thread.
/// Every answer to a POST carries `X-Demo-Body-SHA256`, the hex digest of the body that arrived.
class demo_mcp_server {
public:
    demo_mcp_server(executor ex, demo_mcp_options options);
    ~demo_mcp_server();
    demo_mcp_server(const demo_mcp_server&) = delete;

    /// Binds 127.0.0.1 (port 0: any) and serves; the server's URL, or why not.
    result<std::string> start(std::uint16_t port = 0);
    void stop();
    const std::string& url() const; ///< also the resource identifier; valid after start()

    void set_faults(demo_mcp_faults faults);
    /// How often it was really executed: a JSON-RPC method ("initialize"), or a tool as "tools/call echo".
    std::uint64_t executed(const std::string& what) const;
    std::map<std::string, std::uint64_t> executions() const;
    std::uint64_t challenges() const;       ///< 401s sent
    std::uint64_t scope_challenges() const; ///< 403s sent
    std::uint64_t open_streams() const;     ///< GET streams open now

    /// Sends this JSON-RPC message to every open GET stream.
    void broadcast(const nlohmann::json& message);
    /// Closed, POSTs wait here before their token is looked at.
    demo_gate& before_authentication();
    /// Closed, POSTs wait here after they were executed, before the answer is sent.
    demo_gate& before_answer();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace reauth
