// Makes strings from outside fit to show: no control or bidi characters, valid UTF-8, capped, escaped.
#pragma once

#include <string>
#include <string_view>

namespace reauth {

/// A copy that is safe to print: control, bidi, zero-width and other invisible format characters go, line
/// breaks and tabs become one space, invalid UTF-8 becomes U+FFFD; longer than `cap` code points is cut and
/// ends with "…".
std::string clean_text(std::string_view text, std::size_t cap = 200);

/// Escapes & < > " ' for HTML text and quoted attributes. Call it on the result of clean_text.
std::string html_escape(std::string_view text);

/// A host name as a person may trust it: lower case, ASCII only. Labels with other characters (raw UTF-8 or
/// percent-encoded) are shown in punycode (RFC 3492, `xn--`); what cannot be shown so becomes "(invalid
/// host)".
std::string display_host(std::string_view host);

/// A failure's words as a sentence for a person: a large letter first (unless it is code or a name), a full
/// stop last. Empty stays empty.
std::string as_sentence(std::string_view words);

} // namespace reauth
