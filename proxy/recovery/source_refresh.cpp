// Source: the refresh_token grant (RFC 6749 section 6).
#include "policy/refresh_flow.hpp"

#include "policy/registration_flow.hpp"
#include "proxy/recovery/token_source.hpp"

namespace reauth {

task<life::flow_ended> refresh_source(recovery_context& context, life_place place, life::run what) {
    life::flow_ended end{what.work, failure{}};
    auto client = co_await client_for(context, place, what.server->server);
    if (!client) {
        end.fresh = client.error();
        co_return end;
    }
    refresh_inputs inputs;
    inputs.server = what.server->server;
    inputs.client = *client;
    end.client = *client;
    inputs.held = std::move(*what.held);
    auto options = options_for(place);
    auto work = refresh_credential(context.env, std::move(inputs));
    end.fresh = co_await drive(context.ex, context.network, options, std::move(work));
    if (!end.fresh && wants_new_registration(end.fresh.error(), *client)) {
        // the server has forgotten us
        const auto issuer = what.server->issuer();
        const auto upstream = place.whose.upstream;
        auto forget = [&] { return context.store.erase_registration(issuer, upstream); };
        auto forgotten = co_await context.vault.run(forget);
        end.client_unknown = forgotten.has_value();
    }
    co_return end;
}

} // namespace reauth
