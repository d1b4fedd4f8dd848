// Compact JWS on cjose; EdDSA, which cjose lacks, on libcrypto.
#include "core/crypto/jose.hpp"

#include "core/base/releaser.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"

#include <algorithm>
#include <cjose/cjose.h>
#include <openssl/evp.h>

namespace reauth {

namespace {

using json = nlohmann::json;

constexpr std::size_t max_jwt = 64 * 1024, max_keys = 64, shortest_rsa = 256;

using jwk_ptr = std::unique_ptr<cjose_jwk_t, releaser<cjose_jwk_release>>;
using jws_ptr = std::unique_ptr<cjose_jws_t, releaser<cjose_jws_release>>;
using header_ptr = std::unique_ptr<cjose_header_t, releaser<cjose_header_release>>;
using pkey_ptr = std::unique_ptr<EVP_PKEY, releaser<EVP_PKEY_free>>;
using digest_ptr = std::unique_ptr<EVP_MD_CTX, releaser<EVP_MD_CTX_free>>;

failure bad_jwt(std::string message) {
    return failure::permanent(fault::reauth_failed, std::move(message));
}

failure bad_signing_key(std::string message) {
    return failure::permanent(fault::invalid_configuration, std::move(message),
                              "set `alg` to what the private key can sign");
}

// A key may be used with one family of algorithms only, whatever a token claims.
bool fits(const json& jwk, std::string_view alg) {
    const auto kty = json_string(jwk, "kty");
    if (alg == "ES256")
        return kty == "EC" && json_string(jwk, "crv") == "P-256";
    if (alg == "EdDSA")
        return kty == "OKP" && json_string(jwk, "crv") == "Ed25519";
    return kty == "RSA" && base64url_decode(json_string(jwk, "n")).value_or("").size() >= shortest_rsa;
}

bool known_algorithm(std::string_view alg, bool signing) {
    return alg == "ES256" || alg == "RS256" || alg == "PS256" || (alg == "EdDSA" && !signing);
}

struct parts {
    std::string_view header, claims, signature, signed_text;
};

std::optional<parts> split(std::string_view jwt) {
    if (jwt.size() > max_jwt)
        return std::nullopt;
    const auto first = jwt.find('.');
    const auto last = jwt.rfind('.');
    if (first == std::string_view::npos || first == last || jwt.find('.', first + 1) != last)
        return std::nullopt;
    return parts{jwt.substr(0, first), jwt.substr(first + 1, last - first - 1), jwt.substr(last + 1),
                 jwt.substr(0, last)};
}

result<json> object_of(std::string_view encoded) {
    const auto text = base64url_decode(encoded);
    auto object = text ? parse_json_object(*text) : std::nullopt;
    if (!object)
        return bad_jwt("the token is not a signed JWT");
    return result<json>(boost::system::in_place_value, std::move(*object));
}

/// Signatures have one length: with anything behind it it would be another text for the same token.
bool whole_signature(const parts& p, std::string_view alg, const json& jwk) {
    const auto signature = base64url_decode(p.signature);
    const auto size = alg == "ES256"   ? std::size_t{64}
                      : alg == "EdDSA" ? std::size_t{64}
                                       : base64url_decode(json_string(jwk, "n")).value_or("").size();
    return signature && signature->size() == size && base64url_encode(*signature) == p.signature;
}

bool verified_by_cjose(std::string_view jwt, const json& jwk) {
    cjose_err error;
    const std::string key_text = json_text(jwk);
    const jwk_ptr key(cjose_jwk_import(key_text.data(), key_text.size(), &error));
    const jws_ptr jws(cjose_jws_import(jwt.data(), jwt.size(), &error));
    return key && jws && cjose_jws_verify(jws.get(), key.get(), &error);
}

bool verified_by_ed25519(const parts& p, const json& jwk) {
    const auto point = base64url_decode(json_string(jwk, "x"));
    const auto signature = base64url_decode(p.signature);
    if (!point || !signature)
        return false;
    const pkey_ptr key(EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(point->data()), point->size()));
    const digest_ptr context(EVP_MD_CTX_new());
    return key && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature->data()),
                            signature->size(), reinterpret_cast<const unsigned char*>(p.signed_text.data()),
                            p.signed_text.size()) == 1;
}

bool usable(const json& jwk, std::string_view alg, const std::string& kid) {
    if (!jwk.is_object() || !fits(jwk, alg))
        return false;
    const auto use = json_string(jwk, "use");
    const auto own_alg = json_string(jwk, "alg");
    return (kid.empty() || json_string(jwk, "kid") == kid) && (use.empty() || use == "sig") &&
           (own_alg.empty() || own_alg == alg);
}

