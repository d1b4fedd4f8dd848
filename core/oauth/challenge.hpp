// What an upstream's 401 or 403 asks for: WWW-Authenticate parsed and classified (RFC 9110 §11.6.1, RFC 6750
// §3, RFC 9728 §5.1, RFC 9449 §7.1).
#pragma once

#include "core/http/http_message.hpp"
#include "core/oauth/scope.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

/// One challenge of a WWW-Authenticate field. Scheme and parameter names are lower-cased; values are
/// unquoted.
struct auth_challenge {
    std::string scheme;
    std::string token68;
    std::vector<std::pair<std::string, std::string>> params;

    /// The first parameter of that (lower-case) name, or nothing.
    std::optional<std::string_view> param(std::string_view name) const noexcept;
};

/// Parses all WWW-Authenticate field lines. Never fails: what breaks the grammar is skipped, and of hostile
/// input at most 16 challenges, 32 parameters each and 16 KiB in total are read.
std::vector<auth_challenge> parse_www_authenticate(const std::vector<std::string_view>& lines);

/// How a status and its challenges are to be taken.
enum class challenge_kind {
    not_a_challenge,     ///< the upstream's own answer: relay it
    unauthorized,        ///< 401 (or what names resource_metadata) and no token was sent
    token_expired,       ///< the same without an error, although a token was sent
    invalid_token,       ///< 401 (or 403) that says the token is dead
    insufficient_scope,  ///< 403 with insufficient_scope: step-up
    user_authentication, ///< insufficient_user_authentication (RFC 9470 §3): a person signs in afresh
    dpop_nonce,          ///< 401 use_dpop_nonce: repeat with `dpop_nonce`, no new token is needed
};
std::string_view to_string(challenge_kind k) noexcept;

/// The summary of an answer's Bearer and DPoP challenges. All strings come from outside: clean them before
/// they are shown.
struct parsed_challenge {
    challenge_kind kind = challenge_kind::not_a_challenge;
    bool bearer = false; ///< a Bearer challenge is among them
    bool dpop = false;   ///< a DPoP challenge is among them
    std::string error;   ///< RFC 6750 §3.1; empty: none
    std::string error_description;
    std::optional<scope_set> scope; ///< authoritative for the operation; nothing: not said
    std::string resource_metadata;  ///< RFC 9728 §5.1; empty: not said
    std::vector<std::string> dpop_algs;
    std::string acr_values; ///< RFC 9470 §3: how the person must have signed in; empty: not said
    std::optional<std::chrono::seconds> max_age; ///< … and how long ago at most
    std::string dpop_nonce; ///< of the DPoP-Nonce field (RFC 9449 §8); may come with any answer; empty: none
};

/// Whether an answer of that status can be a challenge: 400, 401, 403, and where a WWW-Authenticate names
/// resource_metadata also a redirect (a login page in front of the server).
bool may_challenge(unsigned status) noexcept;

/// Reads an upstream's answer. Challenges of any scheme count that name resource_metadata. `token_sent`: the
/// request carried our access token.
parsed_challenge read_challenge(unsigned status, const std::vector<std::string_view>& www_authenticate,
                                std::string_view dpop_nonce_field, bool token_sent);
/// The same from header fields.
parsed_challenge read_challenge(unsigned status, const std::vector<header_field>& headers, bool token_sent);

/// True if it has only the characters of RFC 9449 §8.1, at least one, at most 1024: else it is not sent back.
bool valid_dpop_nonce(std::string_view nonce) noexcept;

} // namespace reauth
