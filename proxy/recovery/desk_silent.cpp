// Recovery that needs no person: discovery, refresh, new tokens; serialised across processes by a lease.
#include "proxy/recovery/desk.hpp"

#include "core/uri.hpp"
#include "policy/client_credentials_flow.hpp"
#include "policy/jwt_bearer_flow.hpp"
#include "policy/refresh_flow.hpp"
#include "policy/registration_flow.hpp"
#include "proxy/log.hpp"
#include "proxy/recovery/lease.hpp"
#include "proxy/recovery/secret_files.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr std::chrono::minutes metadata_lifetime{15};

client_settings client_of(const upstream_config& upstream) {
    const auto& c = upstream.client;
    return {c.id, c.client_secret, c.auth, c.private_key, c.alg, c.issuer};
}

dpop_policy dpop_of(const upstream_config& upstream) {
    switch (upstream.dpop) {
    case dpop_mode::require:
        return dpop_policy::require;
    case dpop_mode::never:
        return dpop_policy::never;
    case dpop_mode::automatic:
        break;
    }
    return dpop_policy::automatic;
}

} // namespace

fetch_options recovery_desk::options_for(const config& settings, const route& r) const {
    fetch_options o;
    o.timeout = settings.limits.token_request;
    o.trusted_hosts = {r.authority, r.host};
    o.ca_file = r.upstream->tls.ca_file;
    o.client_cert = r.upstream->tls.cert;
    o.client_key = r.upstream->tls.key;
    return o;
}

trust_question recovery_desk::trust_for(const route& r, const char* what) const {
    return {r.upstream->name, r.upstream->url, r.upstream->client.issuer, what};
}

/// Knows the authorization server of the account, asking the upstream where it must.
task<result<void>> recovery_desk::ensure_server(account& a, const config& settings, const route& r,
                                                std::string resource_metadata) {
    if (r.upstream->grant == grant_kind::static_token)
        co_return result<void>{};
    bool fresh = a.server && env_.now() < a.discovered_at + metadata_lifetime;
    // the same challenge, or none at all (our own notice of expiry), tells nothing new
    if (fresh && (resource_metadata.empty() || resource_metadata == a.discovered_from))
        co_return result<void>{};
    discovery_request request;
    request.upstream_url = r.upstream->url;
    request.resource_metadata = resource_metadata.empty() ? a.discovered_from : resource_metadata;
    request.configured_issuer = r.upstream->client.issuer;
    request.pinned_issuer = a.pinned_issuer;
    request.resource = r.upstream->resource;
    auto from = request.resource_metadata;
    auto options = options_for(settings, r);
    auto work = discover(std::move(request));
    auto found = co_await drive(control_.get_executor(), network_, options, std::move(work));
    if (!found)
        co_return found.error();
    a.server = std::move(*found);
    a.discovered_at = env_.now();
    a.discovered_from = from;
    if (a.current && a.current->held.issuer != a.server->issuer() && !a.current->held.issuer.empty()) {
        // tokens of the old issuer are not used any more
        log_event(log_level::warn, "issuer changed",
                  {{"upstream", a.upstream}, {"from", a.current->held.issuer}, {"to", a.server->issuer()}});
        a.refresh_dead = true;
    }
    co_return result<void>{};
}

/// The rungs in order, until one gives a credential.
task<result<void>> recovery_desk::run_silent(account& a, const config& settings, const route& r,
                                             std::vector<rung> rungs, scope_set scopes) {
    failure last{fault::reauth_failed, "nothing could be tried", "", "", false};
    for (auto what : rungs) {
        auto fresh = co_await run_rung(a, settings, r, what, scopes);
        if (fresh) {
            auto kept = co_await keep(a, settings, std::move(*fresh), what);
            co_return kept;
        }
        last = fresh.error();
        note(a, to_string(what), &last);
        if (last.transient)
            break;
    }
    co_return last;
}

