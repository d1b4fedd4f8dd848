// Schemes, and the characters that may travel behind them.
#include "core/oauth/token_form.hpp"

#include "core/oauth/token.hpp"
#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"

#include <algorithm>

namespace reauth {

std::string_view to_string(token_form form) noexcept {
    constexpr std::string_view words[] = {"Bearer", "Basic", "Token", ""};
    return words[static_cast<std::size_t>(form)];
}

std::optional<secret> token_to_send(token_form form, std::string_view text) {
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) != 0x7f;
    });
    const bool user_and_password = form == token_form::basic && text.find(':') != text.npos;
    if (user_and_password && plain)
        return secret(base64_encode(text));
    const bool inner_spaces =
        form == token_form::none && trim_space(text) == text &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
    if (!sendable_token(text) && !inner_spaces)
        return std::nullopt;
    return secret(std::string(text));
}

} // namespace reauth
