// The demo's MCP client: JSON-RPC over POST, answers as JSON or events, nothing of OAuth.
#include "proxy/demo/http_client.hpp"

#include "core/json/json_reader.hpp"
#include "core/mcp/sse.hpp"

namespace reauth {

using nlohmann::json;

json demo_answer_in(const http_response& response, const json& id) {
    const std::string type(response.header("Content-Type").value_or(""));
    const auto fits = [&](const json& message) {
        return message.is_object() && message.value("id", json()) == id;
    };
    if (type.rfind("text/event-stream", 0) != 0) {
        const auto message = read_json(response.body, whole_message).value_or(json());
        return fits(message) ? message : json();
    }
    event_reader reader;
    const auto events = reader.feed(response.body);
    for (const auto& event : events) {
        auto message = read_json(event.data, whole_message).value_or(json());
        if (fits(message))
            return message;
    }
    return json();
}

result<http_response> demo_client_session::post(const json& message) {
    std::vector<header_field> headers{{"User-Agent", "plain-client/1.0.0"},
                                      {"Content-Type", "application/json"},
                                      {"Accept", "application/json, text/event-stream"}};
    if (!session_.empty()) {
        headers.push_back({"Mcp-Session-Id", session_});
        headers.push_back({"MCP-Protocol-Version", "2025-11-25"});
    }
    ++requests_;
    return demo_http("POST", url_, std::move(headers), json_text(message), std::chrono::minutes(6));
}

result<json> demo_client_session::request(const std::string& method, json params) {
    const json id = next_id_++;
    const auto answer =
        post({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}});
    if (!answer)
        return answer.error();
    const auto wrong = [&](const std::string& what) {
        return failure::permanent(fault::upstream_malformed, method + " was answered " + what);
    };
    if (answer->status != 200)
        return wrong(std::to_string(answer->status) + " " + answer->body.substr(0, 200));
    if (const auto session = answer->header("Mcp-Session-Id"))
        session_ = *session;
    const json message = demo_answer_in(*answer, id);
    if (message.contains("error"))
        return wrong("with the error: " + message["error"].value("message", ""));
    if (!message.contains("result"))
        return wrong("without a result");
    return result<json>(boost::system::in_place_value, message["result"]);
}

result<json> demo_client_session::open() {
    auto answer = request("initialize", {{"protocolVersion", "2025-11-25"},
                                         {"capabilities", json::object()},
                                         {"clientInfo", {{"name", "plain-client"}, {"version", "1.0.0"}}}});
    if (!answer)
        return answer;
    const auto noted = post({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
    if (!noted)
        return noted.error();
    if (noted->status != 202)
        return failure::permanent(fault::upstream_malformed,
                                  "notifications/initialized was answered " + std::to_string(noted->status));
    return answer;
}

result<std::string> demo_client_session::call(const std::string& tool, json arguments) {
    const auto answer = request("tools/call", {{"name", tool}, {"arguments", std::move(arguments)}});
    if (!answer)
        return answer.error();
    const json content = answer->value("content", json::array());
    return content.empty() ? std::string{} : content[0].value("text", "");
}

} // namespace reauth
