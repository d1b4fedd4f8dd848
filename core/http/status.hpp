// Status codes in words.
#pragma once

#include <string_view>

namespace reauth {

/// The reason phrase (RFC 9110 §15); "Error" for codes that nobody here answers.
std::string_view reason_phrase(unsigned status) noexcept;

} // namespace reauth
