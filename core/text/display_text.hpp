// Makes strings from outside fit to show: no control or bidi characters, valid UTF-8, capped, escaped.
#pragma once

#include <string>
#include <string_view>

namespace reauth {

/// A copy that is safe to print: control, bidi, zero-width and other invisible format characters go, line
/// breaks and tabs become one space, invalid UTF-8 becomes U+FFFD; longer than `cap` code points is cut and
/// ends with "…".
std::string clean_text(std::string_view text, std::size_t cap = 200);

/// The character as it is, or as its JSON escape (`\u200b`) where it has no shape of its own, or the shape of
/// another: control, bidi, zero-width and other invisible characters, and spaces other than U+0020.
void append_visible(std::string& out, char32_t c);

/// The whole text so, nothing of it left out or put together: for what a person decides by. Invalid UTF-8
/// becomes U+FFFD.
std::string visible_text(std::string_view text);

/// A name so, where also a space at an end or beside another is written as its escape; longer than `cap` code
/// points is cut and ends with "…".
std::string visible_name(std::string_view text, std::size_t cap = 200);

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
