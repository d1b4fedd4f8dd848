// libcrypto's one-shot signatures.
#include "core/crypto/ed25519.hpp"

#include "core/base/releaser.hpp"
#include "core/crypto/digest.hpp"
#include "core/text/encoding.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdexcept>

namespace reauth {
namespace {

using pem_bio = std::unique_ptr<BIO, releaser<BIO_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, releaser<EVP_MD_CTX_free>>;
using ed25519_ptr = std::shared_ptr<EVP_PKEY>;

pem_bio reading(std::string_view text) {
    return pem_bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string written(BIO* to) {
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(to, &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

ed25519_ptr owned(EVP_PKEY* key) {
    if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(key);
        return nullptr;
    }
    return {key, EVP_PKEY_free};
}

ed25519_ptr private_of(const secret& pem) {
    const auto in = reading(pem.reveal());
    return owned(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
}

std::string key_id(EVP_PKEY* key) {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size) != 1)
        throw std::runtime_error("libcrypto has no public key");
    return hex_encode(sha256(raw)).substr(0, 16);
}

EVP_PKEY* of(const std::shared_ptr<void>& key) {
    return static_cast<EVP_PKEY*>(key.get());
}

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

failure no_key() {
    return failure::permanent(fault::invalid_configuration, "this is no Ed25519 key in PEM",
                              "make one: openssl genpkey -algorithm ed25519 -out audit.key");
}

} // namespace

result<signing_key> signing_key::from_pem(const secret& pem) {
    const auto key = private_of(pem);
    if (!key)
        return no_key();
    signing_key out;
    out.key_ = key;
    out.id_ = key_id(key.get());
    const pem_bio text(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_PUBKEY(text.get(), key.get()) != 1)
        throw std::runtime_error("libcrypto can't write a public key");
    out.public_pem_ = written(text.get());
    return out;
}

secret signing_key::make_pem() {
    const auto key = owned(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    const pem_bio text(BIO_new(BIO_s_mem()));
    if (!key ||
        PEM_write_bio_PKCS8PrivateKey(text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        throw std::runtime_error("libcrypto can't make an Ed25519 key");
    return secret(written(text.get()));
}

std::string signing_key::public_text() const {
    const auto begin = public_pem_.find('\n'), end = public_pem_.rfind("\n-----END");
    auto text = public_pem_.substr(begin + 1, end - begin - 1);
    std::erase(text, '\n');
    return text;
}

std::string signing_key::sign(std::string_view text) const {
    const digest_context context(EVP_MD_CTX_new());
    std::string out(64, '\0');
    std::size_t size = out.size();
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, of(key_)) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes_of(text),
                       text.size()) != 1)
        throw std::runtime_error("libcrypto can't sign");
    return out;
}

result<verifying_key> verifying_key::from_pem(const secret& pem) {
    auto key = private_of(pem);
    if (!key) {
        std::string text(pem.reveal());
        if (text.find("-----BEGIN") == text.npos)
            text = "-----BEGIN PUBLIC KEY-----\n" + text + "\n-----END PUBLIC KEY-----\n";
        const auto in = reading(text);
        key = owned(PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr));
    }
    if (!key)
        return no_key();
    verifying_key out;
    out.key_ = key;
    out.id_ = key_id(key.get());
    return out;
}

bool verifying_key::verifies(std::string_view text, std::string_view signature) const {
    const digest_context context(EVP_MD_CTX_new());
    return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, of(key_)) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                            text.size()) == 1;
}

} // namespace reauth
