// The vault proper: seals every value before the backend sees it.
#pragma once

#include "proxy/vault/record_store.hpp"
#include "proxy/vault/seal.hpp"
#include "proxy/vault/vault.hpp"

namespace reauth {

/// The word of a kind in keys and rows, e.g. "issuer_pin".
std::string_view to_string(record_kind kind) noexcept;

/// True if nobody has set a key for the vault in `store` yet.
result<bool> vault_is_new(record_store& store);

/// A vault over `store`. Sets the key check of a new vault; refuses a key that is not the one the vault was
/// made with. `where` names the vault in messages (a path; never a DSN with a password).
result<std::unique_ptr<vault>> make_sealed_vault(std::unique_ptr<record_store> store, sealer seal,
                                                 std::string where);

} // namespace reauth
