// What a server says about its refusal, as a person may read it: cleaned, short, and without any secret that
// it was sent and echoes.
#pragma once

#include "core/base/secret.hpp"
#include "core/http/http_message.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Secrets that an answer may echo.
using sent_secrets = std::vector<secret>;

/// Those of a request to a token, registration or device endpoint: its credentials, whole and decoded, and
/// the form parameters that are secret (code, code_verifier, refresh_token, client_secret, assertion …).
sent_secrets secrets_of(const http_request& request);

/// `text` with every piece of a secret in it, from eight characters on, replaced by "[redacted]".
std::string without_secrets(std::string_view text, const sent_secrets& secrets);

/// clean_text(), and without the secrets.
std::string clean_foreign(std::string_view text, const sent_secrets& secrets, std::size_t cap = 200);

/// What the answer says of itself, where it is no answer of its protocol: its message, the names of its
/// members, the title of its page or its first words. Never the values of unknown members. May be empty.
std::string words_of(const http_response& answer, const std::optional<nlohmann::json>& document,
                     const sent_secrets& secrets);

/// The `error` of a JSON answer in any of the spellings in use: a string, an object with a code, or
/// error_code. Empty: none.
std::string error_word(const nlohmann::json& document);
/// Its description: error_description, message, msg, detail, also inside an `error` object. Empty: none.
std::string error_text(const nlohmann::json& document);

} // namespace reauth
