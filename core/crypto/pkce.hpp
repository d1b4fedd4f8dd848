// Proof key for code exchange, S256 only (RFC 7636).
#pragma once

#include "core/base/secret.hpp"
#include "core/crypto/random.hpp"

#include <string>

namespace reauth {

struct pkce_pair {
    secret verifier;       ///< 43 characters from 32 random bytes
    std::string challenge; ///< base64url(SHA-256(verifier))
};

pkce_pair make_pkce(const random_source& random);

/// S256 of a verifier (RFC 7636 §4.2).
std::string pkce_challenge(const secret& verifier);

} // namespace reauth
