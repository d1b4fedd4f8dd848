// UTF-8, one code point at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// Reads the code point at the front of `text` and removes its bytes. Nothing, with one byte removed, if the
/// bytes are not valid UTF-8 (overlong forms, surrogates and values past U+10FFFF included). `text` must not
/// be empty.
std::optional<char32_t> next_code_point(std::string_view& text) noexcept;

/// Appends a code point as UTF-8.
void append_utf8(std::string& out, char32_t c);

} // namespace reauth