// cjose's raw form takes objects and arrays only.
bool fill(cjose_header_t* head, const json& members) {
    cjose_err error;
    for (const auto& [name, value] : members.items()) {
        const bool done =
            value.is_string()
                ? cjose_header_set(head, name.c_str(), value.get_ref<const std::string&>().c_str(), &error)
                : cjose_header_set_raw(head, name.c_str(), json_text(value).c_str(), &error);
        if (!done)
            return false;
    }
    return true;
}

} // namespace

result<std::string> sign_jwt(const secret& pem_or_jwk, std::string_view alg, const json& header,
                             const json& claims) {
    const auto jwk = private_jwk(pem_or_jwk);
    if (!jwk)
        return jwk.error();
    const auto members = parse_json_object(jwk->reveal());
    if (!known_algorithm(alg, true) || !fits(*members, alg))
        return bad_signing_key("the private key cannot sign with " + clean_text(alg, 32));
    cjose_err error;
    const jwk_ptr key(cjose_jwk_import(jwk->reveal().data(), jwk->size(), &error));
    const header_ptr head(cjose_header_new(&error));
    if (!key || !head)
        return bad_signing_key("the private key is damaged");
    json all = header;
    all["alg"] = alg;
    if (!fill(head.get(), all))
        return bad_signing_key("a header member of the token cannot be written");
    const std::string text = json_text(claims);
    const jws_ptr jws(cjose_jws_sign(
        key.get(), head.get(), reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), &error));
    const char* out = nullptr;
    if (!jws || !cjose_jws_export(jws.get(), &out, &error))
        return bad_signing_key("the private key does not sign");
    return std::string(out);
}

result<json> decode_jwt_header(std::string_view jwt) {
    const auto p = split(jwt);
    return p ? object_of(p->header) : bad_jwt("the token is not a signed JWT");
}

result<json> decode_jwt_claims(std::string_view jwt) {
    const auto p = split(jwt);
    return p ? object_of(p->claims) : bad_jwt("the token is not a signed JWT");
}

std::optional<json> verified_claims(std::string_view jwt, std::string_view jwks,
                                    const std::vector<std::string>& algorithms, jwt_fault& why) {
    const auto p = split(jwt);
    const auto header = decode_jwt_header(jwt);
    why = jwt_fault::malformed;
    if (!p || !header)
        return std::nullopt;
    const auto alg = json_string(*header, "alg");
    why = jwt_fault::algorithm;
    if (!known_algorithm(alg, false) ||
        std::find(algorithms.begin(), algorithms.end(), alg) == algorithms.end())
        return std::nullopt;
    // RFC 7515 §4.1.11: what must be understood and is not
    why = jwt_fault::critical;
    if (header->contains("crit"))
        return std::nullopt;
    const auto set = parse_json_object(jwks);
    const auto keys = set ? set->find("keys") : json::const_iterator{};
    why = jwt_fault::keys;
    if (!set || keys == set->end() || !keys->is_array())
        return std::nullopt;
    const auto kid = json_string(*header, "kid");
    std::size_t tried = 0;
    for (const auto& key : *keys) {
        if (!usable(key, alg, kid) || ++tried > max_keys)
            continue;
        if (!whole_signature(*p, alg, key))
            continue;
        if (alg == "EdDSA" ? verified_by_ed25519(*p, key) : verified_by_cjose(jwt, key)) {
            auto claims = decode_jwt_claims(jwt);
            why = jwt_fault::malformed;
            return claims ? std::optional<json>(std::move(*claims)) : std::nullopt;
        }
    }
    why = tried == 0 ? jwt_fault::no_key : jwt_fault::signature;
    return std::nullopt;
}

result<json> verify_jwt(std::string_view jwt, std::string_view jwks,
                        const std::vector<std::string>& algorithms) {
    jwt_fault why{};
    auto claims = verified_claims(jwt, jwks, algorithms, why);
    if (claims)
        return result<json>(boost::system::in_place_value, std::move(*claims));
    switch (why) {
    case jwt_fault::algorithm:
        return bad_jwt("the token is signed with " +
                       clean_text(json_string(*decode_jwt_header(jwt), "alg"), 32) +
                       ", which is not accepted");
    case jwt_fault::critical:
        return bad_jwt("the token has critical header members that are not understood");
    case jwt_fault::keys:
        return bad_jwt("the issuer's key set is not a JWKS");
    case jwt_fault::no_key:
        return bad_jwt("the issuer's key set has no key for this token");
    case jwt_fault::signature:
        return bad_jwt("the token's signature is wrong");
    case jwt_fault::malformed:
        break;
    }
    return bad_jwt("the token is not a signed JWT");
}

} // namespace reauth
