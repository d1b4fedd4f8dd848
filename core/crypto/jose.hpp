// JWS and JWK (RFC 7515, 7517, 7518, 7638): sign ES256, RS256, PS256; verify those and EdDSA. `none` and HS*
// are refused.
#pragma once

#include "core/base/failure.hpp"
#include "core/base/secret.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Turns a private key, PEM (PKCS#8, SEC 1, PKCS#1) or JWK, into a JWK with the private members.
/// fault::invalid_configuration if it is none of them.
result<secret> private_jwk(const secret& pem_or_jwk);

/// Signs claims as a compact JWS. `alg` is ES256, RS256 or PS256 and must fit the key; `header` may add
/// members (typ, jwk, kid). fault::invalid_configuration if key and algorithm do not fit.
result<std::string> sign_jwt(const secret& pem_or_jwk, std::string_view alg, const nlohmann::json& header,
                             const nlohmann::json& claims);

/// Header and claims of a compact JWS, nothing verified. fault::reauth_failed if it is none.
result<nlohmann::json> decode_jwt_header(std::string_view jwt);
result<nlohmann::json> decode_jwt_claims(std::string_view jwt);

/// Verifies a compact JWS against a JWKS document (`{"keys":[…]}`) and gives its claims. `algorithms` lists
/// what is accepted (RS256, PS256, ES256, EdDSA); with a `kid` only keys of that kid count.
/// fault::reauth_failed otherwise.
result<nlohmann::json> verify_jwt(std::string_view jwt, std::string_view jwks,
                                  const std::vector<std::string>& algorithms);

/// Why a JWT is not verified.
enum class jwt_fault {
    malformed,
    algorithm, ///< none that is listed, or `none`, or HS*
    critical,  ///< header members that must be understood, and are not
    keys,      ///< the key set is none
    no_key,    ///< it has no key for this token
    signature
};
/// The same as verify_jwt for who has words of its own for what is wrong.
std::optional<nlohmann::json> verified_claims(std::string_view jwt, std::string_view jwks,
                                              const std::vector<std::string>& algorithms, jwt_fault& why);

/// A fresh EC P-256 private key as JWK (libcrypto's randomness).
result<secret> generate_ec_jwk();
/// Only the public members of a JWK, PEM or JWK given.
result<nlohmann::json> public_jwk(const secret& pem_or_jwk);
/// RFC 7638 SHA-256 thumbprint, base64url; empty for an unknown key type.
std::string jwk_thumbprint(const nlohmann::json& jwk);

} // namespace reauth