/// What another process stored meanwhile, if it is newer than ours.
task<std::optional<credential>> recovery_desk::newer_in_vault(account& a) {
    auto issuer = a.server ? a.server->issuer() : a.pinned_issuer;
    auto read = [&] { return store_.find_credential(a.principal, a.upstream, issuer); };
    auto stored = co_await vault_.run(read);
    if (!stored || !*stored)
        co_return std::nullopt;
    auto ours = a.current ? a.current->generation() : 0;
    if ((*stored)->generation <= ours || (*stored)->expired_at(env_.now()))
        co_return std::nullopt;
    co_return std::move(**stored);
}

task<result<credential>> recovery_desk::run_rung(account& a, const config& settings, const route& r,
                                                 rung what, scope_set scopes) {
    if (r.upstream->grant == grant_kind::static_token)
        co_return failure{fault::reauth_failed, "upstream " + a.upstream + " refuses the configured token",
                          "replace it", "", false};
    auto ttl = 4 * settings.limits.token_request;
    auto lease = "recover|" + a.upstream + "|" + a.principal;
    auto won = co_await win_lease(control_.get_executor(), vault_, store_, lease, holder_, ttl);
    if (!won)
        co_return failure{fault::vault_unavailable, "another process holds the recovery of " + a.upstream,
                          "try again", "", true};
    auto newer = co_await newer_in_vault(a);
    result<credential> fresh = failure{};
    if (newer && newer->requested.covers(scopes)) {
        fresh = std::move(*newer);
    } else if (what == rung::refresh) {
        auto held = newer ? *newer : a.current->held;
        fresh = co_await refresh(a, settings, r, std::move(held));
    } else if (what == rung::enterprise_mint) {
        fresh = co_await mint(a, settings, r, scopes);
    } else {
        auto client = co_await client_for(a, settings, r);
        if (!client) {
            fresh = client.error();
        } else if (what == rung::client_credentials) {
            ++counters_.machine_tokens;
            client_credentials_inputs inputs;
            inputs.trust = trust_for(r, "the client secret");
            inputs.server = a.server->server;
            inputs.client = *client;
            inputs.scopes = scopes;
            inputs.resource = a.server->resource;
            inputs.dpop = use_dpop(dpop_of(*r.upstream), a.server->resource_metadata(), a.challenged_dpop,
                                   a.challenged_bearer);
            auto work = obtain_machine_credential(env_, std::move(inputs));
            auto options = options_for(settings, r);
            fresh = co_await drive(control_.get_executor(), network_, options, std::move(work));
        } else if (what == rung::jwt_bearer) {
            ++counters_.machine_tokens;
            auto assertion = read_secret_now(r.upstream->assertion);
            if (!assertion) {
                fresh = assertion.error();
            } else {
                jwt_bearer_inputs inputs;
                inputs.trust = trust_for(r, "the workload's assertion");
                inputs.server = a.server->server;
                inputs.client = *client;
                inputs.assertion = std::move(*assertion);
                inputs.scopes = scopes;
                inputs.resource = a.server->resource;
                inputs.dpop = use_dpop(dpop_of(*r.upstream), a.server->resource_metadata(), a.challenged_dpop,
                                       a.challenged_bearer);
                auto work = obtain_workload_credential(env_, std::move(inputs));
                auto options = options_for(settings, r);
                fresh = co_await drive(control_.get_executor(), network_, options, std::move(work));
            }
        } else {
            fresh = failure{fault::internal, "no such silent rung", "", "", false};
        }
    }
    if (fresh && fresh->generation <= a.last_generation) {
        // durable before anyone uses it, and before the lease is given back
        auto next = std::move(*fresh);
        next.generation = a.last_generation;
        // the first machine token pins its issuer too (trust was checked before it was asked for)
        bool pin = a.pinned_issuer.empty();
        auto write = [&]() -> result<credential> {
            if (pin)
                if (auto pinned = store_.pin_issuer(a.principal, a.upstream, next.issuer); !pinned)
                    return pinned.error();
            return store_.store_credential(a.principal, a.upstream, next);
        };
        fresh = co_await vault_.run(write);
        if (fresh && pin)
            a.pinned_issuer = fresh->issuer;
    }
    co_await give_back_lease(vault_, store_, lease, holder_);
    co_return fresh;
}

