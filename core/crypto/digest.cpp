// Digests and HMAC through libcrypto.
#include "core/crypto/digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace reauth {

std::string sha256(std::string_view data) {
    std::string out(32, '\0');
    if (EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
                   EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("libcrypto has no SHA-256"); // LCOV_EXCL_LINE
    return out;
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
    std::string out(32, '\0');
    if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
              reinterpret_cast<const unsigned char*>(data.data()), data.size(),
              reinterpret_cast<unsigned char*>(out.data()), nullptr))
        throw std::runtime_error("libcrypto has no HMAC"); // LCOV_EXCL_LINE
    return out;
}

std::string md5(std::string_view data) {
    std::string out(16, '\0');
    if (EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr, EVP_md5(),
                   nullptr) != 1)
        throw std::runtime_error("libcrypto has no MD5 (FIPS mode?)"); // LCOV_EXCL_LINE
    return out;
}

} // namespace reauth
