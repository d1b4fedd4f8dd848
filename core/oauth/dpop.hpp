// DPoP proofs (RFC 9449 §4): a token bound to a key is sent with a fresh proof each time.
#pragma once

#include "core/base/failure.hpp"
#include "core/crypto/random.hpp"
#include "core/http/http_message.hpp"
#include "core/oauth/credential.hpp"

#include <string>
#include <string_view>

namespace reauth {

/// What one proof is for.
struct dpop_target {
    std::string method;
    std::string url;     ///< query and fragment are left out of `htu`
    std::string nonce;   ///< last DPoP-Nonce of that server; empty: none
    secret access_token; ///< for `ath`; empty at the token endpoint
};

/// A proof with a new jti: the DPoP field's value. `key` is a private EC P-256 JWK (generate_ec_jwk).
result<std::string> dpop_proof(const secret& key, const dpop_target& target, time_point now,
                               const random_source& random);

/// Puts a fresh proof for a token request into its headers, in place of an older one.
result<void> add_dpop_proof(http_request& request, const secret& key, std::string_view nonce, time_point now,
                            const random_source& random);

/// Thumbprint of the key (RFC 9449 §6 jkt; dpop_jkt of authorization requests §10).
result<std::string> dpop_thumbprint(const secret& key);

} // namespace reauth
