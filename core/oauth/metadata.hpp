// Discovery documents: where they are looked for, and what they must say (RFC 9728, RFC 8414, OpenID Connect
// Discovery).
#pragma once

#include "core/base/failure.hpp"
#include "core/oauth/scope.hpp"
#include "core/text/uri.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

/// Where protected resource metadata may be, in order: the challenge's URL, the path-aware well-known form,
/// the root form (RFC 9728 §3.1, §5.1). A challenge URL that is not an http(s) URL (https unless loopback) is
/// left out.
std::vector<std::string> resource_metadata_urls(std::string_view upstream_url, std::string_view challenge_url,
                                                plain_http http = plain_http::on_loopback);

/// Nothing wrong, or why the URL that a challenge names can't be asked.
result<void> usable_metadata_url(std::string_view challenge_url, plain_http http = plain_http::on_loopback);

/// Where authorization server metadata may be, in order (RFC 8414 §3.1, §5; MCP): with a path three forms and
/// never the root, else two. Fails if the issuer is not an https URL (http on loopback) or has a query.
result<std::vector<std::string>> server_metadata_urls(std::string_view issuer,
                                                      plain_http http = plain_http::on_loopback);

/// Protected resource metadata (RFC 9728 §2).
struct protected_resource {
    std::string resource; ///< byte for byte as the document has it; this goes into `resource=`
    std::vector<std::string> authorization_servers; ///< issuers, byte for byte, none of them empty
    std::optional<scope_set> scopes_supported;
    std::string resource_name;
    bool dpop_bound_access_tokens_required = false;
    std::vector<std::string> dpop_signing_alg_values_supported;
};

/// Parses the document and checks that `resource` names the upstream (resource_covers), or is `stated` byte
/// for byte: a server may be reached by another address than the public one that it calls itself (split DNS).
/// fault::discovery_failed otherwise; transient where it is no such document, which its operator may repair.
result<protected_resource> read_protected_resource(std::string_view body, std::string_view upstream_url,
                                                   std::string_view stated = {});

/// Where an authorization server listens; empty: it does not say.
struct server_endpoints {
    std::string authorization_endpoint, token_endpoint, registration_endpoint, revocation_endpoint, jwks_uri;
    std::string device_authorization_endpoint;         ///< RFC 8628 §4
    std::string pushed_authorization_request_endpoint; ///< RFC 9126 §5
    std::string introspection_endpoint;                ///< RFC 7662 §2
    std::string userinfo_endpoint;                     ///< OpenID Connect Core §5.3
    bool operator==(const server_endpoints&) const = default;
};
/// Their names, in metadata, in the configuration and in the vault.
inline constexpr std::pair<const char*, std::string server_endpoints::*> endpoint_names[] = {
    {"authorization_endpoint", &server_endpoints::authorization_endpoint},
    {"token_endpoint", &server_endpoints::token_endpoint},
    {"registration_endpoint", &server_endpoints::registration_endpoint},
    {"revocation_endpoint", &server_endpoints::revocation_endpoint},
    {"device_authorization_endpoint", &server_endpoints::device_authorization_endpoint},
    {"pushed_authorization_request_endpoint", &server_endpoints::pushed_authorization_request_endpoint},
    {"introspection_endpoint", &server_endpoints::introspection_endpoint},
    {"userinfo_endpoint", &server_endpoints::userinfo_endpoint},
    {"jwks_uri", &server_endpoints::jwks_uri}};

/// Authorization server metadata (RFC 8414 §2 and its extensions). An absent endpoint is empty; an absent
/// list is nothing.
struct authorization_server : server_endpoints {
    using list = std::vector<std::string>;

    std::string issuer;
    std::optional<scope_set> scopes_supported;
    std::optional<list> code_challenge_methods_supported;
    std::optional<list> token_endpoint_auth_methods_supported;
    std::optional<list> token_endpoint_auth_signing_alg_values_supported;
    std::optional<list> grant_types_supported;
    std::optional<list> dpop_signing_alg_values_supported;
    std::optional<list> id_token_signing_alg_values_supported;
    list authorization_grant_profiles_supported;
    bool authorization_response_iss_parameter_supported = false; ///< RFC 9207 §3
    bool client_id_metadata_document_supported = false;          ///< CIMD
    bool require_pushed_authorization_requests = false;          ///< RFC 9126 §5
    bool require_signed_request_object = false;                  ///< RFC 9101 §10.5: we can't
    std::optional<list> response_types_supported, response_modes_supported, prompt_values_supported;
    bool from_document = true; ///< false: the defaults of a server without metadata
    /// Endpoints that the document names and that can't be used: name, and why. They are as good as absent.
    std::vector<std::pair<std::string, std::string>> ignored;

    /// PKCE S256 is advertised, or there is no document that could (2025-03-26 servers).
    bool pkce_s256() const;
    /// It signs ID tokens (OIDC Discovery §3: it must say how).
    bool is_openid_provider() const { return id_token_signing_alg_values_supported.has_value(); }
    /// The AS itself lists offline_access (SEP-2207).
    bool offers_offline_access() const;
    /// `grant_types_supported` lists it, or is absent.
    bool may_support_grant(std::string_view grant_type) const;
    /// EMA: urn:ietf:params:oauth:grant-profile:id-jag is advertised.
    bool offers_id_jag() const;
    /// fault::discovery_failed for an endpoint that is needed and absent: who must add it, or what is wrong
    /// with the one that is named.
    failure without(std::string_view endpoint) const;
    /// It lists a DPoP algorithm we have: ES256.
    bool offers_dpop() const;
};

/// Whether a list of such a document has that value.
bool lists(const std::vector<std::string>& values, std::string_view value);

/// Parses the document. Its `issuer` must equal `issuer` byte for byte: fault::discovery_failed otherwise. An
/// endpoint that is no http(s) URL, https unless on loopback, is ignored (see `ignored`), a fragment on
/// authorization_endpoint is cut (RFC 6749 §3.1): only what is needed is judged, when it is needed.
result<authorization_server> read_authorization_server(std::string_view body, std::string_view issuer,
                                                       plain_http http = plain_http::on_loopback);

/// The same for a 2025-03-26 server, whose upstream's origin is the AS: `issuer` is that origin, with or
/// without a trailing slash.
result<authorization_server> read_origin_authorization_server(std::string_view body,
                                                              std::string_view upstream_url);

/// What a 2025-03-26 server without any metadata has: /authorize, /token, /register at the upstream's origin;
/// issuer is that origin.
result<authorization_server> default_authorization_server(std::string_view upstream_url,
                                                          plain_http http = plain_http::on_loopback);

/// Whether a browser's login at that server can end well at all: what it requires, and we can't do, is told
/// before a person is asked. `may_push`: requests may be pushed (RFC 9126). fault::discovery_failed.
result<void> check_front_channel(const authorization_server& server, bool may_push = true);

/// Whether it is Microsoft Entra's, in any of its clouds: it has ways of its own.
bool is_entra(std::string_view issuer);

/// Refuses the authorization code grant without PKCE S256 (MCP), unless the override is set.
result<void> check_pkce(const authorization_server& server, bool allow_missing_pkce);

/// The first scope source that speaks (MCP): configured, else challenge, else PRM scopes_supported, else
/// nothing (scope is omitted). offline_access is added when the AS lists it (SEP-2207), except to
/// an empty set: alone it would hide the server's default scopes.
scope_set select_scopes(const std::optional<scope_set>& configured, const std::optional<scope_set>& challenge,
                        const std::optional<scope_set>& resource_scopes, const authorization_server& server);

} // namespace reauth
