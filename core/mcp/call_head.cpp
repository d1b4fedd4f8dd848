// Each field that a server may believe instead of the body.
#include "core/mcp/call_head.hpp"

#include "core/http/http_field.hpp"
#include "core/mcp/mcp_headers.hpp"
#include "core/text/ascii.hpp"

#include <algorithm>

namespace reauth {
namespace {

failure read_otherwise(std::string what, std::string fix) {
    return failure::permanent(fault::denied_by_policy,
                              "the policy wants a person to approve calls before they are sent, and " +
                                  std::move(what),
                              std::move(fix));
}

/// Takes white space off the front.
void skip_space(std::string_view& text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
}

std::string_view take_token(std::string_view& text) noexcept {
    const auto token = text.substr(0, token_length(text));
    text.remove_prefix(token.size());
    return token;
}

/// A token, or a quoted string without escapes: nobody writes a character set with one.
bool take_value(std::string_view& text, std::string_view& value) noexcept {
    if (!text.starts_with('"')) {
        value = take_token(text);
        return !value.empty();
    }
    const auto end = text.find_first_of("\"\\", 1);
    if (end == text.npos || text[end] != '"')
        return false;
    value = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return true;
}

/// Every message of the body does what the field says.
bool true_of_all(const call_content& content, std::string_view said, std::string tool_call::* what) {
    const auto text = mcp_header_text(said);
    return text && std::all_of(content.calls.begin(), content.calls.end(),
                               [&](const tool_call& c) { return c.*what == *text; });
}

} // namespace

bool says_utf8(std::string_view content_type) {
    auto rest = content_type;
    std::size_t named = 0;
    if (take_token(rest).empty() || !rest.starts_with('/'))
        return false;
    rest.remove_prefix(1);
    if (take_token(rest).empty())
        return false;
    for (skip_space(rest); !rest.empty(); skip_space(rest)) {
        if (!rest.starts_with(';'))
            return false; // a comma, say: two types in one
        rest.remove_prefix(1);
        skip_space(rest);
        if (rest.empty() || rest.starts_with(';'))
            continue;
        const auto name = take_token(rest);
        std::string_view value;
        if (name.empty() || !rest.starts_with('='))
            return false;
        rest.remove_prefix(1);
        if (!take_value(rest, value))
            return false;
        // `charset*` and `charset*0` are the same to who knows RFC 2231
        const auto plain = name.substr(0, name.find('*'));
        if (iequals(plain, "charset") && (plain.size() != name.size() || !iequals(value, "utf-8")))
            return false;
        named += iequals(plain, "charset") ? 1 : 0;
    }
    // some servers look for the word, wherever it stands
    std::size_t seen = 0;
    const auto lower = ascii_lower(content_type);
    for (auto at = lower.find("charset"); at != lower.npos; at = lower.find("charset", at + 1))
        ++seen;
    return seen == named;
}

result<call_content> read_call(const request_head& head, std::string_view body) {
    for (const auto& f : head) {
        if (iequals(f.name, "content-encoding"))
            return read_otherwise("this message is compressed",
                                  "send it uncompressed, without Content-Encoding");
        if (f.id == field_id::content_type && !says_utf8(f.value))
            return read_otherwise("a Content-Type says that this message is something else than UTF-8",
                                  "send `Content-Type: application/json`");
    }
    auto content = read_call_content(body);
    if (!content)
        return content;
    for (const auto& f : head) {
        const bool method = iequals(f.name, "mcp-method"), name = iequals(f.name, "mcp-name");
        if ((method && !true_of_all(*content, f.value, &tool_call::method)) ||
            (name && !true_of_all(*content, f.value, &tool_call::named)))
            return read_otherwise(std::string(method ? "Mcp-Method" : "Mcp-Name") +
                                      " says something else than the message",
                                  "let both say the same, or leave the field out");
    }
    return content;
}

} // namespace reauth
