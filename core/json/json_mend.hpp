// JSON that the grammar allows and the parser refuses: read all the same, and passed on as it came.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// The text with what RFC 8259 allows and the parser does not put into a form that it takes: a lone surrogate
/// (section 8.2) reads as U+FFFD, a number beyond a double's range (section 6) as 0. As long as the text; for
/// reading alone, never to be sent. Nothing: there is nothing of that kind.
std::optional<std::string> readable_copy(std::string_view text);

/// The `id` of a message that may be no JSON: its text, where it is a number or a string; else empty. So that
/// an error of ours finds who asked.
std::string id_in_broken(std::string_view text);

} // namespace reauth
