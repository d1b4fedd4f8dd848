// The configuration's front door: a file, a text, or just an upstream's URL.
#pragma once

#include "conf/config.hpp"
#include "core/base/failure.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace reauth {

class key_log;

/// What stands over the file: flags beat environment variables beat the file.
struct config_inputs {
    /// Dotted key → value, e.g. {"approval.listen", "127.0.0.1:9000"}; every scalar of the file can be given.
    std::map<std::string, std::string> flags;
    /// The process's environment: `MCP_REAUTH_APPROVAL_LISTEN` …, and what `{env: NAME}` and paths refer to.
    std::map<std::string, std::string> environment;
    /// For a command that only talks to the running proxy: secrets and files of other keys than `approval`
    /// need not be there and are not read.
    bool approval_only = false;
    /// For `stdio`, which serves one upstream to one client: the others', `client_auth` and `tls` are not
    /// read either.
    std::optional<std::string> only_upstream = {};

    /// What a command line says of the one upstream that it names, by the key's path below `upstreams.NAME`:
    /// the value, and the flag that it came from.
    struct flag_value {
        std::string text, flag;
    };
    std::map<std::string, flag_value> upstream_flags = {};

    key_log* keys = nullptr; ///< what is read is noted there, where there is one

    /// Whether the secret or file of that key is wanted.
    bool reads(std::string_view key) const;
};

/// Inputs with this process's environment and no flags.
config_inputs process_inputs();

/// Reads and checks a file. fault::invalid_configuration holds all errors, one a line, each with
/// file:line:column, what is wrong and, where it can be guessed, what was meant.
result<config> load_config(const std::string& path, const config_inputs& inputs);

/// The same for a text. Relative paths in it are relative to the directory of `file_name`.
result<config> load_config_text(std::string_view text, const std::string& file_name,
                                const config_inputs& inputs);

/// What `serve URL` runs: one upstream at `/` and at the URL's own path, default policy.
result<config> config_for_url(std::string_view url, const config_inputs& inputs);

/// Every default, no upstream: what client commands use where there is no file. Flags and environment apply.
result<config> default_config(const config_inputs& inputs);

} // namespace reauth
