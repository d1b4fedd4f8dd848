// What mcp-remote (0.15) is told on its command line, said in keys of our configuration: an entry of a
// client's file that starts it works with the command alone changed.
#pragma once

#include "conf/stdio_config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// Its arguments, by their names there. Nothing or false: not given.
struct remote_arguments {
    std::optional<std::string> port; ///< of its callback: the second word
    std::optional<std::string> host, callback_path, resource, protocol;
    std::vector<std::string> header_files, authorize_params;
    std::optional<std::string> client_info, client_metadata, client_metadata_url, token_endpoint;
    std::optional<std::string> connect_timeout, headers_timeout;
    bool allow_http = false, no_resource = false, client_credentials = false, device_code = false;
    bool id_token = false, ipv4 = false, debug = false, silent = false, no_cookies = false;
    std::string issuer; ///< ours, not mcp-remote's: who gets the client's secret
    /// Given, and without a meaning here: the flag, and why.
    std::vector<std::pair<std::string, std::string>> without_meaning;
};

/// Adds to `target` and `inputs` what the arguments say. What it says differently here, or not at all, is a
/// sentence each. fault::invalid_configuration names the flag.
result<std::vector<std::string>> apply_remote_arguments(const remote_arguments& given, stdio_target& target,
                                                        config_inputs& inputs);

} // namespace reauth
