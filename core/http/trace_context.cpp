// Strict: what is malformed is as if it had not come (section 4).
#include "core/http/trace_context.hpp"

#include "core/http/http_head.hpp"
#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"

#include <algorithm>

namespace reauth {
namespace {

bool lower_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool all_zero(std::string_view text) {
    return text.find_first_not_of('0') == text.npos;
}

} // namespace

std::string trace_context::text() const {
    return "00-" + trace_id + "-" + span_id + (sampled ? "-01" : "-00");
}

std::optional<trace_context> parse_traceparent(std::string_view value) {
    constexpr std::size_t length = 55;
    if (value.size() < length || value[2] != '-' || value[35] != '-' || value[52] != '-')
        return std::nullopt;
    const auto version = value.substr(0, 2), trace = value.substr(3, 32), span = value.substr(36, 16),
               flags = value.substr(53, 2);
    // a later version may have more behind another hyphen
    const bool whole =
        version == "00" ? value.size() == length : value.size() == length || value[length] == '-';
    if (!whole || version == "ff" || !lower_hex(version) || !lower_hex(trace) || !lower_hex(span) ||
        !lower_hex(flags) || all_zero(trace) || all_zero(span))
        return std::nullopt;
    const auto digit = flags[1] <= '9' ? flags[1] - '0' : flags[1] - 'a' + 10;
    return trace_context{std::string(trace), std::string(span), (digit & 1) != 0};
}

std::string traceparent_of(const message_head& head) {
    for (const auto& f : head)
        if (f.id == field_id::other && iequals(f.name, "traceparent"))
            return parse_traceparent(f.value) ? std::string(f.value) : std::string();
    return {};
}

std::string new_span_id(const random_source& random) {
    auto id = hex_encode(random(8));
    if (all_zero(id))
        id.back() = '1';
    return id;
}

std::string new_trace_id(const random_source& random) {
    auto id = hex_encode(random(16));
    if (all_zero(id))
        id.back() = '1';
    return id;
}

} // namespace reauth
