// The token endpoint: per grant one function that builds the request, and one that reads every answer (RFC
// 6749, 7009, 7523, 8693, 8707).
#pragma once

#include "core/base/failure.hpp"
#include "core/http/http_message.hpp"
#include "core/oauth/client_auth.hpp"
#include "core/oauth/credential.hpp"
#include "core/oauth/foreign_text.hpp"
#include "core/oauth/metadata.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

inline constexpr std::string_view grant_jwt_bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
inline constexpr std::string_view grant_token_exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
inline constexpr std::string_view token_type_id_jag = "urn:ietf:params:oauth:token-type:id-jag";
inline constexpr std::string_view token_type_id_token = "urn:ietf:params:oauth:token-type:id_token";
inline constexpr std::string_view token_type_refresh_token = "urn:ietf:params:oauth:token-type:refresh_token";
inline constexpr std::string_view token_type_jwt = "urn:ietf:params:oauth:token-type:jwt";
inline constexpr std::string_view token_type_access_token = "urn:ietf:params:oauth:token-type:access_token";

/// What every token request needs. Only lives for the call that builds the request.
struct token_call {
    const authorization_server& server;
    const client_identity& client;
    time_point now;
    const random_source& random;
};

/// A form for one of the server's endpoints, with the client's authentication; `name`: the endpoint's in the
/// metadata. fault::discovery_failed if the server has none.
result<http_request> post_form(const token_call& call, const std::string& endpoint, const char* name,
                               form_body form);

/// RFC 6749 §4.1.3 with PKCE. An empty `resource` is omitted, here and below.
result<http_request> authorization_code_request(const token_call& call, const secret& code,
                                                const secret& verifier, std::string_view redirect_uri,
                                                std::string_view resource);
/// RFC 6749 §6. `scope` is the stored set; empty: omitted.
result<http_request> refresh_request(const token_call& call, const secret& refresh_token,
                                     const scope_set& scope, std::string_view resource);
/// RFC 6749 §4.4.
result<http_request> client_credentials_request(const token_call& call, const scope_set& scope,
                                                std::string_view resource);
/// RFC 7523 §2.1: also leg 3 of enterprise-managed authorization.
result<http_request> jwt_bearer_request(const token_call& call, const secret& assertion,
                                        const scope_set& scope, std::string_view resource);

/// RFC 8693 §2.1.
struct token_exchange {
    secret subject_token;
    std::string subject_token_type{token_type_id_token};
    std::string requested_token_type{token_type_id_jag}; ///< empty: the server's choice
    secret actor_token{};                                ///< who acts for the subject; empty: nobody else
    std::string actor_token_type{token_type_jwt};
    std::string audience; ///< for an ID-JAG: issuer of the upstream's AS
    std::string resource;
    scope_set scope;
};
result<http_request> token_exchange_request(const token_call& call, const token_exchange& exchange);

/// RFC 7009 §2.1; `hint` is access_token or refresh_token. fault::discovery_failed if the AS has no
/// revocation_endpoint.
result<http_request> revocation_request(const token_call& call, const secret& token, std::string_view hint);

/// RFC 9126 §2.1: the authorization request's parameters, with the client's authentication.
result<http_request> pushed_request(const token_call& call,
                                    const std::vector<std::pair<std::string, std::string>>& parameters);
/// RFC 9126 §2.2.
struct pushed_response {
    std::string request_uri;
    std::chrono::seconds expires_in{60};
};
/// Reads any answer to it; failures as those of read_token_response().
result<pushed_response> read_pushed_response(const http_response& answer, const sent_secrets& sent = {});

/// A good answer (RFC 6749 §5.1).
struct token_response {
    secret access_token;                            ///< for token exchange: the issued token
    std::string token_type;                         ///< "Bearer", "DPoP" or "N_A", in this spelling
    std::optional<std::chrono::seconds> expires_in; ///< never negative; at most ten years
    secret refresh_token;
    std::optional<scope_set> scope; ///< nothing: as requested
    secret id_token;
    std::string issued_token_type; ///< RFC 8693 §2.2.1
};

/// Only characters that a token may have, and that may travel in a header field (RFC 6749 appendix A.12): one
/// with a line break would forge a field. Every token passes it, wherever it comes from: an answer, a file,
/// the configuration, another program's store.
bool sendable_token(std::string_view text) noexcept;

/// Reads any answer of a token endpoint: JSON or form-encoded (GitHub), 200 with an `error` member,
/// `expires_in` as a string. Errors: `oauth_error` is set if the answer has one. Transient
/// (fault::authorization_server_unavailable): 5xx, 429, 425, 408, temporarily_unavailable, server_error, and
/// a 2xx that is no OAuth answer. `invalid_grant` and the other OAuth errors are fault::reauth_failed, not
/// transient, and so is any other 4xx, whatever its body. Of `sent`, the request's secrets, nothing is
/// repeated in a failure.
result<token_response> read_token_response(const http_response& answer, const sent_secrets& sent = {});

/// True if the answer asks for a DPoP nonce (RFC 9449 §8); the nonce is in the DPoP-Nonce field.
bool wants_dpop_nonce(const http_response& answer);

/// Checks a token exchange answer for an ID-JAG: issued_token_type and token_type N_A. The assertion for
/// leg 3.
result<secret> id_jag_of(const token_response& response);

/// What the credential is for, as asked.
struct credential_context {
    scope_set requested;
    std::string issuer;
    std::string resource;
    std::string client_id;
    secret dpop_key; ///< empty: Bearer was asked for
    time_point now;
    bool id_token_is_bearer = false; ///< the upstream verifies the ID token: it is what is sent
};

/// The credential to store. From `previous` (may be null) stay: the refresh token if none was returned and
/// issuer and client are the same, and the granted scope of a refresh that says nothing. Expiry is absolute
/// from `now`. fault::reauth_failed if the token type is neither Bearer nor DPoP, or DPoP without our key.
result<credential> make_credential(const token_response& response, const credential_context& context,
                                   const credential* previous);

} // namespace reauth
