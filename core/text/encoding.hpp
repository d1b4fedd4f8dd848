// Text encodings of OAuth: base64, base64url, hex, percent and form encoding.
#pragma once

#include "core/base/secret.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

/// base64url without padding (RFC 4648 §5, as RFC 7515 §2 uses it).
std::string base64url_encode(std::string_view bytes);
/// Decodes base64url; padding may be there or not. Nothing if a character or the length is wrong.
std::optional<std::string> base64url_decode(std::string_view text);
/// base64 with padding (RFC 4648 §4).
std::string base64_encode(std::string_view bytes);
/// Decodes base64; padding may be there or not. Nothing if a character or the length is wrong.
std::optional<std::string> base64_decode(std::string_view text);
/// Lower-case hex.
std::string hex_encode(std::string_view bytes);

/// One value as application/x-www-form-urlencoded (RFC 6749 appendix B): unreserved characters stay, space
/// becomes `+`.
std::string form_encode(std::string_view value);
/// One value percent-encoded for a URL query (space becomes %20).
std::string percent_encode(std::string_view value);
/// Decodes %XX; `+` becomes a space only if asked. Nothing on a broken escape.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// Decoded names and values in the order they came.
using form_fields = std::vector<std::pair<std::string, std::string>>;

/// Parses a form body or a query (without `?`). Fields with broken escapes are dropped; at most 256 fields
/// are read.
form_fields parse_form(std::string_view text);
/// The first value of that name, or nothing.
std::optional<std::string_view> form_value(const form_fields& fields, std::string_view name) noexcept;

/// A form body under construction. It holds secrets, so it ends as one.
class form_body {
public:
    /// Appends name=value, encoded.
    form_body& add(std::string_view name, std::string_view value);
    form_body& add(std::string_view name, const secret& value) { return add(name, value.reveal()); }
    /// Appends only if the value is not empty.
    form_body& add_if(std::string_view name, std::string_view value) {
        return value.empty() ? *this : add(name, value);
    }
    /// The finished body; the builder is empty afterwards.
    secret take();

private:
    std::string text_;
};

} // namespace reauth
