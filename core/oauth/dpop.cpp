// DPoP proofs.
#include "core/oauth/dpop.hpp"

#include "core/crypto/digest.hpp"
#include "core/crypto/jose.hpp"
#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"

#include <nlohmann/json.hpp>

namespace reauth {

result<std::string> dpop_proof(const secret& key, const dpop_target& target, time_point now,
                               const random_source& random) {
    auto jwk = public_jwk(key);
    if (!jwk)
        return jwk.error();
    // only the members that make the key (RFC 9449 §4.2); a kid would link proofs to where the key came from
    for (const char* name : {"kid", "alg", "use"})
        jwk->erase(name);
    const nlohmann::json header = {{"typ", "dpop+jwt"}, {"jwk", *jwk}};
    nlohmann::json claims = {
        {"jti", random_token(random, 16)},
        {"htm", target.method},
        {"htu", without_query(target.url)},
        {"iat", std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count()}};
    if (!target.nonce.empty())
        claims["nonce"] = target.nonce;
    if (!target.access_token.empty())
        claims["ath"] = base64url_encode(sha256(target.access_token.reveal()));
    return sign_jwt(key, "ES256", header, claims);
}

result<void> add_dpop_proof(http_request& request, const secret& key, std::string_view nonce, time_point now,
                            const random_source& random) {
    auto proof = dpop_proof(key, {request.method, request.url, std::string(nonce), {}}, now, random);
    if (!proof)
        return proof.error();
    std::erase_if(request.headers, [](const header_field& field) { return iequals(field.name, "DPoP"); });
    request.headers.push_back({"DPoP", std::move(*proof)});
    return {};
}

result<std::string> dpop_thumbprint(const secret& key) {
    const auto jwk = public_jwk(key);
    if (!jwk)
        return jwk.error();
    return jwk_thumbprint(*jwk);
}

} // namespace reauth
