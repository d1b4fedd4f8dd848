// The table of sources, and what they share: how a server is reached, and which client we are there.
#include "proxy/recovery/token_source.hpp"

#include "core/text/uri.hpp"
#include "policy/flows/registration_flow.hpp"
#include "proxy/log/log.hpp"
#include "proxy/recovery/upstream_probe.hpp"

namespace reauth {
namespace {

client_settings client_of(const oauth_client_config& c) {
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

registration_inputs registration_for(const configured_binding& place) {
    const auto& settings = place.settings();
    const auto& upstream = place.upstream();
    registration_inputs inputs;
    inputs.upstream = upstream.name;
    inputs.upstream_url = upstream.url;
    inputs.configured = client_of(upstream.client);
    inputs.client_metadata_url = settings.client_metadata_url;
    inputs.redirect_uri = redirect_uri_of(place);
    inputs.loopback_redirect = is_loopback_host(host_of(settings.approval.public_url));
    return inputs;
}

/// A server may give the same client_id with a new secret.
bool same_registration(const registered_client& a, const registered_client& b) {
    return a.identity.id == b.identity.id && a.identity.client_secret == b.identity.client_secret &&
           a.redirect_uri == b.redirect_uri && a.secret_expires_at == b.secret_expires_at;
}

} // namespace

token_source source_for(recovery_step step, bool session) {
    struct row {
        recovery_step step;
        token_source credential, session;
    };
    static constexpr row table[] = {
        {recovery_step::refresh, refresh_source, session_renewal_source},
        {recovery_step::client_credentials, client_credentials_source, nullptr},
        {recovery_step::jwt_bearer, jwt_bearer_source, nullptr},
        {recovery_step::token_exchange, token_exchange_source, nullptr},
        {recovery_step::enterprise_mint, enterprise_source, nullptr},
        {recovery_step::static_token, static_source, supplied_session_source},
    };
    for (const auto& r : table)
        if (r.step == step)
            return session ? r.session : r.credential;
    return nullptr;
}

std::string redirect_uri_of(const config& settings) {
    return settings.approval.public_url + "/oauth/callback";
}

std::string redirect_uri_of(const configured_binding& place) {
    if (place.session())
        return redirect_uri_of(place.settings());
    return place.settings().approval.public_url + place.upstream().callback_path;
}

fetch_options options_for_provider(const config& settings, const std::string& name) {
    // its host is the operator's choice, so it may be a private one
    const auto& provider = settings.identity_providers.at(name);
    fetch_options o;
    o.timeout = settings.limits.token_request;
    if (auto url = parse_http_url(provider.issuer))
        o.trusted_hosts = {url->host, url->authority()};
    o.ca_file = provider.tls.ca_file;
    o.client_cert = provider.tls.cert;
    o.client_key = provider.tls.key;
    return o;
}

namespace {

fetch_options noted(fetch_options o, const configured_binding& place) {
    if (place.record)
        o.seen = [record = place.record](const exchange_seen& seen) { note_exchange(record, seen); };
    return o;
}

} // namespace

fetch_options options_for_provider(const configured_binding& place, const std::string& provider) {
    return noted(options_for_provider(place.settings(), provider), place);
}

fetch_options options_for(const configured_binding& place) {
    if (place.session())
        return options_for_provider(place, place.provider);
    return noted(options_for(place.upstream(), place.token_request_timeout()), place);
}

options_by_url options_for_both(const configured_binding& place, const std::string& provider,
                                const authorization_server& idp) {
    return [at_idp = options_for_provider(place, provider), elsewhere = options_for(place),
            idp_origin = origin_of(idp.token_endpoint)](const std::string& url) {
        return origin_of(url) == idp_origin ? at_idp : elsewhere;
    };
}

trust_check trust_for(const configured_binding& place, const char* what) {
    const auto& upstream = place.upstream();
    return {upstream.name, upstream.url, upstream.client.issuer, what};
}

bool wants_dpop(const configured_binding& place, const life::server_ptr& server, bool challenged_dpop,
                bool challenged_bearer) {
    return use_dpop(dpop_of(place.upstream()), server->resource_metadata(), challenged_dpop,
                    challenged_bearer);
}

task<result<registered_client>> client_for(recovery_context& context, configured_binding place,
                                           authorization_server server, scope_set scope) {
    auto inputs = registration_for(place);
    inputs.scope = std::move(scope);
    const auto issuer = server.issuer;
    const auto upstream = inputs.upstream;
    auto read = [&] { return context.store.registrations(issuer, upstream); };
    auto stored = co_await context.vault.run(read);
    if (!stored)
        co_return stored.error();
    // one for each redirect URI: processes with another `public_url` have their own
    for (auto& client : *stored)
        if (client.redirect_uri == inputs.redirect_uri && !client.retired)
            inputs.stored = std::move(client);
    if (place.whose.grant == grant_kind::jwt_bearer && inputs.configured.id.empty()) {
        registered_client nobody; // the assertion alone says who we are
        nobody.issuer = issuer;
        co_return nobody;
    }
    const auto known = inputs.stored;
    auto options = options_for(place);
    auto work = obtain_client(context.env, std::move(server), std::move(inputs));
    auto client = co_await drive(context.ex, context.network, options, std::move(work));
    if (!client)
        co_return client.error();
    // what is known is not written again: a vault that can't be written would stop every renewal
    if (client->origin == client_origin::dynamic && !(known && same_registration(*known, *client))) {
        auto write = [&] { return context.store.store_registration(upstream, *client); };
        auto written = co_await context.vault.run(write);
        if (!written)
            co_return written.error();
        if (!known)
            log_event(log_level::info, "registered", {{"upstream", upstream}, {"issuer", issuer}});
    }
    co_return client;
}

task<result<std::optional<registered_client>>> client_issued_to(recovery_context& context,
                                                                configured_binding place,
                                                                authorization_server server,
                                                                std::string client_id) {
    std::vector<registered_client> stored;
    if (!place.session()) {
        auto read = [&] { return context.store.registrations(server.issuer, place.whose.upstream); };
        auto all = co_await context.vault.run(read);
        if (!all)
            co_return all.error();
        stored = std::move(*all);
    }
    co_return client_among(std::move(stored), place, server, client_id);
}

namespace {

/// Our client at the identity provider, of what was exchanged there: it is shown to that provider alone.
std::optional<registered_client> client_that_exchanged(const configured_binding& place,
                                                       const authorization_server& server,
                                                       const std::string& client_id) {
    const auto& name = place.upstream().exchange.identity_provider;
    if (place.upstream().grant != grant_kind::token_exchange || name.empty())
        return std::nullopt;
    const auto& provider = place.settings().identity_providers.at(name);
    if (provider.issuer != server.issuer || provider.client.id != client_id)
        return std::nullopt;
    auto us = client_at_provider(provider, server);
    return us ? std::optional(std::move(*us)) : std::nullopt;
}

} // namespace

result<std::optional<registered_client>> client_among(std::vector<registered_client> stored,
                                                      const configured_binding& place,
                                                      const authorization_server& server,
                                                      const std::string& client_id) {
    if (place.session()) {
        auto ours = client_at_provider(place.idp(), server);
        if (!ours)
            return ours.error();
        return std::optional<registered_client>(std::move(*ours));
    }
    if (auto exchanger = client_that_exchanged(place, server, client_id))
        return exchanger;
    const auto inputs = registration_for(place);
    auto configured = known_client(server, inputs);
    if (!configured || (*configured && (client_id.empty() || (*configured)->identity.id == client_id)))
        return configured;
    std::optional<registered_client> known;
    for (auto& client : stored)
        if (client.issuer == server.issuer &&
            (client_id.empty() ? !known || client.redirect_uri == inputs.redirect_uri
                               : client.identity.id == client_id))
            known = std::move(client);
    // a metadata document's client is public and needs no record: its id is all there is to it
    const auto& url = inputs.client_metadata_url;
    if (!known && !url.empty() && client_id == url)
        known = metadata_document_client(server.issuer, url, "");
    return known;
}

authorization_server exchange_server_of(const upstream_config& upstream) {
    authorization_server server;
    server.token_endpoint = upstream.exchange.token_endpoint;
    server.issuer = upstream.client.issuer.empty() ? server.token_endpoint : upstream.client.issuer;
    return server;
}

result<registered_client> client_configured_for(const configured_binding& place,
                                                const authorization_server& server) {
    return configured_client(server, client_of(place.upstream().client));
}

result<registered_client> client_at_provider(const identity_provider_config& provider,
                                             const authorization_server& server) {
    return configured_client(server, client_of(provider.client));
}

} // namespace reauth
