// The HTTP messages that flows exchange with authorization servers: small, whole, and free of any transport.
#pragma once

#include "core/base/secret.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// A status of trouble that passes: 5xx, 408, 425, 429 (RFC 9110 §15, RFC 6585 §4, RFC 8470 §5.2).
constexpr bool may_work_later(unsigned status) noexcept {
    return status >= 500 || status == 408 || status == 425 || status == 429;
}

/// One header field. Values that carry credentials go into http_request::authorization or `body` instead.
struct header_field {
    std::string name;
    std::string value;
};

/// A request that a flow wants to have made. `url` is absolute, http or https.
/// `authorization` (the whole field value) and `body` may hold secrets and so redact themselves.
struct http_request {
    std::string method = "GET";
    std::string url;
    std::vector<header_field> headers;
    secret authorization;
    secret body;
};

/// The whole answer, at most 256 KiB; header names compare case-insensitively.
struct http_response {
    unsigned status = 0;
    std::vector<header_field> headers;
    std::string body;

    /// The first field of that name, or nothing.
    std::optional<std::string_view> header(std::string_view name) const;
};

} // namespace reauth
