// Source: the machine's own token (RFC 6749 section 4.4; MCP SEP-1046).
#include "policy/flows/client_credentials_flow.hpp"

#include "proxy/recovery/token_source.hpp"

namespace reauth {

task<life::flow_ended> client_credentials_source(recovery_context& context, configured_binding place,
                                                 life::run what) {
    life::flow_ended end{what.work, failure{}};
    auto client = co_await client_for(context, place, what.server->server);
    if (!client) {
        end.fresh = client.error();
        co_return end;
    }
    client_credentials_inputs inputs;
    fill_inputs(inputs, end, place, what, *client, "the client secret");
    auto options = options_for(place);
    auto work = obtain_machine_credential(context.env, std::move(inputs));
    end.fresh = co_await drive(context.ex, context.network, options, std::move(work));
    co_return end;
}

} // namespace reauth
