// Legs 2 and 3 of enterprise-managed authorization: an ID-JAG from the IdP becomes a credential for one
// upstream.
#pragma once

#include "policy/flows/exchange_flow.hpp"
#include "policy/flows/idp_session.hpp"
#include "policy/flows/trust.hpp"

namespace reauth {

/// Two planes that never mix: the IdP with our client there, and the upstream's server with our client there.
struct enterprise_inputs {
    trust_check trust; ///< of the upstream: the ID-JAG goes to a trusted issuer only
    authorization_server idp;
    client_identity idp_client;
    idp_session session;
    exchange_subject subject = exchange_subject::session;
    caller_subject caller; ///< of exchange_subject::caller
    authorization_server server;
    registered_client client;
    scope_set scopes;
    std::string resource;
    secret dpop_key;
    bool dpop = false;
    retry_schedule retry;
};

/// What came of it.
struct minted {
    result<credential> outcome;
    bool session_gone = false; ///< the IdP no longer knows the session (invalid_grant on leg 2): leg 1 again
    /// With session_gone: it was the ID token that was refused (clocks may differ) and an IdP refresh token
    /// is held, so renew_idp_session() once and mint again before a person is asked.
    bool worth_renewing = false;
};

/// Mints. The subject is as `subject` says (see state_of() for when an ID token has expired). The
/// ID-JAG is used once and never kept. A refusal of the IdP is told in its own words (error_description,
/// cleaned).
flow<minted> mint_credential(const flow_environment& env, enterprise_inputs inputs);

} // namespace reauth
