// Made from the routing table.
#include "proxy/recovery/configured_binding.hpp"

#include <algorithm>

namespace reauth {
namespace {

configured_binding binding_of(const std::shared_ptr<const routing_table>& table, const route& r,
                              const std::string& principal) {
    configured_binding b;
    b.table = table;
    b.to = &r;
    const auto& u = *r.upstream;
    auto& whose = b.whose;
    whose.principal = principal;
    whose.upstream = u.name;
    whose.url = u.url;
    whose.resource = u.resource;
    whose.grant = u.grant;
    whose.scopes = u.scopes;
    whose.issuer = u.client.issuer;
    whose.headers = u.header_binding;
    whose.server = u.authorization_server;
    if (u.bearer == bearer_kind::id_token)
        whose.always_asked = {"openid"};
    whose.supplied = u.grant == grant_kind::static_token;
    whose.browser_login = u.login == login_kind::browser;
    whose.may_push = u.par != par_mode::never;
    // the rules live as long as the table they came with
    whose.rules = std::shared_ptr<const rule_set>(table, &table->settings->policy);
    whose.approval_lifetime = table->settings->approval.lifetime;
    return b;
}

configured_binding binding_of_session(const std::shared_ptr<const routing_table>& table,
                                      const identity_provider_config& provider,
                                      const std::string& principal) {
    static const auto no_rules = std::make_shared<const rule_set>();
    configured_binding b;
    b.table = table;
    b.provider = provider.name;
    auto& whose = b.whose;
    whose.principal = principal;
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
    return request_target{table, to, principal_id::of(whose.principal)}.credential();
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

std::optional<configured_binding> find_binding(const std::shared_ptr<const routing_table>& table,
                                               const life_key& key) {
    const auto& known = table->principals;
    const bool allowed =
        std::any_of(known.begin(), known.end(), [&](const auto& p) { return p.name() == key.principal; });
    if (!allowed)
        return std::nullopt;
    if (key.session) {
        const auto& providers = table->settings->identity_providers;
        const auto found = providers.find(key.name);
        if (found == providers.end())
            return std::nullopt;
        return binding_of_session(table, found->second, key.principal);
    }
    for (const auto& r : table->routes)
        if (r->upstream->name == key.name)
            return binding_of(table, *r, key.principal);
    return std::nullopt;
}

} // namespace reauth
