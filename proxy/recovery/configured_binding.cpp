// Made from the routing table.
#include "proxy/recovery/configured_binding.hpp"

#include <algorithm>

namespace reauth {
namespace {

configured_binding binding_of(const std::shared_ptr<const routing_table>& table, const route& r,
                              const principal_id& principal) {
    configured_binding b;
    b.table = table;
    b.to = &r;
    b.principal = principal;
    const auto& u = *r.upstream;
    auto& whose = b.whose;
    whose.principal = principal.name();
    whose.upstream = u.name;
    whose.url = u.url;
    whose.resource = u.resource;
    // with the session goes whatever is about one
    whose.grant = u.acts_as_caller() ? grant_kind::token_exchange : u.grant;
    whose.exchange_login = u.fallback == exchange_fallback::interactive;
    whose.scopes = u.scopes;
    whose.issuer = u.client.issuer;
    whose.headers = u.header_binding;
    whose.server = u.authorization_server;
    if (u.bearer == bearer_kind::id_token)
        whose.always_asked = {"openid"};
    whose.supplied = u.grant == grant_kind::static_token;
    whose.browser_login = u.login == login_kind::browser;
    whose.may_push = u.par != par_mode::never;
    whose.one_of_accounts = !u.account.empty();
    // the rules live as long as the table they came with
    whose.rules = std::shared_ptr<const rule_set>(table, &table->settings->policy);
    whose.approval_lifetime = table->settings->approval.lifetime;
    return b;
}

configured_binding binding_of_session(const std::shared_ptr<const routing_table>& table,
                                      const identity_provider_config& provider,
                                      const principal_id& principal) {
    static const auto no_rules = std::make_shared<const rule_set>();
    configured_binding b;
    b.table = table;
    b.provider = provider.name;
    b.principal = principal;
    auto& whose = b.whose;
    whose.principal = principal.name();
    whose.upstream = provider.name;
    whose.url = provider.issuer;
    whose.resource = provider.client.id;
    whose.supplied = provider.id_token.from != secret_source::kind::none;
    whose.grant = whose.supplied ? grant_kind::static_token : grant_kind::idp_session;
    whose.scopes = scope_set{"openid", "offline_access"};
    whose.rules = no_rules;
    whose.approval_lifetime = table->settings->approval.lifetime;
    return b;
}

} // namespace

credential_number configured_binding::number() const {
    if (session())
        return 0;
    return request_target{table, to, principal}.credential();
}

std::chrono::milliseconds configured_binding::token_request_timeout() const {
    return session() ? settings().limits.token_request
                     : upstream().token_request.value_or(settings().limits.token_request);
}

std::set<life_key> life_keys(const routing_table& table, bool session) {
    std::set<life_key> keys;
    for (const auto& principal : table.principals) {
        if (session)
            for (const auto& [name, provider] : table.settings->identity_providers)
                keys.insert({true, principal.name(), name});
        else
            for (const auto& r : table.routes)
                keys.insert({false, principal.name(), r->upstream->name});
    }
    return keys;
}

bool names_principal(const routing_table& table, const std::string& principal) {
    const auto& named = table.principals;
    return std::any_of(named.begin(), named.end(), [&](const auto& p) { return p.name() == principal; });
}

namespace {

/// Who may be called so: named by the configuration, or vouched for from outside.
std::optional<principal_id> known_principal(const routing_table& table, const std::string& name) {
    if (names_principal(table, name))
        return principal_id::of(name);
    if (entry_for(table.settings->client_auth, name))
        return principal_id::from_outside(name);
    return std::nullopt;
}

} // namespace

std::optional<configured_binding> provider_binding(const std::shared_ptr<const routing_table>& table,
                                                   const std::string& provider,
                                                   const principal_id& principal) {
    const auto& providers = table->settings->identity_providers;
    const auto found = providers.find(provider);
    if (found == providers.end())
        return std::nullopt;
    return binding_of_session(table, found->second, principal);
}

std::optional<configured_binding> find_binding(const std::shared_ptr<const routing_table>& table,
                                               const life_key& key) {
    const auto principal = known_principal(*table, key.principal);
    if (!principal)
        return std::nullopt;
    if (key.session)
        return provider_binding(table, key.name, *principal);
    for (const auto& r : table->routes)
        if (r->upstream->name == key.name)
            return binding_of(table, *r, *principal);
    return std::nullopt;
}

} // namespace reauth
