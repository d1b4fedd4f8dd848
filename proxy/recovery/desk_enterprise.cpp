// Enterprise-managed authorization: what the session at the organisation's identity provider is good for.
#include "proxy/recovery/desk.hpp"

#include "core/uri.hpp"
#include "policy/enterprise_flow.hpp"
#include "policy/revocation_flow.hpp"
#include "proxy/log.hpp"

namespace reauth {
namespace {

dpop_policy dpop_of(const upstream_config& upstream) {
    return upstream.dpop == dpop_mode::require ? dpop_policy::require
           : upstream.dpop == dpop_mode::never ? dpop_policy::never
                                               : dpop_policy::automatic;
}

bool supplied(const config& settings, const route& r) {
    return settings.identity_providers.at(r.upstream->identity_provider).id_token.from !=
           secret_source::kind::none;
}

} // namespace

/// Legs 2 and 3. Where the provider no longer takes the session, it is renewed once, else forgotten.
task<result<credential>> recovery_desk::mint(account& a, const config& settings, const route& r,
                                             scope_set scopes) {
    ++counters_.mints;
    const auto& name = r.upstream->identity_provider;
    auto session = co_await idps_.usable(settings, name, a.principal);
    if (!session)
        co_return session.error();
    auto idp = co_await idps_.server_of(settings, name);
    if (!idp)
        co_return idp.error();
    auto us = idp_desk::client_at(settings, name, *idp);
    if (!us)
        co_return us.error();
    auto client = co_await client_for(a, settings, r);
    if (!client)
        co_return client.error();
    // two planes: neither sees the other's certificates or private network
    options_by_url choose = [at_idp = idp_desk::options_for(settings, name),
                             elsewhere = options_for(settings, r),
                             idp_origin = origin_of(idp->token_endpoint)](const std::string& url) {
        return origin_of(url) == idp_origin ? at_idp : elsewhere;
    };
    for (bool renewed = false;;) {
        enterprise_inputs inputs;
        inputs.trust = trust_for(r, "the organisation's assertion");
        inputs.idp = *idp;
        inputs.idp_client = us->identity;
        inputs.session = *session;
        inputs.server = a.server->server;
        inputs.client = *client;
        inputs.scopes = scopes;
        inputs.resource = a.server->resource;
        inputs.dpop = use_dpop(dpop_of(*r.upstream), a.server->resource_metadata(), a.challenged_dpop,
                               a.challenged_bearer);
        auto work = mint_credential(env_, std::move(inputs));
        auto made = co_await drive_by_url(control_.get_executor(), network_, choose, std::move(work));
        if (made.outcome || !made.session_gone)
            co_return made.outcome;
        if (!made.worth_renewing || renewed) {
            auto dropped = co_await idps_.drop(a.principal, *session);
            co_return dropped ? made.outcome : result<credential>(dropped.error());
        }
        renewed = true;
        session = co_await idps_.renewed(settings, name, a.principal, *session);
        if (!session)
            co_return session.error();
    }
}

/// Before a plan is made: what may have changed at the provider, and who it is, should a person be sent
/// there.
task<void> recovery_desk::look_at_idp(const account& a, const config& settings, const route& r) {
    if (r.upstream->grant != grant_kind::enterprise)
        co_return;
    const auto& name = r.upstream->identity_provider;
    co_await idps_.look(settings, name, a.principal);
    if (idps_.can_mint(settings, name, a.principal))
        co_return;
    // only for the page: the login itself tells what is wrong
    auto known = co_await idps_.server_of(settings, name);
    if (!known)
        log_event(log_level::warn, "identity provider",
                  {{"name", name}, {"message", known.error().describe()}});
}

void recovery_desk::add_idp_facts(recovery_facts& f, const account& a, const config& settings,
                                  const route& r) const {
    if (r.upstream->grant != grant_kind::enterprise)
        return;
    f.idp_session = idps_.can_mint(settings, r.upstream->identity_provider, a.principal);
    f.idp_login = !supplied(settings, r);
}

/// Whether a login could help after the silent rungs have failed: what the organisation refused, it refuses
/// again.
bool recovery_desk::person_helps(const account& a, const config& settings, const route& r) const {
    if (r.upstream->grant != grant_kind::enterprise)
        return true;
    return !supplied(settings, r) && !idps_.can_mint(settings, r.upstream->identity_provider, a.principal);
}

void recovery_desk::audit(const account& a, const credential& fresh, rung how) const {
    std::string subject;
    if (table_)
        for (const auto& r : table_->routes)
            if (r->upstream->name == a.upstream && r->upstream->grant == grant_kind::enterprise)
                subject = idps_.subject_of(a.principal, r->upstream->identity_provider);
    log_event(log_level::info, "audit",
              {{"principal", a.principal},
               {"subject", subject},
               {"upstream", a.upstream},
               {"scopes", fresh.granted.to_string()},
               {"rule", a.ruled_by},
               {"how", std::string(to_string(how))}});
}

task<result<void>> recovery_desk::logout_idp(std::string identity_provider, std::string principal) {
    auto table = table_;
    const auto& settings = *table->settings;
    if (!settings.identity_providers.contains(identity_provider)) {
        std::string known;
        for (const auto& [name, provider] : settings.identity_providers)
            known += " " + name;
        co_return failure{fault::invalid_configuration, "no identity provider " + identity_provider,
                          known.empty() ? "none is configured" : "known identity providers:" + known, "",
                          false};
    }
    // the session first: nothing can be minted from it any more
    auto session = co_await idps_.sign_out(principal, identity_provider);
    if (!session)
        co_return session.error();
    std::optional<failure> trouble;
    for (const auto& r : table->routes) {
        if (r->upstream->identity_provider != identity_provider)
            continue;
        auto gone = co_await logout(r->upstream->name, principal);
        if (!gone && !trouble)
            trouble = gone.error();
    }
    log_event(log_level::info, "audit",
              {{"principal", principal},
               {"subject", *session ? (*session)->subject : ""},
               {"identity_provider", identity_provider},
               {"how", "logout"}});
    if (*session && !(*session)->refresh_token.empty()) {
        auto server = co_await idps_.server_of(settings, identity_provider);
        auto client = server ? idp_desk::client_at(settings, identity_provider, *server)
                             : result<registered_client>(server.error());
        if (client) {
            revocation_inputs inputs;
            inputs.server = *server;
            inputs.client = *client;
            inputs.held.issuer = (*session)->issuer;
            inputs.held.refresh_token = (*session)->refresh_token;
            auto options = idp_desk::options_for(settings, identity_provider);
            auto work = revoke_credential(env_, std::move(inputs));
            auto revoked = co_await drive(control_.get_executor(), network_, options, std::move(work));
            if (!revoked && !trouble)
                trouble = revoked.error();
        } else if (!trouble) {
            trouble = client.error();
        }
    }
    if (trouble)
        co_return *trouble;
    co_return result<void>{};
}

} // namespace reauth
