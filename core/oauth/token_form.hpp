// How a token that the configuration gives is sent.
#pragma once

#include "core/base/secret.hpp"

#include <optional>
#include <string_view>

namespace reauth {

/// How a configured token is sent: its scheme (RFC 9110 section 11.4), or none (the bare value).
enum class token_form { bearer, basic, token, none };
/// The scheme's word; empty for none.
std::string_view to_string(token_form form) noexcept;
/// What is sent behind the scheme: a `user:password` of Basic is encoded (RFC 7617 section 2), a bare value
/// may hold single spaces. Nothing: it holds characters that may not be sent so.
std::optional<secret> token_to_send(token_form form, std::string_view text);

} // namespace reauth
