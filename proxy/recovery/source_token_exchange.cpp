// Source: the token that the caller has shown us, exchanged for one of the upstream's (RFC 8693), or for an
// ID-JAG and with that (enterprise-managed authorization, `subject: caller`).
#include "policy/flows/enterprise_flow.hpp"

#include "core/text/uri.hpp"
#include "proxy/recovery/caller_book.hpp"
#include "proxy/recovery/secret_files.hpp"
#include "proxy/recovery/token_source.hpp"

namespace reauth {
namespace {

failure nothing_shown(const configured_binding& place) {
    return failure::permanent(fault::reauth_failed,
                              "principal " + place.whose.principal +
                                  " has shown no token that could be exchanged for upstream " +
                                  place.whose.upstream,
                              "call with a token of the company's identity provider (client_auth: jwt)");
}

/// Where it is exchanged, and as whom.
struct exchange_place {
    authorization_server server;
    registered_client client;
    trust_check trust;
    fetch_options options;
};

task<result<exchange_place>> at_provider(recovery_context& context, configured_binding place,
                                         std::string name) {
    auto idp = co_await context.sessions.provider_metadata(name);
    if (!idp)
        co_return idp.error();
    const auto& provider = place.settings().identity_providers.at(name);
    auto us = client_at_provider(provider, *idp);
    if (!us)
        co_return us.error();
    exchange_place there;
    there.server = std::move(*idp);
    there.client = std::move(*us);
    there.trust = trust_for(place, "the caller's token");
    there.trust.configured_issuer = provider.issuer; // whose name stands in the configuration
    there.options = options_for_provider(place, name);
    co_return there;
}

task<result<exchange_place>> exchange_place_of(recovery_context& context, configured_binding place,
                                               life::server_ptr known) {
    const auto& how = place.upstream().exchange;
    if (!how.identity_provider.empty())
        co_return co_await at_provider(context, place, how.identity_provider);
    exchange_place there;
    there.trust = trust_for(place, "the caller's token");
    there.options = options_for(place);
    if (!how.token_endpoint.empty()) {
        there.server = exchange_server_of(place.upstream());
        auto us = client_configured_for(place, there.server);
        if (!us)
            co_return us.error();
        there.client = std::move(*us);
        there.trust.configured_issuer = there.server.issuer;
        if (auto url = parse_http_url(how.token_endpoint))
            there.options.trusted_hosts = {url->host, url->authority()};
        co_return there;
    }
    auto client = co_await client_for(context, place, known->server);
    if (!client)
        co_return client.error();
    there.server = known->server;
    there.client = std::move(*client);
    co_return there;
}

task<life::flow_ended> mint_for_caller(recovery_context& context, configured_binding place, life::run what,
                                       caller_subject caller) {
    life::flow_ended end{what.work, failure{}};
    const auto& name = place.upstream().identity_provider;
    auto idp = co_await at_provider(context, place, name);
    if (!idp) {
        end.fresh = idp.error();
        co_return end;
    }
    auto client = co_await client_for(context, place, what.server->server);
    if (!client) {
        end.fresh = client.error();
        co_return end;
    }
    const auto choose = options_for_both(place, name, idp->server);
    enterprise_inputs inputs;
    fill_inputs(inputs, end, place, what, *client, "the organisation's assertion");
    inputs.idp = idp->server;
    inputs.idp_client = idp->client.identity;
    inputs.session.identity_provider = name;
    inputs.subject = exchange_subject::caller;
    inputs.caller = std::move(caller);
    auto work = mint_credential(context.env, std::move(inputs));
    auto made = co_await drive_by_url(context.ex, context.network, choose, std::move(work));
    end.fresh = std::move(made.outcome);
    co_return end;
}

task<life::flow_ended> exchange_for_caller(recovery_context& context, configured_binding place,
                                           life::run what, caller_subject caller) {
    life::flow_ended end{what.work, failure{}};
    auto there = co_await exchange_place_of(context, place, what.server);
    if (!there) {
        end.fresh = there.error();
        co_return end;
    }
    const auto& how = place.upstream().exchange;
    exchange_inputs inputs;
    inputs.trust = there->trust;
    inputs.server = there->server;
    inputs.client = there->client;
    end.client = there->client;
    inputs.caller = std::move(caller);
    inputs.exchange.audience = how.audience;
    inputs.exchange.resource = how.resource.empty() ? what.server->resource : how.resource;
    inputs.exchange.requested_token_type = how.requested_token_type;
    inputs.exchange.scope = what.scopes;
    inputs.issuer = what.server->issuer();
    inputs.dpop = wants_dpop(place, what.server, what.challenged_dpop, what.challenged_bearer);
    if (how.actor.from != secret_source::kind::none) {
        auto actor = read_token_now(how.actor);
        if (!actor) {
            end.fresh = actor.error();
            co_return end;
        }
        inputs.exchange.actor_token = std::move(*actor);
    }
    const auto options = there->options;
    auto work = exchange_token(context.env, std::move(inputs));
    end.fresh = co_await drive(context.ex, context.network, options, std::move(work));
    if (end.fresh) // where the upstream's own resource is another
        end.fresh->resource = what.server->resource;
    co_return end;
}

} // namespace

task<life::flow_ended> token_exchange_source(recovery_context& context, configured_binding place,
                                             life::run what) {
    auto caller = context.callers.find(place.whose.principal, context.env.now());
    if (!caller) {
        life::flow_ended none{what.work, nothing_shown(place)};
        co_return none;
    }
    const auto shown = caller->token;
    const auto principal = place.whose.principal;
    const bool legs = place.upstream().grant == grant_kind::enterprise;
    auto working = legs ? mint_for_caller(context, std::move(place), std::move(what), std::move(*caller))
                        : exchange_for_caller(context, std::move(place), std::move(what), std::move(*caller));
    auto end = co_await std::move(working);
    if (!end.fresh && end.fresh.error().oauth_error == "invalid_grant")
        context.callers.refused(principal, shown);
    co_return end;
}

} // namespace reauth
