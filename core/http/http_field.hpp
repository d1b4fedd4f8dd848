// The lexical pieces of HTTP fields: characters, names, lists (RFC 9110 §5).
#pragma once

#include "core/http/http_head.hpp"

#include <cstdint>
#include <string_view>

namespace reauth {

/// tchar of RFC 9110 §5.6.2.
bool is_token_char(char c) noexcept;

/// How many token characters it begins with.
std::size_t token_length(std::string_view text) noexcept;

/// A whole token (RFC 9110 §5.6.2): a method, a field's name.
bool valid_token(std::string_view text) noexcept;

/// No control characters but HTAB (RFC 9110 §5.5); bytes ≥ 0x80 pass.
bool valid_field_value(std::string_view value) noexcept;

/// Origin form ('/'…) or `*`: printable ASCII without space, fragment, quote or angle brackets.
bool valid_target(std::string_view target) noexcept;

/// uri-host [":" port] with the characters a host may have.
bool valid_host(std::string_view host) noexcept;

/// Digits only, no sign, no overflow of 63 bits.
bool parse_decimal(std::string_view text, std::uint64_t& value) noexcept;

/// Whether `name` stands, in any case, in a list like ",x-org,x-team,".
bool name_in_list(std::string_view list, std::string_view name) noexcept;

/// The kind of field that a name denotes; `name` is a token (RFC 9110 §5.1), whose characters were checked.
field_id identify_field(std::string_view name) noexcept;

/// Calls f for each non-empty comma-separated item, trimmed.
template<class F>
void for_each_list_item(std::string_view list, F&& f) {
    while (!list.empty()) {
        auto comma = list.find(',');
        auto item = list.substr(0, comma);
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
        while (!item.empty() && (item.front() == ' ' || item.front() == '\t'))
            item.remove_prefix(1);
        while (!item.empty() && (item.back() == ' ' || item.back() == '\t'))
            item.remove_suffix(1);
        if (!item.empty())
            f(item);
    }
}

} // namespace reauth
