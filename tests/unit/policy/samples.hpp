// Servers, clients and credentials that the flow tests share.
#pragma once

#include "core/oauth/authorization.hpp"
#include "core/oauth/registration.hpp"
#include "core/oauth/token.hpp"
#include "flow_script.hpp"
#include "policy/flows/pending_authorization.hpp"

namespace reauth::test {

inline authorization_server sample_server(const std::string& issuer = "https://as.example") {
    authorization_server s;
    s.issuer = issuer;
    s.authorization_endpoint = issuer + "/authorize";
    s.token_endpoint = issuer + "/token";
    s.registration_endpoint = issuer + "/register";
    s.revocation_endpoint = issuer + "/revoke";
    s.jwks_uri = issuer + "/jwks";
    s.code_challenge_methods_supported = authorization_server::list{"S256"};
    return s;
}

inline registered_client sample_client(const std::string& issuer = "https://as.example") {
    registered_client c;
    c.identity.id = "client-1";
    c.issuer = issuer;
    return c;
}

inline registered_client secret_client(const std::string& issuer = "https://as.example") {
    auto c = sample_client(issuer);
    c.identity.method = client_auth_method::client_secret_post;
    c.identity.client_secret = secret("client-s3cr3t");
    return c;
}

/// sample_server's.
inline const std::string token_endpoint = "https://as.example/token";

inline const char* const good_token =
    R"({"access_token":"at-s3cr3t","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-s3cr3t-2"})";

inline authorization_callback callback_for(const pending_authorization& p) {
    authorization_callback c;
    c.code = "code-s3cr3t";
    c.state = std::string(p.state.reveal());
    return c;
}

/// Parses a form body that a flow sent.
inline std::string form_field(const std::string& body, std::string_view name) {
    const auto fields = parse_form(body);
    return std::string(form_value(fields, name).value_or("(none)"));
}

template<class T>
std::optional<failure> failure_of(const result<T>& r) {
    if (r.has_value())
        return std::nullopt;
    return r.error();
}

} // namespace reauth::test
