// One look at a message on each way.
#include "core/mcp/tool_filter.hpp"

#include "core/json/json_reader.hpp"
#include "core/mcp/json_rpc.hpp"
#include "core/oauth/scope.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

constexpr int invalid_params = -32602; // "Unknown tools", MCP 2025-11-25, tools, error handling

std::string refusal(const std::string& id, std::string_view tool) {
    const auto said = nlohmann::json("Tool \"" + clean_text(tool, 128) + "\" is not available");
    return R"({"jsonrpc":"2.0","id":)" + id + R"(,"error":{"code":)" + std::to_string(invalid_params) +
           R"(,"message":)" + json_text(said) + "}}";
}

} // namespace

tool_filter::tool_filter(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {
    for (auto& p : patterns_)
        p = ascii_lower(p);
}

bool tool_filter::hides(std::string_view tool) const {
    const auto lower = ascii_lower(tool);
    return std::any_of(patterns_.begin(), patterns_.end(),
                       [&](const auto& p) { return glob_match(p, lower); });
}

std::optional<std::vector<std::string>> tool_filter::from_client(std::string_view message) {
    const auto body = parse_rpc(message);
    const auto& all = body.messages;
    const auto hidden = std::find_if(
        all.begin(), all.end(), [&](const auto& m) { return m.method == "tools/call" && hides(m.tool); });
    if (hidden == all.end()) {
        for (const auto& m : all)
            if (m.method == "tools/list" && m.is_request())
                lists_.insert(m.id);
        return {};
    }
    // of a batch the others too: one line goes as it is, or not at all
    std::vector<std::string> answers;
    for (const auto& m : all)
        if (m.is_request())
            answers.push_back(refusal(m.id, hidden->tool));
    return answers;
}

std::string tool_filter::for_client(std::string message) {
    if (lists_.empty())
        return message;
    const auto body = parse_rpc(message);
    bool lists = false;
    for (const auto& m : body.messages)
        lists = (m.is_response() && !m.id.empty() && lists_.erase(m.id) > 0) || lists;
    if (!lists)
        return message;
    auto read = read_message_json<nlohmann::ordered_json>(message);
    if (!read)
        return message;
    bool changed = false;
    const auto strip = [&](nlohmann::ordered_json& one) {
        const auto result = one.is_object() ? one.find("result") : one.end();
        if (result == one.end() || !result->is_object() || !result->contains("tools") ||
            !(*result)["tools"].is_array())
            return;
        auto kept = nlohmann::ordered_json::array();
        for (auto& tool : (*result)["tools"])
            if (!tool.is_object() || !tool.contains("name") || !tool["name"].is_string() ||
                !hides(tool["name"].get<std::string>()))
                kept.push_back(std::move(tool));
        (*result)["tools"] = std::move(kept);
        changed = true;
    };
    if (read->is_array())
        std::for_each(read->begin(), read->end(), strip);
    else
        strip(*read);
    return changed ? json_text(*read) : message;
}

} // namespace reauth
