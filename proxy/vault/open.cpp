// Backend, key and seal put together.
#include "proxy/vault/open.hpp"

#include "proxy/log/log.hpp"
#include "proxy/vault/memory_store.hpp"
#ifdef REAUTH_POSTGRES
#include "proxy/vault/postgres_store.hpp"
#endif
#include "proxy/vault/sealed_vault.hpp"
#include "proxy/vault/sqlite_store.hpp"
#include "proxy/vault/vault_key.hpp"

#include <filesystem>
#include <utility>

namespace reauth {

namespace {

/// A missing key file is made with a new vault only: made for an old one it would bury what is sealed there.
result<secret> key_from_file(record_store& store, const std::string& path, const std::string& where) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
        if (auto exposed = exposed_key_file(path); !exposed.empty())
            log_event(log_level::warn, "vault", {{"message", std::move(exposed)}});
        return read_key_file(path);
    }
    auto fresh = vault_is_new(store);
    if (!fresh)
        return fresh.error();
    if (*fresh)
        return make_key_file(path);
    return failure::permanent(
        fault::vault_unavailable, "the vault " + where + " exists, but its key file " + path + " is missing",
        "restore the key file, or move the vault away to start with an empty one and sign in again");
}

result<secret> key_for(record_store& store, const vault_config& settings, const std::string& where) {
    if (!settings.key.empty())
        return settings.key;
    if (!settings.key_file.empty())
        return key_from_file(store, settings.key_file, where);
    if (!settings.path.empty())
        return key_from_file(store, settings.path + ".key", where);
    return failure::permanent(fault::invalid_configuration, "the vault has no key",
                              "set `vault.key`, e.g. `key: {file: /etc/mcp-reauth/vault.key}`");
}

result<std::unique_ptr<vault>> seal_store(std::unique_ptr<record_store> store, const vault_config& settings,
                                          const std::string& where) {
    auto material = key_for(*store, settings, where);
    if (!material)
        return material.error();
    auto seal = sealer::from_material(*material);
    if (!seal)
        return seal.error();
    return make_sealed_vault(std::move(store), std::move(*seal), where);
}

result<std::unique_ptr<vault>> open_memory() {
    auto seal = sealer::ephemeral();
    if (!seal)
        return seal.error();
    return make_sealed_vault(make_memory_store(), std::move(*seal), "in memory");
}

result<std::unique_ptr<vault>> open_sqlite(const vault_config& settings) {
    if (settings.path.empty())
        return failure::permanent(fault::invalid_configuration, "the vault has no path", "set `vault.path`");
    auto store = open_sqlite_store(settings.path);
    if (!store)
        return store.error();
    return seal_store(std::move(*store), settings, settings.path);
}

result<std::unique_ptr<vault>> open_postgres([[maybe_unused]] const vault_config& settings) {
#ifdef REAUTH_POSTGRES
    auto store = open_postgres_store(settings.dsn);
    if (!store)
        return store.error();
    return seal_store(std::move(*store), settings, "in PostgreSQL");
#else
    return failure::permanent(fault::invalid_configuration,
                              "the vault backend `postgres` is not part of this build",
                              "build with libpq, or use `vault: {backend: sqlite}`");
#endif
}

} // namespace

result<std::unique_ptr<vault>> open_vault(const vault_config& settings) {
    switch (settings.backend) {
    case vault_backend::memory:
        return open_memory();
    case vault_backend::sqlite:
        return open_sqlite(settings);
    case vault_backend::postgres:
        return open_postgres(settings);
    }
    return failure::permanent(fault::internal, "the vault backend is unknown");
}

} // namespace reauth
