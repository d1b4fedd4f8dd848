// An organisation's IdP, its tokens and sessions, for the enterprise tests.
#pragma once

#include "core/crypto/jose.hpp"
#include "policy/flows/enterprise_flow.hpp"
#include "samples.hpp"

#include <nlohmann/json.hpp>

namespace reauth::test {

using nlohmann::json;

inline const std::string idp = "https://idp.example";
inline const std::string idp_token = "https://idp.example/token";
inline const std::string idp_jwks = "https://idp.example/jwks";
inline const std::string as_token = "https://as.example/token";
inline const char* const good_jag =
    R"({"access_token":"jag-s3cr3t","issued_token_type":"urn:ietf:params:oauth:token-type:id-jag","token_type":"N_A","expires_in":60})";

inline const secret& idp_key() {
    static const secret key = generate_ec_jwk().value();
    return key;
}

inline std::string keys() {
    return json{{"keys", {public_jwk(idp_key()).value()}}}.dump();
}

inline std::string id_token(json changes = json::object()) {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(noon.time_since_epoch()).count();
    json claims{{"iss", idp}, {"sub", "ada"}, {"aud", "idp-client"}, {"iat", now}, {"exp", now + 3600}};
    claims.update(changes);
    return sign_jwt(idp_key(), "ES256", json::object(), claims).value();
}

inline idp_login_inputs login_inputs() {
    idp_login_inputs in;
    in.identity_provider = "acme";
    in.server = sample_server(idp);
    in.client = secret_client(idp);
    in.client.identity.id = "idp-client";
    in.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
    return in;
}

inline idp_session session() {
    idp_session s;
    s.identity_provider = "acme";
    s.issuer = idp;
    s.subject = "ada";
    s.client_id = "idp-client";
    s.id_token = secret("idt-s3cr3t");
    s.refresh_token = secret("idp-rt-s3cr3t");
    s.obtained_at = noon;
    s.expires_at = noon + std::chrono::hours(1);
    return s;
}

inline enterprise_inputs mint_inputs() {
    enterprise_inputs in;
    in.trust = {"files", "https://mcp.example/mcp", "https://as.example", "the organisation's assertion"};
    in.idp = sample_server(idp);
    in.idp_client = secret_client(idp).identity;
    in.idp_client.id = "idp-client";
    in.idp_client.client_secret = secret("idp-client-s3cr3t");
    in.session = session();
    in.server = sample_server();
    in.client = secret_client();
    in.scopes = {"read"};
    in.resource = "https://mcp.example";
    return in;
}

inline std::string login_answer(const pending_authorization& p, json changes = json::object()) {
    json claims{{"nonce", p.nonce}};
    claims.update(changes);
    return json{{"access_token", "idp-at-s3cr3t"},
                {"token_type", "Bearer"},
                {"refresh_token", "idp-rt-s3cr3t"},
                {"id_token", id_token(claims)}}
        .dump();
}

} // namespace reauth::test
