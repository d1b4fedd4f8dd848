// Randomness is an argument: tests pass a fixed source, the program passes system_random().
#pragma once

#include <functional>
#include <string>

namespace reauth {

/// Gives that many raw random bytes.
using random_source = std::function<std::string(std::size_t)>;

/// The operating system's generator through libcrypto. Throws std::runtime_error if it fails: nothing can go
/// on then.
random_source system_random();

/// `bytes` random bytes as base64url: 32 give a 43-character state, nonce, jti or verifier.
std::string random_token(const random_source& random, std::size_t bytes = 32);

} // namespace reauth
