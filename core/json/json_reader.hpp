// The one way in for JSON from outside, and the one way out: depth, size and members are counted before a
// document is built, since building, copying and dumping what is nested without end ends the stack.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// What a document may be at most.
struct json_bounds {
    std::size_t bytes = 256 * 1024;
    std::size_t depth = 128;     ///< levels of objects and arrays
    std::size_t values = 50'000; ///< members, elements and containers together
};

/// Metadata, token answers, registrations, stored records, what the API is sent.
inline constexpr json_bounds small_document{};
/// One MCP message: as large as an answer may be (64 MiB), as deep as a message that we read ourselves.
inline constexpr json_bounds whole_message{64u << 20, 256, 1'000'000};
/// What our own approval API answers, of any number of approvals.
inline constexpr json_bounds api_answer{16u << 20, 128, 500'000};

/// One look without recursion and without memory: whether the text stays within the bounds. It may still be
/// no JSON.
bool within_bounds(std::string_view text, const json_bounds& bounds) noexcept;

/// Nothing: it is no JSON (RFC 8259), or more than the bounds allow. A NUL outside of it is no end.
template<class Json = nlohmann::json>
std::optional<Json> read_json(std::string_view text, const json_bounds& bounds = small_document);

/// The same of a message that is passed on as it came: what the grammar allows and the parser does not take
/// (json_mend.hpp) is read as well as it can be.
template<class Json = nlohmann::json>
std::optional<Json> read_message_json(std::string_view text);

/// The grammar alone, at no depth that counts: nothing is built.
bool is_json(std::string_view text);

/// Text of a document, on one line, or indented by `indent`. Bytes that are no UTF-8 become U+FFFD; what is
/// nested beyond 512 levels, which nothing that was read is, becomes null.
template<class Json>
std::string json_text(const Json& value, int indent = -1);

/// A string as JSON text.
std::string json_text_of(std::string_view text);

/// A reader's walk over the events of a text (nlohmann's SAX): the reader keeps count of the depth itself.
/// The parser takes a NUL for the end of its input, and would not see what follows: such a text is refused.
template<class Reader>
bool walk_json(std::string_view text, Reader& reader) {
    return text.find('\0') == text.npos && nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
}

extern template std::optional<nlohmann::json> read_json(std::string_view, const json_bounds&);
extern template std::optional<nlohmann::ordered_json> read_json(std::string_view, const json_bounds&);
extern template std::optional<nlohmann::json> read_message_json(std::string_view);
extern template std::optional<nlohmann::ordered_json> read_message_json(std::string_view);
extern template std::string json_text(const nlohmann::json&, int);
extern template std::string json_text(const nlohmann::ordered_json&, int);

} // namespace reauth
