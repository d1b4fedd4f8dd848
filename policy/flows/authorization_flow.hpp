// The authorization code grant: begin (a URL for a person) and finish (the callback becomes a credential).
#pragma once

#include "core/oauth/token.hpp"
#include "policy/flows/flow.hpp"
#include "policy/flows/pending_authorization.hpp"
#include "policy/rules/grant.hpp"

namespace reauth {

/// What to ask a person's provider for.
struct authorization_inputs {
    std::string upstream, principal = "local", approval_id;
    authorization_server server;
    registered_client client;
    std::string redirect_uri; ///< our callback
    std::string resource;     ///< empty: send none
    scope_set scopes;         ///< offline_access is added if the AS lists it
    std::vector<std::pair<std::string, std::string>> authorize_params;
    std::string acr_values; ///< RFC 9470 §4: how the person is to sign in; empty: not said
    std::optional<std::chrono::seconds> max_age; ///< … and how long ago at most
    bool prompt_login = false;   ///< although the provider's session lives (OIDC Core §3.1.2.1)
    std::string login_hint;      ///< who is to sign in (OIDC Core §3.1.2.1); empty: not said
    bool select_account = false; ///< there are several: a person is asked which, where the server can
    bool allow_missing_pkce = false;
    bool may_push = true; ///< RFC 9126
    bool dpop = false;
    plain_http http = plain_http::on_loopback; ///< where its endpoints may be
    bool bind_to_browser = true; ///< false: started by the operator, may be carried to another device
    std::chrono::milliseconds lifetime{15 * 60 * 1000};
};

/// A flow that waits for its callback. Store `pending` before anyone sees `pending.location`.
struct begun_authorization {
    pending_authorization pending;
    secret browser_binding;        ///< cookie value; empty if not bound
    authorization_request request; ///< what `pending.location` was made of
};

/// Whether this server wants them pushed.
bool pushes(par_mode mode, const authorization_server& server) noexcept;

/// Pushes what was begun, and sends people there with a reference to it, which lives for a minute or so.
flow<result<begun_authorization>> push_authorization(const flow_environment& env, begun_authorization begun);

/// Checks PKCE support (fault::discovery_failed without S256 in the metadata, unless overridden or there is
/// no metadata), makes state, verifier and DPoP key, and the authorization URL.
result<begun_authorization> begin_authorization(const flow_environment& env, authorization_inputs inputs);

/// Adds what concerns the person to the parameters: acr_values and max_age (RFC 9470 §4), `prompt=login`
/// where the provider wanted it, `prompt=consent` for offline_access at an OpenID provider (OIDC Core §11).
/// What `authorize_params` sets stays.
void ask_for_person(authorization_inputs& inputs);

/// Whether the person signed in as was asked (OIDC Core §3.1.3.7, 12 and 13): `acr` and `auth_time` of the ID
/// token, where one came. It came straight from the token endpoint, so its signature is not needed.
result<void> check_authentication(const pending_authorization& pending, const secret& id_token,
                                  time_point now);

/// Checks the callback (age, browser, state, iss, error, in that order; nothing is sent before) and redeems
/// the code. The code is good for one request: it is sent once (once more with a DPoP nonce). See
/// wants_new_registration() for invalid_client.
flow<result<credential>> finish_authorization(const flow_environment& env, pending_authorization pending,
                                              authorization_callback callback,
                                              std::optional<std::string> browser_binding);

/// The same, with the account that it is (account_flow.hpp).
flow<result<credential>> credential_of_login(const flow_environment& env, pending_authorization pending,
                                             token_response response);

/// What a login has brought, as the upstream's credential.
result<credential> login_credential(const pending_authorization& pending, const token_response& response,
                                    time_point now);

} // namespace reauth
