// Brackets, commas and colons outside of strings are counted; only then the library is let at the text.
#include "core/json/json_reader.hpp"

#include "core/json/json_mend.hpp"
#include "core/json/json_scan.hpp"

namespace reauth {
namespace {

constexpr std::size_t deepest_written = 512;

/// Goes down no further than `left` levels.
template<class Json>
bool shallower_than(const Json& value, std::size_t left) {
    if (!value.is_structured())
        return true;
    if (left == 0)
        return false;
    for (const auto& one : value)
        if (!shallower_than(one, left - 1))
            return false;
    return true;
}

template<class Json>
std::string dumped(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

} // namespace

bool within_bounds(std::string_view text, const json_bounds& bounds) noexcept {
    if (text.size() > bounds.bytes)
        return false;
    std::size_t depth = 0, values = 1;
    return scan_json(text, [&](std::size_t, char c) {
        const bool opens = c == '[' || c == '{', closes = c == ']' || c == '}';
        depth += opens ? 1 : 0;
        depth -= closes && depth > 0 ? 1 : 0;
        values += opens || c == ',' ? 1 : 0;
        return depth <= bounds.depth && values <= bounds.values;
    });
}

template<class Json>
std::optional<Json> read_json(std::string_view text, const json_bounds& bounds) {
    if (!within_bounds(text, bounds) || text.find('\0') != text.npos)
        return std::nullopt;
    auto out = Json::parse(text.begin(), text.end(), nullptr, false);
    if (out.is_discarded())
        return std::nullopt;
    return out;
}

template<class Json>
std::optional<Json> read_message_json(std::string_view text) {
    auto out = read_json<Json>(text, whole_message);
    if (out)
        return out;
    const auto mended = readable_copy(text);
    return mended ? read_json<Json>(*mended, whole_message) : std::nullopt;
}

bool is_json(std::string_view text) {
    if (text.find('\0') != text.npos)
        return false;
    if (nlohmann::json::accept(text.begin(), text.end()))
        return true;
    const auto mended = readable_copy(text);
    return mended && nlohmann::json::accept(mended->begin(), mended->end());
}

template<class Json>
std::string json_text(const Json& value, int indent) {
    return shallower_than(value, deepest_written) ? dumped(value, indent) : "null";
}

std::string json_text_of(std::string_view text) {
    return dumped(nlohmann::json(text), -1);
}

template std::optional<nlohmann::json> read_json(std::string_view, const json_bounds&);
template std::optional<nlohmann::ordered_json> read_json(std::string_view, const json_bounds&);
template std::optional<nlohmann::json> read_message_json(std::string_view);
template std::optional<nlohmann::ordered_json> read_message_json(std::string_view);
template std::string json_text(const nlohmann::json&, int);
template std::string json_text(const nlohmann::ordered_json&, int);

} // namespace reauth
