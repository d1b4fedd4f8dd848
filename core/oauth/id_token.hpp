// OpenID Connect ID tokens: what must hold before one is used (OIDC Core §3.1.3.7), and an unverified look at
// expiry.
#pragma once

#include "core/base/failure.hpp"
#include "core/oauth/credential.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// What an ID token has to say.
struct id_token_expectation {
    std::string issuer;
    std::string client_id;
    std::string nonce; ///< empty: not checked (renewed or supplied tokens)
    time_point now;
    std::chrono::seconds skew{60};
    std::vector<std::string> algorithms{"RS256", "ES256", "PS256", "EdDSA"};
};

/// The claims we use.
struct id_token_claims {
    std::string issuer, subject, email;
    std::string session;   ///< `sid`
    std::string preferred; ///< `preferred_username`, else `name`
    time_point expires_at;
    std::optional<time_point> issued_at;
};

/// Checks signature (against a JWKS document), iss, aud and azp, exp, iat and nonce. fault::reauth_failed
/// with one sentence that says which of them is wrong.
result<id_token_claims> check_id_token(const secret& id_token, std::string_view jwks,
                                       const id_token_expectation& expected);

/// The claims of a token that somebody else will verify; nothing is checked but the shape.
result<id_token_claims> peek_id_token(const secret& id_token);

} // namespace reauth
