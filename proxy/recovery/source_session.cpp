// Source: the session at an identity provider, renewed with its refresh token.
#include "policy/flows/idp_session.hpp"

#include "proxy/recovery/token_source.hpp"

namespace reauth {

task<life::flow_ended> session_renewal_source(recovery_context& context, configured_binding place,
                                              life::run what) {
    life::flow_ended end{what.work, failure{}};
    auto client = client_at_provider(place.idp(), what.server->server);
    if (!client) {
        end.fresh = client.error();
        co_return end;
    }
    idp_renewal_inputs inputs;
    inputs.server = what.server->server;
    inputs.client = client->identity;
    end.client = *client;
    inputs.session = session_of(*what.held, place.provider);
    auto options = options_for(place);
    auto work = renew_idp_session(context.env, std::move(inputs));
    auto fresh = co_await drive(context.ex, context.network, options, std::move(work));
    if (fresh)
        end.fresh = credential_of(*fresh);
    else
        end.fresh = fresh.error();
    co_return end;
}

} // namespace reauth
