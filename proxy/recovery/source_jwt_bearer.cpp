// Source: a workload's token for its assertion (RFC 7523 section 2.1), which is read anew each time.
#include "policy/jwt_bearer_flow.hpp"

#include "proxy/recovery/secret_files.hpp"
#include "proxy/recovery/token_source.hpp"

namespace reauth {

task<life::flow_ended> jwt_bearer_source(recovery_context& context, life_place place, life::run what) {
    life::flow_ended end{what.work, failure{}};
    auto client = co_await client_for(context, place, what.server->server);
    if (!client) {
        end.fresh = client.error();
        co_return end;
    }
    auto assertion = read_secret_now(place.where.upstream().assertion);
    if (!assertion) {
        end.fresh = assertion.error();
        co_return end;
    }
    jwt_bearer_inputs inputs;
    inputs.trust = trust_for(place, "the workload's assertion");
    inputs.server = what.server->server;
    inputs.client = *client;
    end.client = *client;
    inputs.assertion = std::move(*assertion);
    inputs.scopes = what.scopes;
    inputs.resource = what.server->resource;
    inputs.dpop = wants_dpop(place, what.server, what.challenged_dpop, what.challenged_bearer);
    auto options = options_for(place);
    auto work = obtain_workload_credential(context.env, std::move(inputs));
    end.fresh = co_await drive(context.ex, context.network, options, std::move(work));
    co_return end;
}

} // namespace reauth
