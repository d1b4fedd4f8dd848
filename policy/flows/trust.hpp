// Whom a secret may be sent to, and when another authorization server needs a person again.
#pragma once

#include "core/base/failure.hpp"
#include "core/base/secret.hpp"
#include "core/oauth/metadata.hpp"

#include <string>
#include <string_view>

namespace reauth {

/// `client:` of an upstream or identity provider, as configured.
struct client_settings {
    std::string id; ///< empty: none is pre-registered
    secret client_secret;
    std::string auth; ///< token_endpoint_auth_method; empty: chosen from the metadata
    secret private_key;
    std::string alg = "ES256";
    std::string issuer; ///< the only issuer that secrets go to; empty: not named

    bool has_secret() const { return !client_secret.empty() || !private_key.empty(); }
};

/// What is about to be sent, to whom, for which upstream.
struct trust_check {
    std::string upstream; ///< its name in the configuration
    std::string upstream_url;
    std::string configured_issuer;          ///< `client.issuer`; empty: not named
    const char* what = "the client secret"; ///< for the message
};

/// Whether a client secret, workload assertion or ID-JAG for this upstream may go to this server: only to the
/// issuer that `client.issuer` names; where it names none, only to an issuer on loopback or on the upstream's
/// own origin, and then only if the token endpoint is on the issuer's origin too. Else
/// fault::issuer_not_pinned, whose fix holds the line to add.
result<void> may_send_secret(const trust_check& question, const authorization_server& server);

/// fault::issuer_changed if an issuer was pinned and this is another: what is held for the old one is not
/// used, and only a person may approve the new one. Strings are compared as they are. An empty pin: nothing
/// was pinned.
result<void> check_pin(std::string_view upstream, std::string_view pinned, std::string_view issuer);

/// `dpop:` of an upstream.
enum class dpop_policy { automatic, require, never };

/// Whether tokens are asked with DPoP: always if required; with `automatic` if the resource metadata requires
/// it or the upstream challenged with DPoP and not with Bearer.
bool use_dpop(dpop_policy policy, const protected_resource* resource, bool challenged_dpop,
              bool challenged_bearer);

} // namespace reauth
