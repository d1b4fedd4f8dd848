// What the grants without a person share: one trusted question to the upstream's authorization server.
#pragma once

#include "core/oauth/registration.hpp"
#include "policy/flows/token_flow.hpp"
#include "policy/flows/trust.hpp"

namespace reauth {

/// Everything about a new token but the grant itself.
struct new_token_inputs {
    trust_check trust;
    const authorization_server& server;
    const registered_client& client;
    const scope_set& scopes;
    const std::string& resource;
    secret dpop_key;
    bool dpop = false;
    retry_schedule retry;
    request_builder build;
    const char* purpose = "token request";
};

/// Checks trust, asks, and makes the credential. What `inputs` refers to must outlive the flow.
flow<result<credential>> obtain_new_token(const flow_environment& env, new_token_inputs inputs);

} // namespace reauth
