// An authorization server as the configuration names it.
#include "policy/discovery_flow.hpp"

namespace reauth {

namespace {

void put(std::string& into, const std::string& configured) {
    if (!configured.empty())
        into = configured;
}

} // namespace

authorization_server configured_server_settings::whole() const {
    authorization_server out;
    out.issuer = issuer;
    out.from_document = false;
    apply_to(out);
    return out;
}

void configured_server_settings::apply_to(authorization_server& server) const {
    put(server.authorization_endpoint, authorization_endpoint);
    put(server.token_endpoint, token_endpoint);
    put(server.registration_endpoint, registration_endpoint);
    put(server.revocation_endpoint, revocation_endpoint);
    put(server.device_authorization_endpoint, device_authorization_endpoint);
    put(server.jwks_uri, jwks_uri);
}

} // namespace reauth
