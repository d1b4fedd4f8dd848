// Token exchange (RFC 8693): what a caller has shown us becomes a credential for one upstream, and ends with
// it.
#pragma once

#include "core/oauth/token.hpp"
#include "policy/flows/flow.hpp"
#include "policy/flows/new_token.hpp"

namespace reauth {

/// The token that a caller has shown us, verified.
struct caller_subject {
    secret token;
    bool id_token = false; ///< else an access token
    time_point until{};    ///< `exp`: what came of it ends then
};

/// Makes it the subject (RFC 8693 section 2.1).
void set_subject(token_exchange& exchange, const caller_subject& caller);
/// A credential that came of it lives no longer.
void end_with(credential& made, const caller_subject& caller);

/// What an exchange needs; the server may be the identity provider, the upstream's, or one that the
/// configuration names.
struct exchange_inputs {
    trust_check trust; ///< the caller's token goes to a trusted issuer only
    authorization_server server;
    registered_client client;
    caller_subject caller;
    token_exchange exchange; ///< audience, resource, scopes, actor; the subject is `caller`
    std::string issuer;      ///< the credential's: the upstream's authorization server, as far as it is known
    bool dpop = false;
    retry_schedule retry;
};

/// Exchanges. A refusal keeps its `oauth_error`: `interaction_required`, `consent_required` and
/// `invalid_target` say that a person could help. fault::reauth_failed also for a caller's token that has
/// ended meanwhile, and for an answer that is no access token.
flow<result<credential>> exchange_token(const flow_environment& env, exchange_inputs inputs);

} // namespace reauth
