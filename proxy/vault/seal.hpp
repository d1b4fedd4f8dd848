// The seal of a vault record: AES-256-GCM under a key derived from the vault's key material.
#pragma once

#include "core/base/failure.hpp"
#include "core/base/secret.hpp"

#include <string>
#include <string_view>

namespace reauth {

/// Seals and unseals values. A sealed value is: version byte, 96-bit random nonce, ciphertext, 128-bit tag
/// (NIST SP 800-38D). The associated data is not stored; a value only opens under the one it was sealed with.
class sealer {
public:
    /// Derives the sealing key from `material` with HKDF-SHA256 (RFC 5869). Material shorter than 32 bytes is
    /// refused (fault::invalid_configuration): it is not stretched, so it must carry the entropy itself.
    static result<sealer> from_material(const secret& material);
    /// A sealer with a key of its own that nobody else has.
    static result<sealer> ephemeral();

    result<std::string> seal(std::string_view plain, std::string_view associated) const;
    /// fault::vault_unavailable if the value was changed, cut, moved to another key or sealed with another
    /// key.
    result<secret> unseal(std::string_view sealed, std::string_view associated) const;

private:
    explicit sealer(secret key) : key_(std::move(key)) {}
    secret key_;
};

/// `size` bytes from the operating system's generator.
result<secret> random_bytes(std::size_t size);

} // namespace reauth
