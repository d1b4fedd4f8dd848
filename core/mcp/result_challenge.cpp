// Found by its bytes, then read as JSON.
#include "core/mcp/result_challenge.hpp"

#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/display_text.hpp"

#include <nlohmann/json.hpp>

namespace reauth {
namespace {

constexpr auto member = "mcp/www_authenticate";

void collect(const nlohmann::json& message, std::vector<std::string>& out) {
    if (!message.is_object() || !message.contains("result") || !message["result"].is_object())
        return;
    const auto& result = message["result"];
    const auto meta = result.find("_meta");
    if (meta == result.end() || !meta->is_object() || !meta->contains(member))
        return;
    for (auto& value : json_strings(*meta, member).value_or(std::vector<std::string>{}))
        out.push_back(std::move(value));
}

} // namespace

bool may_hold_result_challenge(std::string_view body) noexcept {
    return body.find("www_authenticate") != body.npos; // the slash before it may be escaped
}

std::vector<std::string> result_challenges(std::string_view message) {
    std::vector<std::string> out;
    const auto document = read_json(message).value_or(nlohmann::json());
    if (!document.is_array()) {
        collect(document, out);
        return out;
    }
    for (const auto& one : document)
        collect(one, out);
    return out;
}

std::string oauth_error_in(std::string_view body) {
    const auto document = parse_json_object(body);
    if (!document || document->contains("jsonrpc"))
        return {};
    return clean_text(json_string(*document, "error"), 64);
}

} // namespace reauth
