// Device authorization (RFC 8628): a code on any screen, the sign-in on any other.
#pragma once

#include "core/oauth/token.hpp"
#include "core/text/uri.hpp"

#include <chrono>
#include <string>

namespace reauth {

inline constexpr std::string_view grant_device_code = "urn:ietf:params:oauth:grant-type:device_code";

/// What a person is shown, and what we ask the token endpoint with.
struct device_authorization {
    secret device_code;
    std::string user_code;                 ///< cleaned, as the server writes it
    std::string verification_uri;          ///< http(s), https unless loopback
    std::string verification_uri_complete; ///< with the code in it; empty: none
    std::chrono::seconds expires_in{600};
    std::chrono::seconds interval{5}; ///< between two questions
};

/// §3.1. fault::discovery_failed if the server names no device_authorization_endpoint.
result<http_request> device_authorization_request(const token_call& call, const scope_set& scope,
                                                  std::string_view resource);
/// §3.2. A refusal is read like a token endpoint's.
result<device_authorization> read_device_authorization(const http_response& answer, const sent_secrets& sent,
                                                       plain_http http = plain_http::on_loopback);
/// §3.4.
result<http_request> device_token_request(const token_call& call, const secret& device_code,
                                          std::string_view resource);

/// What an answer to that means for the next question (§3.5): nothing, the outcome is final; else how long to
/// wait.
std::optional<std::chrono::seconds> ask_device_again(const result<token_response>& outcome,
                                                     std::chrono::seconds interval);

} // namespace reauth
