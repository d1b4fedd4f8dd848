// What the demo's MCP server does: JSON-RPC methods and the tools echo, whoami, slow and publish.
#include "proxy/demo/mcp_state.hpp"

namespace reauth {

using nlohmann::json;

namespace {

json result_of(const json& message, json result) {
    return {{"jsonrpc", "2.0"}, {"id", message.value("id", json())}, {"result", std::move(result)}};
}

json error_of(const json& message, int code, const std::string& text) {
    return {{"jsonrpc", "2.0"},
            {"id", message.value("id", json())},
            {"error", {{"code", code}, {"message", text}}}};
}

json text_result(const std::string& text) {
    return {{"content", {{{"type", "text"}, {"text", text}}}}, {"isError", false}};
}

json tool(const std::string& name, const std::string& description, json properties, json required) {
    return {{"name", name},
            {"description", description},
            {"inputSchema",
             {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}}}};
}

/// A member that is an object, or an empty one.
json object_in(const json& parent, const char* name) {
    const auto found = parent.find(name);
    return found != parent.end() && found->is_object() ? *found : json::object();
}

} // namespace

json demo_tool_list() {
    const json text{{"text", {{"type", "string"}}}};
    return {tool("echo", "Says what you said.", text, {"text"}),
            tool("whoami", "Says who the token speaks for, never the token.", json::object(), json::array()),
            tool("slow", "Takes its time and reports progress.", {{"steps", {{"type", "integer"}}}},
                 json::array()),
            tool("publish", "Publishes a note. Needs the scope notes:write.", text, {"text"})};
}

demo_rpc_answer demo_mcp_server::state::call_tool(const json& message, const demo_token_state& token) {
    const json params = object_in(message, "params");
    const json arguments = object_in(params, "arguments");
    const std::string name = params.value("name", "");
    const std::lock_guard lock(mutex);
    if (name != "echo" && name != "whoami" && name != "slow" && name != "publish")
        return {error_of(message, -32602, "Unknown tool: " + name), {}, false};
    ++executions["tools/call " + name];
    if (name == "echo")
        return {result_of(message, text_result(arguments.value("text", ""))), {}, false};
    if (name == "publish")
        return {result_of(message, text_result("published note " + std::to_string(++notes) + ": " +
                                               arguments.value("text", ""))),
                {},
                false};
    if (name == "whoami") {
        json who = text_result(token.authority.subject + " through " + token.authority.client_id);
        who["structuredContent"] = {{"subject", token.authority.subject},
                                    {"client", token.authority.client_id},
                                    {"scopes", token.authority.scopes.tokens()}};
        return {result_of(message, std::move(who)), {}, false};
    }
    demo_rpc_answer answer{result_of(message, text_result("done")), {}, true};
    const json meta = object_in(params, "_meta");
    const int steps = std::min(std::max(arguments.value("steps", 5), 0), 1000);
    for (int step = 1; step <= steps; ++step) {
        json notification{{"jsonrpc", "2.0"}};
        if (const auto progress = meta.find("progressToken"); progress != meta.end()) {
            notification["method"] = "notifications/progress";
            notification["params"] = {{"progressToken", *progress}, {"progress", step}, {"total", steps}};
        } else {
            notification["method"] = "notifications/message";
            notification["params"] = {{"level", "info"}, {"data", "step " + std::to_string(step)}};
        }
        answer.before.push_back(std::move(notification));
    }
    return answer;
}

demo_rpc_answer demo_mcp_server::state::execute(const json& message, const demo_token_state& token,
                                                std::string& new_session) {
    const std::string method = message.value("method", "");
    {
        const std::lock_guard lock(mutex);
        ++executions[method.empty() ? "response" : method];
    }
    if (method == "initialize") {
        const std::string asked = object_in(message, "params").value("protocolVersion", "");
        const std::string agreed = asked == "2025-06-18" || asked == "2025-11-25" ? asked : "2025-11-25";
        new_session = demo_random(16);
        const std::lock_guard lock(mutex);
        sessions.insert(new_session);
        return {
            result_of(message, {{"protocolVersion", agreed},
                                {"capabilities", {{"tools", json::object()}, {"logging", json::object()}}},
                                {"serverInfo", {{"name", options.name}, {"version", "1.0.0"}}}}),
            {},
            false};
    }
    if (method == "ping" || method == "logging/setLevel")
        return {result_of(message, json::object()), {}, false};
    if (method == "tools/list")
        return {result_of(message, {{"tools", demo_tool_list()}}), {}, false};
    if (method == "tools/call")
        return call_tool(message, token);
    return {error_of(message, -32601, "Method not found: " + method), {}, false};
}

} // namespace reauth
