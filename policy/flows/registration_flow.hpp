// Which client we are at an authorization server: pre-registered, then metadata document, then dynamic
// registration.
#pragma once

#include "core/oauth/registration.hpp"
#include "policy/flows/flow.hpp"
#include "policy/flows/flow_environment.hpp"
#include "policy/flows/trust.hpp"

#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// What may be used.
struct registration_inputs {
    std::string upstream; ///< its name, for messages
    std::string upstream_url;
    client_settings configured;              ///< `client:`; an empty id: none
    std::string client_metadata_url;         ///< CIMD document; empty: none
    std::optional<registered_client> stored; ///< an earlier dynamic registration for this (issuer, upstream)
    std::string redirect_uri;
    bool loopback_redirect = true; ///< false: `application_type: web`
    std::vector<std::string> grant_types{"authorization_code", "refresh_token"};
    scope_set scope;
    retry_schedule retry;
};

/// The client to use at `server`. A pre-registered client with another `client.issuer` is refused
/// (fault::issuer_not_pinned), as is a secret for an issuer that nobody named (may_send_secret). A stored
/// registration is used again while its secret has not expired and the redirect URI is the same. A new one
/// (`origin` dynamic, not equal to `stored`) must be stored before it is used.
flow<result<registered_client>> obtain_client(const flow_environment& env, authorization_server server,
                                              registration_inputs inputs);

/// The client that the configuration names, as it authenticates at this server (RFC 7591 §2,
/// token_endpoint_auth_method), or why it can't. Whether the server may have its secret is the caller's
/// question.
result<registered_client> configured_client(const authorization_server& server,
                                            const client_settings& configured);

/// The pre-registered or metadata-document client, without any request: nothing where only registration is
/// left.
result<std::optional<registered_client>> known_client(const authorization_server& server,
                                                      const registration_inputs& inputs);

/// Whether a failure says that a dynamic registration is no longer known there: forget it and register once
/// more.
bool wants_new_registration(const failure& why, const registered_client& client);

/// A registration that is younger than this was made for the login that was just refused: another one would
/// not help.
inline constexpr std::chrono::minutes registration_doubt{10};

/// Whether a login may have been refused because the server no longer knows the client that it registered:
/// RFC 6749 section 4.1.2.1 has no word of its own for that. Then the next login registers anew; not again
/// before registration_doubt is over.
bool may_be_forgotten(const failure& why, const registered_client& client, time_point now);
/// A dynamic registration older than registration_doubt.
bool old_registration(const registered_client& client, time_point now);

/// What helps against a refusal of this client: one that registered itself can't be checked by anybody.
failure with_advice_for(failure why, const registered_client& client);

} // namespace reauth
