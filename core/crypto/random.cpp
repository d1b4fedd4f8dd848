// The operating system's randomness through libcrypto.
#include "core/crypto/random.hpp"

#include "core/text/encoding.hpp"

#include <openssl/rand.h>

#include <stdexcept>

namespace reauth {

random_source system_random() {
    return [](std::size_t bytes) {
        std::string out(bytes, '\0');
        if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) != 1)
            throw std::runtime_error("the system gives no random bytes"); // LCOV_EXCL_LINE
        return out;
    };
}

std::string random_token(const random_source& random, std::size_t bytes) {
    return base64url_encode(random(bytes));
}

} // namespace reauth
