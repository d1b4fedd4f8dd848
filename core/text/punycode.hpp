// Punycode of one host label (RFC 3492).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// `xn--…` for a label with characters outside ASCII; an ASCII label as it is. Nothing if it gets longer than
/// the 63 characters of a DNS label.
std::optional<std::string> punycode_label(std::u32string_view label);

} // namespace reauth
