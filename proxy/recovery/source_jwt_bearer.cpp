// Source: a workload's token for its assertion (RFC 7523 section 2.1), which is read anew each time.
#include "policy/flows/jwt_bearer_flow.hpp"

#include "proxy/recovery/secret_files.hpp"
#include "proxy/recovery/token_source.hpp"

namespace reauth {

task<life::flow_ended> jwt_bearer_source(recovery_context& context, configured_binding place,
                                         life::run what) {
    life::flow_ended end{what.work, failure{}};
    auto client = co_await client_for(context, place, what.server->server);
    if (!client) {
        end.fresh = client.error();
        co_return end;
    }
    auto assertion = read_token_now(place.upstream().assertion);
    if (!assertion) {
        end.fresh = assertion.error();
        co_return end;
    }
    jwt_bearer_inputs inputs;
    fill_inputs(inputs, end, place, what, *client, "the workload's assertion");
    inputs.assertion = std::move(*assertion);
    auto options = options_for(place);
    auto work = obtain_workload_credential(context.env, std::move(inputs));
    end.fresh = co_await drive(context.ex, context.network, options, std::move(work));
    co_return end;
}

} // namespace reauth
