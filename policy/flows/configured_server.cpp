// Authorization servers that need no discovery: as the configuration names them, and as a credential
// remembers its own.
#include "policy/flows/discovery_flow.hpp"

namespace reauth {

authorization_server configured_server_settings::whole() const {
    authorization_server out;
    out.issuer = issuer;
    out.from_document = false;
    apply_to(out);
    return out;
}

void configured_server_settings::apply_to(authorization_server& server) const {
    for (const auto& [name, member] : endpoint_names)
        if (!(this->*member).empty())
            server.*member = this->*member;
}

known_server to_known(const discovered_server& found) {
    return {found.server, found.prm, found.prm_url};
}

discovered_server from_known(const known_server& known, const std::string& resource) {
    discovered_server out;
    out.server = known.server;
    out.prm = known.resource;
    out.prm_url = known.resource_metadata;
    out.resource = resource;
    if (out.prm)
        out.scopes_supported = out.prm->scopes_supported;
    out.origin_is_issuer = !out.prm || out.prm->authorization_servers.empty();
    out.used_defaults = !out.server.from_document;
    return out;
}

} // namespace reauth
