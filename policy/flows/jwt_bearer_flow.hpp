// A workload's token for the assertion it was given (RFC 7523 §2.1).
#pragma once

#include "core/oauth/metadata.hpp"
#include "core/oauth/registration.hpp"
#include "policy/flows/flow.hpp"
#include "policy/flows/flow_environment.hpp"
#include "policy/flows/trust.hpp"

namespace reauth {

/// What is asked, and where.
struct jwt_bearer_inputs {
    trust_check trust;
    authorization_server server;
    registered_client client; ///< an empty id: the assertion alone identifies the workload
    secret assertion;         ///< read anew for each try
    scope_set scopes;
    std::string resource;
    secret dpop_key;
    bool dpop = false;
};

/// A new credential, in one attempt: no retry and no other grant. fault::issuer_not_pinned before anything is
/// sent where the issuer is not trusted.
flow<result<credential>> obtain_workload_credential(const flow_environment& env, jwt_bearer_inputs inputs);

} // namespace reauth
