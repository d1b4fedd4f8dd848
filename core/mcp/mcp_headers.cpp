// Values that are safe in a field, and the walk through a tool's schema.
#include "core/mcp/mcp_headers.hpp"

#include "core/http/http_field.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

namespace reauth {
namespace {

using nlohmann::json;

constexpr std::string_view header_key = "x-mcp-header", coded_begin = "=?base64?", coded_end = "?=";
constexpr unsigned deepest = 64;
constexpr std::int64_t largest_safe = (std::int64_t(1) << 53) - 1; ///< of ECMAScript: beyond it peers differ

bool plain_value(std::string_view text) {
    if (text.empty() || text != trim_space(text) ||
        (text.starts_with(coded_begin) && text.ends_with(coded_end)))
        return false;
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

std::string_view name_of(const rpc_message& m) {
    if (m.method == "tools/call" || m.method == "prompts/get" || m.method == "resources/read")
        return m.tool;
    if (m.method == "tasks/get" || m.method == "tasks/update" || m.method == "tasks/cancel")
        return m.task;
    return {};
}

/// Nothing where the value has no form in a field.
std::string text_of(const json& value) {
    if (value.is_string())
        return mcp_header_value(value.get_ref<const std::string&>());
    if (value.is_boolean())
        return value.get<bool>() ? "true" : "false";
    if (value.is_number_unsigned() && value.get<std::uint64_t>() <= std::uint64_t(largest_safe))
        return json_text(value);
    if (value.is_number_integer() && !value.is_number_unsigned() &&
        value.get<std::int64_t>() >= -largest_safe)
        return json_text(value);
    return {};
}

} // namespace

std::string mcp_header_value(std::string_view text) {
    if (plain_value(text))
        return std::string(text);
    return std::string(coded_begin) + base64_encode(text) + std::string(coded_end);
}

std::optional<std::string> mcp_header_text(std::string_view value) {
    if (value.size() >= coded_begin.size() + coded_end.size() && value.starts_with(coded_begin) &&
        value.ends_with(coded_end))
        return base64_decode(
            value.substr(coded_begin.size(), value.size() - coded_begin.size() - coded_end.size()));
    if (!plain_value(value))
        return std::nullopt;
    return std::string(value);
}

std::vector<header_field> mcp_request_fields(const rpc_message& request) {
    std::vector<header_field> out{{"MCP-Protocol-Version", mcp_header_value(request.protocol_version)},
                                  {"Mcp-Method", mcp_header_value(request.method)}};
    if (const auto name = name_of(request); !name.empty())
        out.push_back({"Mcp-Name", mcp_header_value(name)});
    return out;
}

/// One schema: an annotation counts on properties that a chain of `properties` leads to, and nowhere else.
struct tool_headers::scan {
    std::vector<declaration> found;
    std::set<std::string> names;
    bool sound = true;

    void visit(const json& schema, std::vector<std::string>& path, bool reachable, unsigned depth = 0) {
        if (!schema.is_object() || !sound)
            return;
        sound = depth < deepest;
        if (const auto header = schema.find(header_key); header != schema.end())
            declare(schema, *header, path, reachable);
        for (const auto& [key, value] : schema.items())
            if (key != "properties")
                visit_within(key, value, path, depth);
        const auto properties = schema.find("properties");
        if (properties == schema.end() || !properties->is_object())
            return;
        for (const auto& [key, value] : properties->items()) {
            path.push_back(key);
            visit(value, path, reachable, depth + 1);
            path.pop_back();
        }
    }

private:
    void declare(const json& schema, const json& header, const std::vector<std::string>& path,
                 bool reachable) {
        const auto name = header.is_string() ? header.get<std::string>() : std::string();
        const auto type = schema.value("type", json());
        sound = reachable && !path.empty() && valid_token(name) &&
                (type == "string" || type == "integer" || type == "boolean") &&
                names.insert(ascii_lower(name)).second;
        if (sound)
            found.push_back({path, name});
    }
    /// Keywords that hold one schema, a list of them, or an object of them.
    void visit_within(const std::string& key, const json& value, std::vector<std::string>& path,
                      unsigned depth) {
        static constexpr std::array<std::string_view, 14> plain{"items",
                                                                "prefixItems",
                                                                "contains",
                                                                "additionalProperties",
                                                                "unevaluatedProperties",
                                                                "unevaluatedItems",
                                                                "propertyNames",
                                                                "oneOf",
                                                                "anyOf",
                                                                "allOf",
                                                                "not",
                                                                "if",
                                                                "then",
                                                                "else"};
        static constexpr std::array<std::string_view, 4> named{"patternProperties", "dependentSchemas",
                                                               "$defs", "definitions"};
        const bool by_name = std::find(named.begin(), named.end(), key) != named.end();
        if (!by_name && std::find(plain.begin(), plain.end(), key) == plain.end())
            return;
        if (value.is_array() || (by_name && value.is_object()))
            for (const auto& one : value)
                visit(one, path, false, depth + 1);
        else
            visit(value, path, false, depth + 1);
    }
};

std::string tool_headers::learn(std::string answer) {
    if (answer.find(header_key) == std::string::npos && tools_.empty())
        return answer;
    auto read = read_message_json<nlohmann::ordered_json>(answer);
    if (!read || !read->is_object())
        return answer;
    auto& parsed = *read;
    const auto result = parsed.find("result");
    if (result == parsed.end() || !result->is_object() || !result->contains("tools") ||
        !(*result)["tools"].is_array())
        return answer;
    auto& tools = (*result)["tools"];
    auto kept = nlohmann::ordered_json::array();
    for (auto& tool : tools) {
        const json seen = tool;
        scan look;
        std::vector<std::string> path;
        if (seen.is_object() && seen.contains("inputSchema"))
            look.visit(seen["inputSchema"], path, true);
        if (!look.sound)
            continue;
        if (seen.is_object() && seen.contains("name") && seen["name"].is_string())
            tools_[seen["name"].get<std::string>()] = std::move(look.found);
        kept.push_back(std::move(tool));
    }
    if (kept.size() == tools.size())
        return answer;
    tools = std::move(kept);
    return json_text(parsed);
}

std::vector<header_field> tool_headers::fields(std::string_view tool, std::string_view message) const {
    const auto known = tools_.find(tool);
    if (known == tools_.end() || known->second.empty())
        return {};
    std::vector<header_field> out;
    const auto parsed = read_message_json(message).value_or(json());
    for (const auto& d : known->second) {
        const auto* at = &parsed;
        for (const char* key : {"params", "arguments"})
            at = at && at->is_object() && at->contains(key) ? &(*at)[key] : nullptr;
        for (const auto& key : d.path)
            at = at && at->is_object() && at->contains(key) ? &(*at)[key] : nullptr;
        auto text = at ? text_of(*at) : std::string();
        if (!text.empty())
            out.push_back({"Mcp-Param-" + d.name, std::move(text)});
    }
    return out;
}

} // namespace reauth
