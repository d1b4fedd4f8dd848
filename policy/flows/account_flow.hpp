// Which account a person has come back with, as far as the authorization server says: shown, and compared
// with the one of before. Never a reason to refuse a login.
#pragma once

#include "core/oauth/token.hpp"
#include "policy/flows/flow.hpp"
#include "policy/flows/flow_environment.hpp"
#include "policy/flows/pending_authorization.hpp"

#include <string>

namespace reauth {

/// Empty: not said.
struct signed_in_account {
    std::string subject; ///< `sub`
    std::string shown;   ///< as people know it: an address, else a name, else the subject
};

/// The ID token's claims, where one came; else introspection (RFC 7662), else userinfo (OpenID Connect Core
/// §5.3), where the metadata names them. One request each, at most.
flow<signed_in_account> find_account(const flow_environment& env, pending_authorization pending,
                                     token_response response);

/// RFC 7662 §2.1. fault::discovery_failed without an introspection_endpoint.
result<http_request> introspection_request(const token_call& call, const secret& token);
/// OpenID Connect Core §5.3.1.
http_request userinfo_request(const std::string& endpoint, const secret& token);

} // namespace reauth
