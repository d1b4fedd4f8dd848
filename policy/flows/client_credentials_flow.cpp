// Discovery, then the token for ourselves.
#include "policy/flows/client_credentials_flow.hpp"

#include "policy/flows/new_token.hpp"

namespace reauth {

flow<result<credential>> obtain_machine_credential(const flow_environment& env,
                                                   client_credentials_inputs inputs) {
    request_builder build = [&env, &inputs] {
        const token_call call{inputs.server, inputs.client.identity, env.now(), env.random};
        return client_credentials_request(call, inputs.scopes, inputs.resource);
    };
    new_token_inputs wanted{inputs.trust,     inputs.server,       inputs.client, inputs.scopes,
                            inputs.resource,  inputs.dpop_key,     inputs.dpop,   inputs.retry,
                            std::move(build), "client credentials"};
    auto inner = obtain_new_token(env, std::move(wanted));
    co_return co_await inner;
}

} // namespace reauth
