// AES-256-GCM and HKDF by OpenSSL.
#include "proxy/vault/seal.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <array>
#include <memory>

namespace reauth {

namespace {

constexpr char format_version = 1;
constexpr std::size_t key_size = 32, nonce_size = 12, tag_size = 16;
constexpr std::size_t overhead = 1 + nonce_size + tag_size;
constexpr std::size_t least_material = 32;

template<auto Free>
struct freed_by {
    template<class T>
    void operator()(T* p) const noexcept {
        Free(p);
    }
};
using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, freed_by<EVP_CIPHER_CTX_free>>;
using kdf = std::unique_ptr<EVP_KDF, freed_by<EVP_KDF_free>>;
using kdf_context = std::unique_ptr<EVP_KDF_CTX, freed_by<EVP_KDF_CTX_free>>;

failure crypto_failure(const char* what) {
    return failure::permanent(fault::vault_unavailable, std::string("OpenSSL cannot ") + what,
                              "check the OpenSSL installation");
}

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

/// The version byte is bound too, so that a later format cannot be passed off as this one.
bool feed_associated(EVP_CIPHER_CTX* context, bool sealing, std::string_view associated) {
    const unsigned char version = format_version;
    int length = 0;
    const auto update = sealing ? EVP_EncryptUpdate : EVP_DecryptUpdate;
    return update(context, nullptr, &length, &version, 1) == 1 &&
           update(context, nullptr, &length, bytes(associated), static_cast<int>(associated.size())) == 1;
}

} // namespace

result<secret> random_bytes(std::size_t size) {
    std::string out(size, '\0');
    if (RAND_priv_bytes(bytes(out), static_cast<int>(size)) != 1)
        return crypto_failure("make random numbers");
    return secret(std::move(out));
}

result<sealer> sealer::from_material(const secret& material) {
    if (material.size() < least_material)
        return failure::permanent(fault::invalid_configuration,
                                  "the vault key is too short: it has " + std::to_string(material.size()) +
                                      " characters, at least 32 are needed",
                                  "make one with `openssl rand -base64 32`");
    const kdf algorithm(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    const kdf_context context(algorithm ? EVP_KDF_CTX_new(algorithm.get()) : nullptr);
    if (!context)
        return crypto_failure("derive the vault key");
    char digest[] = "SHA256";
    std::string salt = "mcp-reauth vault", info = "record sealing 1", ikm(material.reveal());
    const std::array<OSSL_PARAM, 5> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, ikm.data(), ikm.size()),
        OSSL_PARAM_construct_end(),
    };
    std::string key(key_size, '\0');
    const bool derived = EVP_KDF_derive(context.get(), bytes(key), key.size(), parameters.data()) == 1;
    OPENSSL_cleanse(ikm.data(), ikm.size());
    if (!derived)
        return crypto_failure("derive the vault key");
    return sealer(secret(std::move(key)));
}

result<sealer> sealer::ephemeral() {
    auto key = random_bytes(key_size);
    if (!key)
        return key.error();
    return sealer(std::move(*key));
}

result<std::string> sealer::seal(std::string_view plain, std::string_view associated) const {
    std::string out(overhead + plain.size(), '\0');
    out[0] = format_version;
    unsigned char* nonce = bytes(out) + 1;
    unsigned char* text = nonce + nonce_size;
    const cipher_context context(EVP_CIPHER_CTX_new());
    int length = 0;
    if (!context || RAND_bytes(nonce, nonce_size) != 1 ||
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key_.reveal()), nonce) != 1 ||
        !feed_associated(context.get(), true, associated) ||
        EVP_EncryptUpdate(context.get(), text, &length, bytes(plain), static_cast<int>(plain.size())) != 1 ||
        EVP_EncryptFinal_ex(context.get(), text + length, &length) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size, text + plain.size()) != 1)
        return crypto_failure("seal a vault record");
    return out;
}

result<secret> sealer::unseal(std::string_view sealed, std::string_view associated) const {
    failure broken =
        failure::permanent(fault::vault_unavailable,
                           "a vault record cannot be opened: it was changed, or sealed with another key");
    if (sealed.size() < overhead || sealed[0] != format_version)
        return broken;
    const auto nonce = sealed.substr(1, nonce_size);
    const auto text = sealed.substr(1 + nonce_size, sealed.size() - overhead);
    std::string tag(sealed.substr(sealed.size() - tag_size));
    std::string plain(text.size(), '\0');
    const cipher_context context(EVP_CIPHER_CTX_new());
    int length = 0;
    const bool opened = context &&
                        EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key_.reveal()),
                                           bytes(nonce)) == 1 &&
                        feed_associated(context.get(), false, associated) &&
                        EVP_DecryptUpdate(context.get(), bytes(plain), &length, bytes(text),
                                          static_cast<int>(text.size())) == 1 &&
                        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1 &&
                        EVP_DecryptFinal_ex(context.get(), bytes(plain) + length, &length) == 1;
    secret value(std::move(plain));
    if (!opened)
        return broken;
    return value;
}

} // namespace reauth
