// The extensions of MCP that are spoken here, whatever the client knows: how a token is got is our part.
#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <string_view>

namespace reauth {

/// Of the authorization extensions (ext-auth), by their official identifiers.
inline constexpr std::array<std::string_view, 2> our_extensions{
    "io.modelcontextprotocol/oauth-client-credentials",
    "io.modelcontextprotocol/enterprise-managed-authorization"};

/// A client's capabilities with them declared (`extensions`, MCP 2026-07-28); what it says of them stays.
template<class Json>
Json with_our_extensions(Json capabilities) {
    auto& declared = capabilities["extensions"];
    if (!declared.is_object())
        declared = Json::object();
    for (const auto name : our_extensions)
        if (!declared.contains(name))
            declared[std::string(name)] = Json::object();
    return capabilities;
}

} // namespace reauth
