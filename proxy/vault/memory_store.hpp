// The backend `memory`: rows that end with the process.
#pragma once

#include "proxy/vault/record_store.hpp"

#include <memory>

namespace reauth {

/// An empty store of its own.
std::unique_ptr<record_store> make_memory_store(vault_clock clock = wall_milliseconds);

} // namespace reauth
