// W3C Trace Context: the `traceparent` field (level 1, section 3.2).
#pragma once

#include "core/crypto/random.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

struct message_head;

struct trace_context {
    std::string trace_id; ///< 32 hexadecimal digits
    std::string span_id;  ///< 16, of whoever calls
    bool sampled = false; ///< the caller records it

    /// The field's value.
    std::string text() const;
};

/// Nothing: it is not what the standard says.
std::optional<trace_context> parse_traceparent(std::string_view value);
/// The value of the field as it came, where it is sound; else empty.
std::string traceparent_of(const message_head& head);
/// 16 hexadecimal digits, never all zero.
std::string new_span_id(const random_source& random);
/// 32.
std::string new_trace_id(const random_source& random);

} // namespace reauth
