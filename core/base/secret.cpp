// Wiping, and comparison in constant time.
#include "core/base/secret.hpp"

#include <openssl/crypto.h>

namespace reauth {

secret& secret::operator=(const secret& other) {
    if (this != &other) {
        wipe();
        value_ = other.value_;
    }
    return *this;
}

secret& secret::operator=(secret&& other) noexcept {
    if (this != &other) {
        wipe();
        value_ = std::move(other.value_);
        other.wipe();
    }
    return *this;
}

bool secret::equals(std::string_view other) const noexcept {
    return value_.size() == other.size() && CRYPTO_memcmp(value_.data(), other.data(), other.size()) == 0;
}

void secret::wipe() noexcept {
    // the whole capacity: a moved-from small string keeps its bytes in place
    value_.resize(value_.capacity());
    OPENSSL_cleanse(value_.data(), value_.size());
    value_.clear();
}

} // namespace reauth
