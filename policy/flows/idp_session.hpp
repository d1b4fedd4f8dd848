// Leg 1 of enterprise-managed authorization: the session at the organisation's IdP, shared by all its
// upstreams.
#pragma once

#include "core/oauth/id_token.hpp"
#include "policy/flows/authorization_flow.hpp"

namespace reauth {

/// What is held of one person at one IdP.
struct idp_session {
    std::string identity_provider; ///< its name in the configuration
    std::string issuer, subject, client_id;
    secret id_token;
    secret refresh_token;                   ///< empty: none
    time_point obtained_at{}, expires_at{}; ///< of the ID token
    bool supplied = false;                  ///< from the configuration, not from a login
    std::uint64_t generation = 0;           ///< rises with every session stored for this person and provider
};

/// A session as its life keeps it, which is a credential's life: the ID token is the access token.
credential credential_of(const idp_session& session);
idp_session session_of(const credential& held, std::string identity_provider);

/// What a session can do now.
enum class session_state {
    ready,       ///< the ID token is good
    renew_first, ///< the ID token is (nearly) expired: renew_idp_session(), store, then mint
    gone,        ///< a person has to log in
};
/// `margin`: an ID token that expires sooner counts as expired.
session_state state_of(const idp_session& session, time_point now,
                       std::chrono::seconds margin = std::chrono::seconds(60));

/// For the vault.
secret session_to_json(const idp_session& session);
/// fault::vault_unavailable if it is not what session_to_json wrote.
result<idp_session> session_from_json(const secret& text);

/// A session from an ID token that the configuration supplies. fault::invalid_configuration if it is no JWT
/// or expired.
result<idp_session> session_from_id_token(std::string identity_provider, std::string client_id,
                                          secret id_token, time_point now);

/// The IdP and our client there.
struct idp_login_inputs {
    std::string identity_provider, principal = "local", approval_id;
    authorization_server server;
    registered_client client;
    std::string redirect_uri;
    bool allow_missing_pkce = true; ///< many IdPs do S256 without listing it; it is sent all the same
    bool bind_to_browser = true;
    std::string acr_values;                      ///< RFC 9470 §4
    std::optional<std::chrono::seconds> max_age; ///< …
    bool prompt_login = false;
    scope_set scopes{"openid", "offline_access"};
    std::chrono::milliseconds lifetime{15 * 60 * 1000};
};

/// OIDC login: PKCE, nonce.
result<begun_authorization> begin_idp_login(const flow_environment& env, idp_login_inputs inputs);

/// Redeems the code and checks the ID token: signature against the IdP's JWKS, iss, aud, exp, nonce.
flow<result<idp_session>> finish_idp_login(const flow_environment& env, pending_authorization pending,
                                           authorization_callback callback,
                                           std::optional<std::string> browser_binding);

/// Somebody who has signed in to our page.
struct page_login {
    id_token_claims who;
    std::string principal;           ///< value of the claim that names a person; empty: there is none
    std::vector<std::string> groups; ///< sorted
};

/// The same for a sign-in to our page: what comes of it is nothing but who it is. Claims that the ID token
/// does not have are looked for in userinfo (OIDC Core §5.3.2: of the same `sub`).
flow<result<page_login>> finish_page_login(const flow_environment& env, pending_authorization pending,
                                           authorization_callback callback,
                                           std::optional<std::string> browser_binding,
                                           std::string principal_claim, std::string groups_claim);

/// What renewing a session needs.
struct idp_renewal_inputs {
    authorization_server server;
    client_identity client;
    idp_session session;
    retry_schedule retry;
};

/// A new ID token with the IdP refresh token; the old refresh token stays if none is returned. Store it
/// before it is used. If the IdP returns no ID token the session keeps the old one, and the refresh token is
/// the subject of leg 2. `invalid_grant` (ends_grant()): the session is gone.
flow<result<idp_session>> renew_idp_session(const flow_environment& env, idp_renewal_inputs inputs);

} // namespace reauth
