// The assertion exchanged for a token.
#include "policy/flows/jwt_bearer_flow.hpp"

#include "policy/flows/new_token.hpp"

namespace reauth {

flow<result<credential>> obtain_workload_credential(const flow_environment& env, jwt_bearer_inputs inputs) {
    if (inputs.assertion.empty()) {
        failure f;
        f.code = fault::invalid_configuration;
        f.message = "the workload assertion of upstream " + inputs.trust.upstream + " is empty";
        f.fix = "check the file that `assertion` names";
        co_return f;
    }
    request_builder build = [&env, &inputs] {
        const token_call call{inputs.server, inputs.client.identity, env.now(), env.random};
        return jwt_bearer_request(call, inputs.assertion, inputs.scopes, inputs.resource);
    };
    new_token_inputs wanted{inputs.trust,     inputs.server,   inputs.client, inputs.scopes,
                            inputs.resource,  inputs.dpop_key, inputs.dpop,   retry_schedule::never(),
                            std::move(build), "workload token"};
    auto inner = obtain_new_token(env, std::move(wanted));
    co_return co_await inner;
}

} // namespace reauth
