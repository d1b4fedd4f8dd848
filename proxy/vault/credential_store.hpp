// The vault in the words of recovery: credentials, issuer pins, registrations, pending authorizations, IdP
// sessions.
#pragma once

#include "core/credential.hpp"
#include "core/registration.hpp"
#include "policy/idp_session.hpp"
#include "policy/pending_authorization.hpp"
#include "proxy/vault/vault.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// A credential and whose it is.
struct held_credential {
    std::string principal, upstream;
    credential held;
};

/// An IdP session and whose it is.
struct held_session {
    std::string principal;
    idp_session held;
};

/// Typed access to a vault, under the vault's threading rule. Every failure is fault::vault_unavailable;
/// everything that is stored is durable when the call returns.
class credential_store {
public:
    /// The vault must outlive the store.
    explicit credential_store(vault& records) : vault_(records) {}

    result<std::optional<credential>> find_credential(const std::string& principal,
                                                      const std::string& upstream, const std::string& issuer);
    /// Stores under value.issuer and returns what was stored: its generation is one more than the last that
    /// was stored for the key (also before an erase) and than value.generation. Hold the recovery lease.
    result<credential> store_credential(const std::string& principal, const std::string& upstream,
                                        credential value);
    /// Forgets the tokens; the generation goes on rising.
    result<void> erase_credential(const std::string& principal, const std::string& upstream,
                                  const std::string& issuer);
    result<std::vector<held_credential>> credentials();

    /// The issuer that a person approved for an upstream.
    result<std::optional<std::string>> pinned_issuer(const std::string& principal,
                                                     const std::string& upstream);
    result<void> pin_issuer(const std::string& principal, const std::string& upstream,
                            const std::string& issuer);
    result<void> unpin_issuer(const std::string& principal, const std::string& upstream);

    result<std::optional<registered_client>> find_registration(const std::string& issuer,
                                                               const std::string& upstream);
    /// Stores under client.issuer.
    result<void> store_registration(const std::string& upstream, const registered_client& client);
    result<void> erase_registration(const std::string& issuer, const std::string& upstream);

    /// Kept until an hour after it expires, so that a late callback can be told why it fails.
    result<void> store_pending(const pending_authorization& pending);
    result<std::optional<pending_authorization>> find_pending(std::string_view state);
    /// For one caller only.
    result<std::optional<pending_authorization>> take_pending(std::string_view state);

    result<std::optional<idp_session>> find_session(const std::string& principal,
                                                    const std::string& identity_provider);
    /// Stores under session.identity_provider.
    result<void> store_session(const std::string& principal, const idp_session& session);
    result<void> erase_session(const std::string& principal, const std::string& identity_provider);
    result<std::vector<held_session>> sessions();

    /// See vault::try_lease and vault::release_lease.
    result<bool> try_lease(const std::string& name, const std::string& holder,
                           std::chrono::milliseconds ttl) {
        return vault_.try_lease(name, holder, ttl);
    }
    result<void> release_lease(const std::string& name, const std::string& holder) {
        return vault_.release_lease(name, holder);
    }

private:
    vault& vault_;
};

/// Parts as one key: separated by a space, in each part space, % and control characters percent-encoded, so
/// that no two lists of parts share a key.
std::string joined_key(const std::vector<std::string_view>& parts);
/// The parts again; nothing if `key` was not made by joined_key.
std::optional<std::vector<std::string>> split_key(std::string_view key);

} // namespace reauth
