// Who may talk to the demo's MCP server: challenges, resource metadata, and the transport's own rules.
#include "proxy/demo/mcp_state.hpp"

namespace reauth {

using nlohmann::json;

namespace {

std::string bearer_of(const service_request& request) {
    const std::string_view value = request.header("Authorization").value_or("");
    constexpr std::string_view scheme = "Bearer ";
    return value.substr(0, scheme.size()) == scheme ? std::string(value.substr(scheme.size())) : "";
}

service_response plain(unsigned status, const std::string& why) {
    return {status, {{"Content-Type", "text/plain"}}, why + "\n"};
}

bool accepts(const service_request& request, std::string_view type) {
    const std::string_view accept = request.header("Accept").value_or("");
    return accept.find(type) != std::string_view::npos || accept.find("*/*") != std::string_view::npos;
}

} // namespace

service_response demo_mcp_server::state::metadata() {
    const std::lock_guard lock(mutex);
    if (faults.hide_metadata)
        return plain(404, "No such page.");
    json document{{"resource", url},
                  {"resource_name", options.name},
                  {"authorization_servers", options.authorization_servers},
                  {"scopes_supported", options.scopes_supported.tokens()},
                  {"bearer_methods_supported", {"header"}}};
    if (faults.patch_metadata)
        faults.patch_metadata(document);
    return demo_json(200, document);
}

service_response demo_mcp_server::state::challenge_with(unsigned status, const std::string& error,
                                                        const scope_set& scopes,
                                                        const std::string& description) {
    std::string value = "Bearer";
    const char* separator = " ";
    const auto add = [&](const std::string& name, const std::string& text) {
        value += separator + name + "=\"" + text + "\"";
        separator = ", ";
    };
    if (!faults.bare_challenge) {
        if (!error.empty())
            add("error", error);
        if (!error.empty() && !description.empty())
            add("error_description", description);
        if (!scopes.empty())
            add("scope", scopes.to_string());
        if (!faults.omit_resource_metadata)
            add("resource_metadata", origin + "/.well-known/oauth-protected-resource" + options.path);
    }
    ++(status == 401 ? challenges : scope_challenges);
    if (faults.patch_challenge)
        faults.patch_challenge(status, value);
    service_response answer = demo_json(status, {{"error", error.empty() ? "unauthorized" : error}});
    answer.headers.push_back({"WWW-Authenticate", value});
    return answer;
}

std::optional<service_response> demo_mcp_server::state::challenge(const service_request& request,
                                                                  const json& message,
                                                                  demo_token_state& token) {
    const std::string shown = bearer_of(request);
    if (!shown.empty())
        token = options.check(shown);
    const std::lock_guard lock(mutex);
    const std::string method = message.is_object() ? message.value("method", "") : "";
    const bool open_to_all = method == "initialize" || method.rfind("notifications/", 0) == 0;
    if (shown.empty() && faults.anonymous_initialize && open_to_all)
        return std::nullopt;
    if (shown.empty())
        return challenge_with(401, "", options.base_scopes, "");
    if (!token.active)
        return challenge_with(401, "invalid_token", options.base_scopes, "The token expired or was revoked.");
    if (options.check_audience && !token.authority.resource.empty() && token.authority.resource != url)
        return challenge_with(401, "invalid_token", options.base_scopes,
                              "The token is for another resource.");
    scope_set needed = options.base_scopes;
    if (method == "tools/call" && message.contains("params") && message["params"].is_object()) {
        const auto extra = options.tool_scopes.find(message["params"].value("name", ""));
        if (extra != options.tool_scopes.end())
            needed = needed.united_with(extra->second);
    }
    if (!token.authority.scopes.covers(needed))
        return challenge_with(403, "insufficient_scope", needed, "This needs more scope.");
    return std::nullopt;
}

std::optional<service_response> demo_mcp_server::state::transport_error(const service_request& request,
                                                                        const json& message) {
    const std::string_view request_origin = request.header("Origin").value_or("");
    if (!request_origin.empty() && request_origin != origin)
        return plain(403, "This Origin may not talk to the server.");
    if (const auto version = request.header("MCP-Protocol-Version");
        version && *version != "2025-03-26" && *version != "2025-06-18" && *version != "2025-11-25")
        return plain(400, "This MCP-Protocol-Version is not supported.");
    if (request.method == "POST") {
        if (!accepts(request, "application/json") || !accepts(request, "text/event-stream"))
            return plain(406, "Accept must name application/json and text/event-stream.");
        if (request.header("Content-Type").value_or("").substr(0, 16) != "application/json")
            return plain(415, "Content-Type must be application/json.");
        if (!message.is_object())
            return demo_json(
                400, {{"jsonrpc", "2.0"},
                      {"id", nullptr},
                      {"error", {{"code", -32700}, {"message", "The body is no JSON-RPC message."}}}});
        if (message.value("method", "") == "initialize")
            return std::nullopt;
    }
    const auto session = request.header("Mcp-Session-Id");
    if (!session)
        return plain(400, "Mcp-Session-Id is missing: initialize first.");
    const std::lock_guard lock(mutex);
    if (!sessions.contains(std::string(*session)))
        return plain(404, "This session is over: initialize again.");
    return std::nullopt;
}

} // namespace reauth
