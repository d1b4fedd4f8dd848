// Source: legs 2 and 3 of enterprise-managed authorization, from the session at the organisation's identity
// provider.
#include "policy/flows/enterprise_flow.hpp"

#include "proxy/recovery/token_source.hpp"

namespace reauth {

/// Where the provider no longer takes the session, it is renewed once, else it is over.
task<life::flow_ended> enterprise_source(recovery_context& context, configured_binding place,
                                         life::run what) {
    life::flow_ended end{what.work, failure{}};
    const auto& name = place.upstream().identity_provider;
    const auto& settings = place.settings();
    const auto principal = place.whose.principal;
    auto session = co_await context.sessions.usable_session(name, principal, 0);
    if (!session) {
        end.fresh = session.error();
        co_return end;
    }
    auto idp = co_await context.sessions.provider_metadata(name);
    if (!idp) {
        end.fresh = idp.error();
        co_return end;
    }
    auto us = client_at_provider(settings.identity_providers.at(name), *idp);
    if (!us) {
        end.fresh = us.error();
        co_return end;
    }
    auto client = co_await client_for(context, place, what.server->server);
    if (!client) {
        end.fresh = client.error();
        co_return end;
    }
    const auto choose = options_for_both(place, name, *idp);
    for (bool renewed = false;;) {
        enterprise_inputs inputs;
        fill_inputs(inputs, end, place, what, *client, "the organisation's assertion");
        inputs.idp = *idp;
        inputs.idp_client = us->identity;
        inputs.session = *session;
        inputs.subject = place.upstream().subject;
        auto work = mint_credential(context.env, std::move(inputs));
        auto made = co_await drive_by_url(context.ex, context.network, choose, std::move(work));
        end.fresh = made.outcome;
        if (made.outcome || !made.session_gone)
            co_return end;
        if (!made.worth_renewing || renewed) {
            context.sessions.session_dead(name, principal, session->generation);
            co_return end;
        }
        renewed = true;
        session = co_await context.sessions.usable_session(name, principal, session->generation);
        if (!session) {
            end.fresh = session.error();
            co_return end;
        }
    }
}

} // namespace reauth
