// What all verbs share: options, configuration look-up, output.
#pragma once

#include "conf/client_entry.hpp"
#include "proxy/cli/cli.hpp"
#include "proxy/service/running_file.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

inline constexpr int exit_done = 0, exit_failed = 1, exit_usage = 2;

/// One run: its streams, the options every verb has, and the verb that was chosen.
struct command_context {
    explicit command_context(cli_io& streams) : io(streams) {}
    cli_io& io;
    std::string config_file;
    std::map<std::string, std::string> flags; ///< over the configuration
    std::vector<std::string> set;             ///< `--set KEY=VALUE`
    bool json = false;
    bool allow_http = false; ///< --allow-http, where a URL is given
    std::function<int()> run;

    /// --config, else $MCP_REAUTH_CONFIG, else ./mcp-reauth.yaml, else ~/.config/mcp-reauth/config.yaml,
    /// else the system service's; empty: none of them is there.
    std::string find_config() const;
    /// The file for one upstream, given by its name or its URL: a URL takes one only where it is named, since
    /// clients start programs in directories of their own choice.
    std::string file_for(const std::string& upstream) const;
    /// Inputs with flags and --set over them; the failure names a broken --set.
    result<config_inputs> inputs() const;
    /// The running proxy that is meant: the one with the configuration that was named or found, else the only
    /// one. Nothing: none runs, or the address was given by a flag or a variable. A failure: several run.
    result<std::optional<live_proxy>> running() const;
    /// The configuration of a client verb: that of the running proxy with the addresses it has bound; else a
    /// file if there is one, else the defaults.
    result<config> client_config() const;
    /// The configuration of a verb that needs upstreams: the file's, else the running proxy's.
    result<config> full_config() const;

    /// Prints a failure (to stderr; as JSON to stdout with --json) and gives the exit code that fits it.
    int fail(const failure& f) const;
    void print_json(const nlohmann::json& value) const;
    void warn(const config& c) const;
};

class api_client;
/// Runs `f` with a client of the running proxy.
int with_api(const command_context& context, const std::function<int(const api_client&)>& f);

/// Adds --config and --set.
void add_config_options(CLI::App& verb, command_context& context);
/// Adds a flag of its own for a key of the configuration.
void add_key_option(CLI::App& verb, command_context& context, const std::string& name, const std::string& key,
                    const std::string& help);
/// Adds --allow-http.
void add_http_option(CLI::App& verb, bool& allowed);
/// Adds --json.
void add_json_option(CLI::App& verb, command_context& context);

void add_serve(CLI::App& app, command_context& context);
void add_stdio(CLI::App& app, command_context& context);
void add_import(CLI::App& app, command_context& context);
void add_demo(CLI::App& app, command_context& context);
void add_check(CLI::App& app, command_context& context);
void add_explain(CLI::App& app, command_context& context);
void add_login(CLI::App& app, command_context& context);
void add_logout(CLI::App& app, command_context& context);
void add_status(CLI::App& app, command_context& context);
void add_approvals(CLI::App& app, command_context& context);
void add_approve(CLI::App& app, command_context& context);
void add_deny(CLI::App& app, command_context& context);
void add_open(CLI::App& app, command_context& context);
void add_doctor(CLI::App& app, command_context& context);
void add_client_config(CLI::App& app, command_context& context);
void add_rules(CLI::App& app, command_context& context);
void add_schema(CLI::App& app, command_context& context);
void add_completion(CLI::App& app, command_context& context);
void add_history(CLI::App& app, command_context& context);
void add_audit(CLI::App& app, command_context& context);
void add_debug(CLI::App& app, command_context& context);

/// The upstream of that name, or fault::invalid_configuration with the nearest.
result<upstream_config> find_upstream(const config& c, const std::string& name);

} // namespace reauth