task<result<credential>> recovery_desk::refresh(account& a, const config& settings, const route& r,
                                                credential held) {
    ++counters_.refreshes;
    auto client = co_await client_for(a, settings, r);
    if (!client)
        co_return client.error();
    refresh_inputs inputs;
    inputs.server = a.server->server;
    inputs.client = *client;
    inputs.held = std::move(held);
    auto used = inputs.held.generation;
    auto options = options_for(settings, r);
    auto work = refresh_credential(env_, std::move(inputs));
    auto fresh = co_await drive(control_.get_executor(), network_, options, std::move(work));
    if (fresh) {
        fresh->generation = 0;
        co_return fresh;
    }
    ++counters_.refresh_failures;
    if (wants_new_registration(fresh.error(), *client)) {
        // the server has forgotten us: a refresh token of a dead client is dead too, the login registers anew
        auto issuer = a.server->issuer();
        auto forget = [&] { return store_.erase_registration(issuer, a.upstream); };
        auto forgotten = co_await vault_.run(forget);
        if (!forgotten)
            co_return forgotten.error();
        a.refresh_dead = true;
    }
    if (ends_grant(fresh.error())) {
        // another holder may have won, whatever the lease said
        auto newer = co_await newer_in_vault(a);
        if (newer && newer->generation > used)
            co_return std::move(*newer);
        a.refresh_dead = true;
    }
    co_return fresh;
}

/// Which client we are at the account's server: configured, metadata document, stored or fresh registration.
task<result<registered_client>> recovery_desk::client_for(account& a, const config& settings,
                                                          const route& r) {
    registration_inputs inputs;
    inputs.upstream = a.upstream;
    inputs.upstream_url = r.upstream->url;
    inputs.configured = client_of(*r.upstream);
    inputs.client_metadata_url = settings.client_metadata_url;
    inputs.redirect_uri = settings.approval.public_url + "/oauth/callback";
    inputs.loopback_redirect = is_loopback_host(host_of(settings.approval.public_url));
    auto issuer = a.server->issuer();
    auto read = [&] { return store_.find_registration(issuer, a.upstream); };
    auto stored = co_await vault_.run(read);
    if (!stored)
        co_return stored.error();
    inputs.stored = std::move(*stored);
    if (r.upstream->grant == grant_kind::jwt_bearer && r.upstream->client.id.empty()) {
        registered_client nobody; // the assertion alone says who we are
        nobody.issuer = issuer;
        co_return nobody;
    }
    auto had = inputs.stored.has_value();
    auto options = options_for(settings, r);
    auto work = obtain_client(env_, a.server->server, std::move(inputs));
    auto client = co_await drive(control_.get_executor(), network_, options, std::move(work));
    if (!client)
        co_return client.error();
    if (client->origin == client_origin::dynamic) {
        auto write = [&] { return store_.store_registration(a.upstream, *client); };
        auto written = co_await vault_.run(write);
        if (!written)
            co_return written.error();
        if (!had)
            log_event(log_level::info, "registered", {{"upstream", a.upstream}, {"issuer", issuer}});
    }
    co_return client;
}

/// Takes a stored credential into force.
task<result<void>> recovery_desk::keep(account& a, const config& settings, credential fresh, rung how) {
    audit(a, fresh, how);
    adopt(a, settings, std::move(fresh), how);
    note(a, to_string(how), nullptr);
    co_return result<void>{};
}

