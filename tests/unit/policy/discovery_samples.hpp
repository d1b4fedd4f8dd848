// An upstream and its documents, for tests of discovery.
#pragma once

#include "policy/flows/discovery_flow.hpp"
#include "samples.hpp"

#include <nlohmann/json.hpp>

namespace reauth::test {

inline const std::string upstream = "https://mcp.example/team/mcp";
inline const std::string challenge_prm = "https://mcp.example/meta";
inline const std::string path_prm = "https://mcp.example/.well-known/oauth-protected-resource/team/mcp";
inline const std::string root_prm = "https://mcp.example/.well-known/oauth-protected-resource";
inline const std::string as_meta = "https://as.example/.well-known/oauth-authorization-server";
inline const std::string as_oidc = "https://as.example/.well-known/openid-configuration";
inline const std::string own_meta = "https://mcp.example/.well-known/oauth-authorization-server";
inline const std::string own_oidc = "https://mcp.example/.well-known/openid-configuration";

inline std::string prm(std::vector<std::string> servers = {"https://as.example"},
                       const std::string& resource = upstream) {
    return nlohmann::json{
        {"resource", resource}, {"authorization_servers", servers}, {"scopes_supported", {"read"}}}
        .dump();
}

inline std::string metadata(const std::string& issuer = "https://as.example") {
    auto base = issuer;
    if (base.ends_with('/'))
        base.pop_back();
    return nlohmann::json{{"issuer", issuer},
                          {"authorization_endpoint", base + "/authorize"},
                          {"token_endpoint", base + "/token"},
                          {"code_challenge_methods_supported", {"S256"}}}
        .dump();
}

inline discovery_request from(std::string challenge = {}) {
    discovery_request r;
    r.upstream_url = upstream;
    r.resource_metadata = std::move(challenge);
    return r;
}

} // namespace reauth::test
