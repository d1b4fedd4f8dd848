// Discovery: from an upstream and its challenge to the authorization server and the resource name (RFC 9728,
// RFC 8414, MCP).
#pragma once

#include "core/oauth/metadata_json.hpp"
#include "policy/flows/flow.hpp"

#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// `authorization_server:` of an upstream: what is said here is used in place of what a document says.
struct configured_server_settings : server_endpoints {
    std::string issuer;
    bool operator==(const configured_server_settings&) const = default;

    /// Issuer and token endpoint are named: no metadata is needed.
    bool replaces_discovery() const { return !issuer.empty() && !token_endpoint.empty(); }
    /// The server that replaces a discovered one.
    authorization_server whole() const;
    /// Overrides a discovered one.
    void apply_to(authorization_server& server) const;
};

/// Where to begin.
struct discovery_request {
    std::string upstream_url;
    std::string resource_metadata; ///< of the challenge; empty: not said
    std::string configured_issuer; ///< `client.issuer`; empty: not named
    std::string pinned_issuer;     ///< the issuer a person approved; empty: none yet
    std::string resource = "auto"; ///< auto | omit | a URI
    configured_server_settings configured_server{};
    plain_http http = plain_http::on_loopback;
};

/// One look at one URL, for `doctor`.
struct discovery_step {
    std::string url;
    bool found = false;
    std::string outcome; ///< one sentence
};

/// What was found.
struct discovered_server {
    std::optional<protected_resource> prm; ///< nothing: a 2025-03-26 server
    std::string prm_url;                   ///< where it was found
    authorization_server server;
    std::string resource;                      ///< for `resource=`, byte for byte; empty: send none
    std::optional<scope_set> scopes_supported; ///< of the PRM
    bool origin_is_issuer =
        false; ///< no PRM names an authorization server: the upstream's origin is taken as one
    bool used_defaults = false;  ///< no metadata at all: /authorize, /token, /register
    bool issuer_changed = false; ///< another issuer than the pinned one: a person has to approve it
    std::vector<discovery_step> steps;

    const std::string& issuer() const { return server.issuer; }
    const protected_resource* resource_metadata() const { return prm ? &*prm : nullptr; }
};

/// What is kept of a discovered server with a credential, and what it is when it is read back. `resource` is
/// what the credential was asked with.
known_server to_known(const discovered_server& found);
discovered_server from_known(const known_server& known, const std::string& resource);

/// PRM from the challenge's URL, the path-aware and the root well-known form; then the metadata of its
/// authorization server (of several: the configured, else the pinned, else the first usable). Without a PRM
/// the upstream's origin is the server, and without any metadata the default endpoints there (or the pinned
/// issuer). Only 404, 405 and 410 mean that a document is absent; a candidate that is refused or unreadable
/// is passed over, and named if nothing else is found. Fails with fault::discovery_failed, issuer_not_pinned
/// (the configured issuer is not among those named), egress_refused, or authorization_server_unavailable
/// (transient).
flow<result<discovered_server>> discover(discovery_request request);

/// Metadata of one known issuer (an IdP, or the pinned server): all well-known forms in order; its `issuer`
/// must be equal.
flow<result<authorization_server>> discover_issuer(std::string issuer,
                                                   plain_http http = plain_http::on_loopback);

/// discover(), and what was looked at also where it failed: for `doctor`.
struct discovery_report {
    result<discovered_server> outcome;
    std::vector<discovery_step> steps;
};
flow<discovery_report> discover_with_report(discovery_request request);

} // namespace reauth
