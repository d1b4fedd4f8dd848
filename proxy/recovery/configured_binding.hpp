// Whose credential it is, as the configuration has it: an upstream's, or a session at an identity provider.
#pragma once

#include "conf/config.hpp"
#include "policy/life/credential_binding.hpp"
#include "proxy/relay/routing.hpp"

#include <compare>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace reauth {

/// Which life: principal, then the upstream's or the identity provider's name.
struct life_key {
    bool session = false;
    std::string principal, name;
    friend auto operator<=>(const life_key&, const life_key&) = default;
};

class open_timeline;
using timeline_ptr = std::shared_ptr<open_timeline>;

/// Keeps the configuration alive that it was made of.
struct configured_binding {
    std::shared_ptr<const routing_table> table;
    const route* to = nullptr; ///< into `table`; nullptr: a session
    std::string provider;      ///< name of the identity provider, for sessions
    principal_id principal;    ///< whose.principal
    credential_binding whose;
    timeline_ptr record{}; ///< where the work that is begun with it is noted; null: nowhere

    bool session() const noexcept { return to == nullptr; }
    const config& settings() const { return *table->settings; }
    const upstream_config& upstream() const { return *to->upstream; }
    const identity_provider_config& idp() const { return settings().identity_providers.at(provider); }
    life_key key() const { return {session(), whose.principal, session() ? provider : whose.upstream}; }
    /// As workers know the credential; of a session nothing that is used.
    credential_number number() const;
    /// How long one answer of its authorization server is waited for.
    std::chrono::milliseconds token_request_timeout() const;
};

/// Every life of a principal that the table names: of upstreams, or of sessions at identity providers.
std::set<life_key> life_keys(const routing_table& table, bool session);
/// A session at that provider, of that principal, or of nobody in particular; nothing: no such provider.
std::optional<configured_binding> provider_binding(const std::shared_ptr<const routing_table>& table,
                                                   const std::string& provider,
                                                   const principal_id& principal = {});
/// The configuration names that principal.
bool names_principal(const routing_table& table, const std::string& principal);
/// As the table has it; nothing: no such upstream or identity provider, or no such principal.
std::optional<configured_binding> find_binding(const std::shared_ptr<const routing_table>& table,
                                               const life_key& key);

} // namespace reauth
