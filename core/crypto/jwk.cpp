// Keys: PEM to JWK, generation, public part, thumbprint. libcrypto reads the keys, JSON carries them.
#include "core/crypto/jose.hpp"

#include "core/base/releaser.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace reauth {

namespace {

using json = nlohmann::json;

using pkey_ptr = std::unique_ptr<EVP_PKEY, releaser<EVP_PKEY_free>>;
using bio_ptr = std::unique_ptr<BIO, releaser<BIO_free>>;
using bn_ptr = std::unique_ptr<BIGNUM, releaser<BN_clear_free>>;

failure bad_key(std::string message) {
    return failure::permanent(
        fault::invalid_configuration, std::move(message),
        "give a private key for ES256 (EC P-256) or for RS256 and PS256 (RSA), as PEM without a "
        "passphrase or as JWK");
}

// A number of the key as base64url, at least `width` bytes (RFC 7518 §6.2.1.2: coordinates keep leading
// zeros).
std::string number(const EVP_PKEY* key, const char* name, int width = 0) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &raw) != 1)
        return {};
    const bn_ptr value(raw);
    std::string bytes(static_cast<std::size_t>(std::max(width, BN_num_bytes(value.get()))), '\0');
    if (BN_bn2binpad(value.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                     static_cast<int>(bytes.size())) < 0)
        return {}; // LCOV_EXCL_LINE
    return base64url_encode(bytes);
}

result<secret> jwk_of(const EVP_PKEY* key) {
    json out;
    if (EVP_PKEY_is_a(key, "EC")) {
        char group[32] = {};
        EVP_PKEY_get_group_name(key, group, sizeof group, nullptr);
        if (std::string_view(group) != "prime256v1")
            return bad_key("the private key's curve is not P-256");
        out = {{"kty", "EC"},
               {"crv", "P-256"},
               {"x", number(key, OSSL_PKEY_PARAM_EC_PUB_X, 32)},
               {"y", number(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32)},
               {"d", number(key, OSSL_PKEY_PARAM_PRIV_KEY, 32)}};
    } else if (EVP_PKEY_is_a(key, "RSA")) {
        if (EVP_PKEY_get_bits(key) < 2048)
            return bad_key("the RSA private key is shorter than 2048 bits");
        out = {{"kty", "RSA"},
               {"n", number(key, OSSL_PKEY_PARAM_RSA_N)},
               {"e", number(key, OSSL_PKEY_PARAM_RSA_E)},
               {"d", number(key, OSSL_PKEY_PARAM_RSA_D)},
               {"p", number(key, OSSL_PKEY_PARAM_RSA_FACTOR1)},
               {"q", number(key, OSSL_PKEY_PARAM_RSA_FACTOR2)},
               {"dp", number(key, OSSL_PKEY_PARAM_RSA_EXPONENT1)},
               {"dq", number(key, OSSL_PKEY_PARAM_RSA_EXPONENT2)},
               {"qi", number(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1)}};
    } else {
        return bad_key("the private key is neither EC nor RSA");
    }
    return secret{json_text(out)};
}

// An encrypted PEM must fail, not ask on the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

} // namespace

result<secret> private_jwk(const secret& pem_or_jwk) {
    const auto text = trim_space(pem_or_jwk.reveal());
    if (text.starts_with('{')) {
        const auto jwk = parse_json_object(text);
        if (!jwk || json_string(*jwk, "d").empty() || json_string(*jwk, "kty").empty())
            return bad_key("the private key is not a private JWK");
        return secret{std::string(text)};
    }
    const bio_ptr source(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    const pkey_ptr key(PEM_read_bio_PrivateKey(source.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    if (!key)
        return bad_key("the private key cannot be read");
    return jwk_of(key.get());
}

result<secret> generate_ec_jwk() {
    const pkey_ptr key(EVP_EC_gen("P-256"));
    if (!key)
        return failure::passing(fault::internal, "no EC key could be made"); // LCOV_EXCL_LINE
    return jwk_of(key.get());
}

result<nlohmann::json> public_jwk(const secret& pem_or_jwk) {
    const auto jwk = private_jwk(pem_or_jwk);
    if (!jwk)
        return jwk.error();
    const auto all = parse_json_object(jwk->reveal());
    json out = json::object();
    // a list of what may leave, so that an unknown private member stays
    for (const char* name : {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"})
        if (auto value = json_string(*all, name); !value.empty())
            out[name] = std::move(value);
    return result<json>(boost::system::in_place_value, std::move(out));
}

std::string jwk_thumbprint(const nlohmann::json& jwk) {
    const auto kty = json_string(jwk, "kty");
    std::vector<const char*> members;
    if (kty == "EC")
        members = {"crv", "kty", "x", "y"};
    else if (kty == "RSA")
        members = {"e", "kty", "n"};
    else if (kty == "OKP")
        members = {"crv", "kty", "x"};
    else
        return {};
    json canonical = json::object();
    for (const char* name : members)
        canonical[name] = json_string(jwk, name);
    return base64url_encode(sha256(json_text(canonical)));
}

} // namespace reauth
