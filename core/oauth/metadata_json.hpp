// Discovered servers as they are kept: with a credential, and with a login in progress.
#pragma once

#include "core/oauth/metadata.hpp"

#include <nlohmann/json_fwd.hpp>

namespace reauth {

/// Where a credential was obtained: enough to renew it without asking for metadata again.
struct known_server {
    authorization_server server;
    std::optional<protected_resource> resource;
    std::string resource_metadata; ///< URL of the protected resource metadata; empty: none was found
};

nlohmann::json server_to_json(const authorization_server& server);
/// Members that are not there stay as they are by default.
authorization_server server_from_json(const nlohmann::json& stored);

nlohmann::json known_server_to_json(const known_server& known);
/// Nothing if it is not what known_server_to_json wrote.
std::optional<known_server> known_server_from_json(const nlohmann::json& stored);

} // namespace reauth