void recovery_desk::adopt(account& a, const config& settings, credential held, std::optional<rung> how) {
    auto snapshot = std::make_shared<credential_snapshot>();
    auto now = env_.now();
    auto steady = std::chrono::steady_clock::now();
    bool dpop = !held.dpop_key.empty();
    std::string line = dpop ? "Authorization: DPoP " : "Authorization: Bearer ";
    line += held.access_token.reveal();
    line += "\r\n";
    snapshot->header_line = secret(std::move(line));
    a.last_generation = std::max(a.last_generation, held.generation);
    a.obtained_by = how;
    a.refresh_dead = false;
    auto grant = grant_kind::authorization_code;
    for (const auto& u : settings.upstreams)
        if (u.name == a.upstream)
            grant = u.grant;
    snapshot->renewable = !held.refresh_token.empty() || grant == grant_kind::client_credentials ||
                          grant == grant_kind::jwt_bearer || grant == grant_kind::enterprise;
    if (held.expires_at) {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*held.expires_at - now);
        auto life =
            std::chrono::duration_cast<std::chrono::milliseconds>(*held.expires_at - held.obtained_at);
        // a short-lived token would be renewed all the time if the whole of refresh_ahead were taken
        auto ahead = std::min<std::chrono::milliseconds>(settings.limits.refresh_ahead, life / 4);
        snapshot->expires_at = steady + left;
        snapshot->renew_at = snapshot->expires_at - std::max(ahead, std::chrono::milliseconds(0));
    }
    snapshot->held = std::move(held);
    a.current = snapshot;
    a.failures.clear();
    finals_.forget(a.principal, a.upstream);
    publish_(a.slot, a.current);
}

void recovery_desk::renew_ahead(std::shared_ptr<const routing_table> table, const route* upstream,
                                std::size_t principal, std::uint64_t generation) {
    asio::post(control_, [this, table = std::move(table), upstream, principal, generation] {
        auto& a = account_of(*upstream, principal, *table->settings);
        if (stopped_ || a.busy || !a.current || a.current->generation() != generation || a.refresh_dead)
            return;
        a.busy = true;
        asio::co_spawn(control_.get_executor(), renew(a, table, upstream), asio::detached);
    });
}

/// In the background, ahead of expiry: a failure waits for the next sign of use, or for the expiry itself.
task<void> recovery_desk::renew(account& a, std::shared_ptr<const routing_table> table, const route* r) {
    recovery_ask ask;
    ask.table = table;
    ask.upstream = r;
    ask.challenge.kind = challenge_kind::token_expired;
    auto found = co_await ensure_server(a, *table->settings, *r, std::string());
    if (found) {
        co_await look_at_idp(a, *table->settings, *r);
        auto plan = plan_recovery(facts_for(a, ask));
        auto verdict = decide(table->settings->policy, policy_facts(a, ask, plan));
        auto allowed = verdict.action;
        a.ruled_by = verdict.matched.name.empty() ? verdict.matched.where : verdict.matched.name;
        if (!plan.silent.empty() && (allowed == rule_action::silent || allowed == rule_action::interactive)) {
            auto done = co_await run_silent(a, *table->settings, *r, plan.silent, plan.silent_scopes);
            if (!done)
                log_event(log_level::debug, "renewal ahead failed",
                          {{"upstream", a.upstream}, {"message", done.error().describe()}});
        }
    }
    // those who came meanwhile
    co_await serve(a);
}

result<void> recovery_desk::load() {
    auto sessions = idps_.load();
    if (!sessions)
        return sessions.error();
    for (auto& [key, held] : accounts_) {
        auto& a = *held;
        auto pinned = store_.pinned_issuer(a.principal, a.upstream);
        if (!pinned)
            return pinned.error();
        if (!*pinned)
            continue;
        a.pinned_issuer = **pinned;
        auto stored = store_.find_credential(a.principal, a.upstream, a.pinned_issuer);
        if (!stored)
            return stored.error();
        if (*stored)
            adopt(a, *table_->settings, std::move(**stored), std::nullopt);
    }
    for (const auto& r : table_->routes)
        if (r->upstream->grant == grant_kind::static_token)
            for (std::size_t p = 0; p < r->slots.size(); ++p) {
                auto token = read_secret_now(r->upstream->token);
                if (!token)
                    return token.error();
                credential c;
                c.access_token = std::move(*token);
                c.obtained_at = env_.now();
                c.generation = 1;
                adopt(account_of(*r, p, *table_->settings), *table_->settings, std::move(c), std::nullopt);
            }
    return {};
}

} // namespace reauth
