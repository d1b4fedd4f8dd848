// Giving tokens back on logout (RFC 7009), and what can be said of those that live on.
#pragma once

#include "core/oauth/metadata.hpp"
#include "core/oauth/registration.hpp"
#include "policy/flows/flow.hpp"
#include "policy/flows/flow_environment.hpp"

#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// A token that outlives its sign-out.
struct token_left {
    std::string token; ///< "refresh_token" or "access_token"
    std::string issuer;
    std::optional<time_point> until; ///< nothing: until the provider ends it
    std::string because;             ///< "ISSUER names no revocation endpoint" …
};

/// What a sign-out has ended at the providers, and what not.
struct revocation_report {
    unsigned revoked = 0; ///< tokens
    std::vector<token_left> left;
    std::optional<failure> trouble; ///< the first revocation that was tried and failed

    void add(revocation_report other);
};

/// What is revoked, and where.
struct revocation_inputs {
    authorization_server server;
    registered_client client;
    credential held;
    bool replaced = false; ///< `held` was replaced by a newer one: the server has probably ended it itself
};

/// Revokes the refresh token, then the access token, one attempt each. Without a revocation_endpoint, or
/// where a server can't revoke access tokens (RFC 7009 section 2.2.1), they are left, which is no trouble.
flow<revocation_report> revoke_credential(const flow_environment& env, revocation_inputs inputs);

/// Everything of `value` that lives at `now`, as left because of that.
revocation_report not_revoked(const credential& value, time_point now, const std::string& because);

} // namespace reauth
