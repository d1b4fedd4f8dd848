// The head of an answer of http_service.
#pragma once

#include "core/http/http_message.hpp"

#include <string>
#include <vector>

namespace reauth {

/// Its bytes, with a Date. Names that are none, and values with CR, LF or NUL, throw std::invalid_argument:
/// they would split it.
std::string format_response_head(unsigned status, const std::vector<header_field>& headers);

} // namespace reauth
