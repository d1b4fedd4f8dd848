// A blocking HTTP client for the demo's client and person, and for tests. It knows nothing of OAuth.
#pragma once

#include "core/base/failure.hpp"
#include "core/http/http_message.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace reauth {

/// One request on a connection of its own; reads the whole answer (an event stream to its end). Redirects are
/// not followed. `timeout` is for all of it. Plain http goes to loopback only. fault::upstream_unreachable or
/// upstream_timeout.
result<http_response> demo_http(const std::string& method, const std::string& url,
                                std::vector<header_field> headers = {}, std::string body = {},
                                std::chrono::milliseconds timeout = std::chrono::seconds(60));

/// An MCP client as simple as they come: JSON-RPC over HTTP POST, a session id, no idea of OAuth.
class demo_client_session {
public:
    explicit demo_client_session(std::string url) : url_(std::move(url)) {}
    /// initialize and notifications/initialized.
    result<nlohmann::json> open();
    /// The `result` member of the answer. What is no HTTP 200 with a result is a failure that says what came.
    result<nlohmann::json> request(const std::string& method, nlohmann::json params);
    /// The text of a tool's answer.
    result<std::string> call(const std::string& tool, nlohmann::json arguments);
    /// HTTP requests sent so far.
    unsigned requests() const { return requests_; }

private:
    result<http_response> post(const nlohmann::json& message);
    std::string url_, session_;
    unsigned next_id_ = 1, requests_ = 0;
};

/// The JSON-RPC message with this id in a JSON or event-stream body; null if there is none.
nlohmann::json demo_answer_in(const http_response& response, const nlohmann::json& id);

} // namespace reauth
