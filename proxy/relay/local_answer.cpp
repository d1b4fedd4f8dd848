// Bodies and heads of our own answers.
#include "proxy/relay/local_answer.hpp"

#include "core/http/status.hpp"
#include "core/json/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

void append_status(std::string& out, unsigned status) {
    out.append("HTTP/1.1 ").append(std::to_string(status)).append(1, ' ').append(reason_phrase(status));
    if (status == 405) // the only one that we answer: to a GET for a stream
        out.append("\r\nAllow: POST");
}

/// What follows the status line and the fields that only some answers have.
void append_json(std::string& out, std::string_view json_body, bool close, bool head_only) {
    out.append("\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: ");
    out.append(std::to_string(json_body.size()));
    if (close)
        out.append("\r\nConnection: close");
    out.append("\r\n\r\n");
    if (!head_only)
        out.append(json_body);
}

} // namespace

void append_answer(std::string& out, unsigned status, std::string_view json_body, bool close, bool head_only,
                   std::optional<std::chrono::seconds> retry_after) {
    append_status(out, status);
    if ((status == 503 || status == 429) && retry_after)
        out.append("\r\nRetry-After: ").append(std::to_string(retry_after->count()));
    append_json(out, json_body, close, head_only);
}

void append_challenge(std::string& out, unsigned status, const std::vector<std::string>& lines,
                      std::string_view json_body, bool close, bool head_only) {
    append_status(out, status);
    for (const auto& line : lines)
        out.append("\r\nWWW-Authenticate: ").append(line);
    append_json(out, json_body, close, head_only);
}

void append_refusal(std::string& out, unsigned status, std::string_view message, bool close, bool head_only) {
    nlohmann::ordered_json body;
    body["error"]["message"] = message;
    append_answer(out, status, json_text(body), close, head_only);
}

unsigned status_for(fault f) noexcept {
    switch (f) {
    case fault::upstream_unreachable:
    case fault::upstream_malformed:
        return 502;
    case fault::upstream_timeout:
        return 504;
    default:
        return 503;
    }
}

failure_answer describe_failure(const failure& why, const std::vector<rpc_message>& messages, bool batch,
                                const rpc_error_data& data, int code) {
    auto text = why.describe();
    const bool any_request =
        std::any_of(messages.begin(), messages.end(), [](const auto& m) { return m.is_request(); });
    const bool discovering = std::any_of(messages.begin(), messages.end(),
                                         [](const auto& m) { return m.method == "server/discover"; });
    if (!any_request || discovering)
        return {status_for(why.code), make_http_error(code, text, data)};
    std::string body;
    for (const auto& m : messages)
        if (m.is_request())
            body += (body.empty() ? "" : ",") + make_rpc_error(m.id, code, text, data);
    return {200, batch ? "[" + body + "]" : body};
}

} // namespace reauth
