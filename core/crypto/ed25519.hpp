// Ed25519 signatures (RFC 8032) over what is to be believed later: the audit.
#pragma once

#include "core/base/failure.hpp"
#include "core/base/secret.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace reauth {

/// A private key. Copies share it.
class signing_key {
public:
    /// From PEM (PKCS #8, as `openssl genpkey -algorithm ed25519` writes it). invalid_configuration: it is
    /// none.
    static result<signing_key> from_pem(const secret& pem);
    /// A new one, as PEM.
    static secret make_pem();

    /// 64 raw bytes.
    std::string sign(std::string_view text) const;
    /// The public key as SubjectPublicKeyInfo PEM: for whoever verifies.
    const std::string& public_pem() const noexcept { return public_pem_; }
    /// … as one line: its base64 alone.
    std::string public_text() const;
    /// What signatures name it by: 16 hexadecimal digits of the SHA-256 of its raw public key.
    const std::string& id() const noexcept { return id_; }

private:
    std::shared_ptr<void> key_;
    std::string public_pem_, id_;
};

/// A public key that signatures are verified with.
class verifying_key {
public:
    /// From PEM: a public key (also public_text()), or the private one. invalid_configuration: it is neither.
    static result<verifying_key> from_pem(const secret& pem);
    bool verifies(std::string_view text, std::string_view signature) const;
    const std::string& id() const noexcept { return id_; }

private:
    std::shared_ptr<void> key_;
    std::string id_;
};

} // namespace reauth
