// How we show a token endpoint who we are (RFC 6749 §2.3, RFC 7523 §2.2 with `aud` = issuer as RFC 7523bis
// has it).
#pragma once

#include "core/base/failure.hpp"
#include "core/crypto/random.hpp"
#include "core/http/http_message.hpp"
#include "core/oauth/credential.hpp"
#include "core/oauth/metadata.hpp"
#include "core/text/encoding.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// token_endpoint_auth_method (RFC 7591 §2), those we speak.
enum class client_auth_method { none, client_secret_basic, client_secret_post, private_key_jwt };
std::string_view to_string(client_auth_method m) noexcept;
std::optional<client_auth_method> client_auth_method_from(std::string_view name) noexcept;

/// Our client at one authorization server: what a token request needs.
struct client_identity {
    std::string id;
    client_auth_method method = client_auth_method::none;
    secret client_secret;
    secret private_key; ///< PEM or JWK, for private_key_jwt
    std::string alg = "ES256";
    std::string key_id; ///< `kid` of the assertion's header; empty: the JWK's own, or none
};

/// Chooses how a pre-registered client authenticates: `configured` (a method's name; empty: choose) wins;
/// else private_key_jwt if a key is held; else with a secret what the AS lists (basic before post; absent
/// list: basic), else none. fault::invalid_configuration if it cannot work.
result<client_auth_method> choose_client_auth(const authorization_server& server, std::string_view configured,
                                              bool has_secret, bool has_private_key);

/// Adds the client's authentication to a token, revocation or exchange request: a header or form parameters.
/// `issuer` is the `aud` of private_key_jwt; its `jti` is fresh from `random`, it lives 60 s from `now`.
result<void> apply_client_auth(http_request& request, form_body& form, const client_identity& client,
                               std::string_view issuer, time_point now, const random_source& random);

} // namespace reauth
