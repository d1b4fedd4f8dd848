// What mcp-remote (0.15) keeps of a sign-in: ~/.mcp-auth/mcp-remote-v1/KEY_tokens.json and
// KEY_client_info.json.
#pragma once

#include "core/oauth/registration.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// The arguments of mcp-remote that are part of its key.
struct mcp_remote_arguments {
    std::string url;                            ///< as it was given there
    std::string resource;                       ///< --resource; empty: none
    std::map<std::string, std::string> headers; ///< --header, as written: variables not replaced
    std::map<std::string, std::string> authorize_params = {}; ///< --authorize-param
    std::string client_metadata_url = {}, token_endpoint = {};
};

/// Adds a `--header` as it was written. False: it is none.
bool add_remote_header(mcp_remote_arguments& to, std::string_view line);

/// The names its files may begin with, the likeliest first: a slash at the URL's end makes another.
std::vector<std::string> mcp_remote_keys(const mcp_remote_arguments& arguments);

/// The port of its callback where none is given: it follows from the arguments.
std::uint16_t mcp_remote_port(const mcp_remote_arguments& arguments);

/// A sign-in. Nothing of it is checked with any server.
struct mcp_remote_login {
    credential held;                         ///< without origin, resource and where it was found
    std::optional<registered_client> client; ///< nothing: none is kept (it was given on the command line)
};

/// Reads both files; `client` may be empty: there is none. What the server granted, where it is not said, is
/// what was asked for. fault::invalid_configuration: it is not what mcp-remote writes, or holds no token.
result<mcp_remote_login> read_mcp_remote(const secret& tokens, const secret& client, time_point now);

} // namespace reauth
