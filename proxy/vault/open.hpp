// The vault that a configuration asks for.
#pragma once

#include "conf/config.hpp"
#include "proxy/vault/vault.hpp"

#include <memory>

namespace reauth {

/// Opens the vault, or makes a new one with its key. fault::vault_unavailable says what is wrong with file or
/// key (nothing is overwritten then); fault::invalid_configuration if the configuration cannot work.
result<std::unique_ptr<vault>> open_vault(const vault_config& settings);

} // namespace reauth
