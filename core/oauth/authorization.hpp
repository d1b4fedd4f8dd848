// The authorization code grant's front channel: the URL a person opens, and what comes back (RFC 6749 §4.1,
// RFC 8707, RFC 9207).
#pragma once

#include "core/base/failure.hpp"
#include "core/base/secret.hpp"
#include "core/oauth/scope.hpp"
#include "core/text/uri.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

/// What goes into an authorization URL. Empty members are left out.
struct authorization_request {
    std::string endpoint; ///< authorization_endpoint; its own query is kept, less what we set
    std::string client_id;
    std::string redirect_uri;
    scope_set scope;
    std::string state;
    std::string code_challenge; ///< S256
    std::string resource;       ///< RFC 8707, byte for byte
    std::string nonce;          ///< OIDC
    std::vector<std::pair<std::string, std::string>>
        extra;                                 ///< `authorize_params`; may not replace one of the above
    plain_http http = plain_http::on_loopback; ///< where `endpoint` may be
};

/// What goes into the query, or into a pushed request's form (RFC 9126 §2.1), in order. fault::
/// invalid_configuration if `extra` names a parameter that is ours.
result<std::vector<std::pair<std::string, std::string>>>
authorization_parameters(const authorization_request& request);
/// The URL of a request that was pushed (RFC 9126 §4).
result<std::string> pushed_authorization_url(const authorization_request& request,
                                             std::string_view request_uri);

/// The URL. fault::discovery_failed if the endpoint is not http(s), https unless loopback;
/// fault::invalid_configuration if `extra` names a parameter that is ours.
result<std::string> authorization_url(const authorization_request& request);

/// The decoded parameters of a callback; absent ones are nothing.
struct authorization_callback {
    std::optional<std::string> code, state, iss, error, error_description;
};

/// Reads the query of a callback (without `?`). A parameter that comes twice fails (RFC 6749 §3.1).
result<authorization_callback> parse_callback_query(std::string_view query);
/// Reads what a person pasted: the whole callback URL, or its query.
result<authorization_callback> parse_callback_url(std::string_view pasted);

/// What a flow remembers to check its callback.
struct callback_expectation {
    secret state;
    std::string issuer;
    bool iss_required = false; ///< authorization_response_iss_parameter_supported
};

/// An access_denied that no person has said: a policy's, or that nothing was asked for. Told by its words,
/// for RFC 6749 §4.1.2.1 has one code for both; without words it was a person.
bool denied_by_machine(std::string_view description);

/// Checks state, then iss (plain strings; advertised and missing is refused, present and different is
/// refused), then error, then code: in that order. The code, or fault::reauth_failed (approval_denied for
/// an access_denied that a person said) with the cleaned description.
result<secret> check_callback(const authorization_callback& callback, const callback_expectation& expected);

} // namespace reauth
