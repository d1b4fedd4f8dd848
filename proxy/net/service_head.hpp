// What a request head must look like before http_service believes it: stricter than Beast's parser, which
// lets request smuggling through. Pure, so that it can be tested byte by byte.
#pragma once

#include "core/http/http_message.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Looks at the raw bytes of a head, up to and including the empty line: bare CR or LF, control characters,
/// folded lines (RFC 9112 §5.2) and spaces around a field name are refused. The sentence says what is wrong;
/// nothing: fine.
std::optional<std::string> malformed_head_bytes(std::string_view head);

/// What the framing rules ask of a parsed head.
struct framing_verdict {
    unsigned status = 0; ///< 0: fine; else the status to answer
    std::string reason;
};

/// RFC 9112 §3.2 (exactly one well-formed Host in HTTP/1.1), §6.1 and §6.3 (one Content-Length of digits, or
/// Transfer-Encoding exactly `chunked`, never both), origin-form targets only. `version` is 10 or 11.
framing_verdict check_framing(std::string_view method, std::string_view target, unsigned version,
                              const std::vector<header_field>& headers);

/// The bytes of an answer's head. Field values with CR, LF or NUL throw std::invalid_argument: they would
/// split it.
std::string format_response_head(unsigned status, const std::vector<header_field>& headers);

} // namespace reauth
