// A machine's own token (RFC 6749 §4.4; MCP SEP-1046): secret or private_key_jwt.
#pragma once

#include "core/oauth/metadata.hpp"
#include "core/oauth/registration.hpp"
#include "policy/flows/flow.hpp"
#include "policy/flows/flow_environment.hpp"
#include "policy/flows/trust.hpp"

namespace reauth {

/// What is asked, and where.
struct client_credentials_inputs {
    trust_check trust;
    authorization_server server;
    registered_client client;
    scope_set scopes;
    std::string resource;
    secret dpop_key; ///< of the credential that is replaced; empty: a new key is made if `dpop`
    bool dpop = false;
    retry_schedule retry;
};

/// A new credential. fault::issuer_not_pinned before anything is sent where the issuer is not trusted.
flow<result<credential>> obtain_machine_credential(const flow_environment& env,
                                                   client_credentials_inputs inputs);

} // namespace reauth
