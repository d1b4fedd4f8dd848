// The key.
#include "core/oauth/identity_end.hpp"

#include "core/crypto/digest.hpp"

#include <cstring>

namespace reauth {

std::uint64_t identity_key(identity_kind kind, std::string_view issuer, std::string_view value) {
    std::string text(1, static_cast<char>('0' + static_cast<int>(kind)));
    text.append(issuer).append(1, '\n').append(value);
    const auto digest = sha256(text);
    std::uint64_t key = 0;
    std::memcpy(&key, digest.data(), sizeof key);
    return key == 0 ? 1 : key;
}

} // namespace reauth
