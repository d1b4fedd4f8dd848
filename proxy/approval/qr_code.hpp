// A QR code, drawn by us: no third party sees the address.
#pragma once

#include <string>
#include <string_view>

namespace reauth {

/// An SVG element of that text (libqrencode, error correction M), dark on light whatever the theme; `label`
/// is what a screen reader says. Empty if the text is too long for a code.
std::string qr_svg(std::string_view text, std::string_view label);

} // namespace reauth
