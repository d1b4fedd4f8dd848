// One question to a token endpoint: DPoP with its nonce, retries after transient trouble, the answer read.
#pragma once

#include "core/oauth/token.hpp"
#include "policy/flows/fetch_with_retry.hpp"
#include "policy/flows/flow.hpp"
#include "policy/flows/flow_environment.hpp"

#include <functional>
#include <string>

namespace reauth {

/// Builds the request; called for each try, so that assertions carry a fresh jti.
using request_builder = std::function<result<http_request>()>;

/// How it is sent.
struct token_request_spec {
    request_builder build;
    secret dpop_key; ///< empty: no proof
    retry_schedule retry;
    const char* purpose = "token request";
};

/// The token response, or why there is none. A use_dpop_nonce answer is repeated once with the nonce;
/// transient answers are repeated as `retry` says;
/// what such an answer asks to wait beyond that is in the failure (`retry_after`). fault::egress_refused is
/// never repeated.
flow<result<token_response>> ask_token_endpoint(const flow_environment& env, token_request_spec spec);

/// The DPoP key for a new credential: `kept` if there is one, else a fresh one if `wanted`, else empty.
result<secret> dpop_key_for(bool wanted, const secret& kept);

} // namespace reauth
