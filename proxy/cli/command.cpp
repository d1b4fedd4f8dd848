// Common options, and where the configuration is looked for.
#include "proxy/cli/command.hpp"

#include "conf/accounts.hpp"
#include "conf/problems.hpp"
#include "conf/values.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/display_text.hpp"
#include "proxy/cli/api_client.hpp"

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <system_error>

#include <unistd.h>

namespace reauth {

std::string command_context::find_config() const {
    if (!config_file.empty())
        return config_file;
    const auto& environment = io.inputs.environment;
    const auto variable = [&](const char* name) {
        auto found = environment.find(name);
        return found == environment.end() ? std::string{} : found->second;
    };
    if (auto named = variable("MCP_REAUTH_CONFIG"); !named.empty())
        return named;
    std::error_code ignored;
    if (std::filesystem::exists("mcp-reauth.yaml", ignored))
        return "mcp-reauth.yaml";
    auto base = variable("XDG_CONFIG_HOME");
    if (base.empty() && !variable("HOME").empty())
        base = variable("HOME") + "/.config";
    auto own = base + "/mcp-reauth/config.yaml";
    if (!base.empty() && std::filesystem::exists(own, ignored))
        return own;
    // the system service's, for who may read it
    constexpr auto service = "/etc/mcp-reauth/config.yaml";
    return ::access(service, R_OK) == 0 ? service : std::string{};
}

std::string command_context::file_for(const std::string& upstream) const {
    const bool named = !config_file.empty() || io.inputs.environment.contains("MCP_REAUTH_CONFIG");
    return !names_url(upstream) || named ? find_config() : std::string();
}

result<config_inputs> command_context::inputs() const {
    auto all = io.inputs;
    for (const auto& [key, value] : flags)
        all.flags[key] = value;
    if (allow_http)
        all.upstream_flags["allow_http"] = {"true", "--allow-http"};
    for (const auto& pair : set) {
        const auto equals = pair.find('=');
        if (equals == 0 || equals == pair.npos)
            return failure::permanent(fault::invalid_configuration,
                                      "--set needs KEY=VALUE, e.g. --set approval.lifetime=5m");
        all.flags[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    return all;
}

namespace {

/// Where it listens says the proxy itself, whatever the file or the flags of this command say.
void take_addresses(config& c, const live_proxy& p) {
    if (auto at = parse_endpoint(p.listen))
        c.listen = *at;
    if (auto at = parse_endpoint(p.approval_listen))
        c.approval.listen = *at;
    c.approval.public_url = p.approval_url;
    c.state_directory = p.state_directory;
}

/// What is known of a proxy that runs without a configuration file.
config config_of(const live_proxy& p, config defaults) {
    take_addresses(defaults, p);
    if (p.tls)
        defaults.tls.emplace();
    if (p.client_auth)
        defaults.client_auth.emplace_back();
    for (const auto& served : p.upstreams) {
        upstream_config u;
        u.name = served.name;
        u.url = served.url;
        u.path = served.path;
        defaults.upstreams.push_back(std::move(u));
    }
    return defaults;
}

} // namespace

result<std::optional<live_proxy>> command_context::running() const {
    auto in = inputs();
    if (!in)
        return in.error();
    for (const auto* key : {"approval.listen", "approval.public_url", "state_directory"})
        if (in->flags.contains(key) || in->environment.contains(environment_name(key)))
            return std::optional<live_proxy>();
    in->approval_only = true;
    const auto file = find_config();
    const auto found = file.empty() ? default_config(*in) : load_config(file, *in);
    const auto defaults = default_config(*in);
    std::vector<live_proxy> all;
    if (defaults)
        all = live_proxies(defaults->state_directory);
    if (found && (!defaults || found->state_directory != defaults->state_directory))
        for (auto& p : live_proxies(found->state_directory))
            all.push_back(std::move(p));
    for (const auto& p : all)
        if (!file.empty() && p.config == absolute_file(file))
            return std::optional(p);
    const auto variable = io.inputs.environment.find("MCP_REAUTH_CONFIG");
    if (!config_file.empty() || variable != io.inputs.environment.end() || all.empty())
        return std::optional<live_proxy>();
    // of those that share an approval page any will do, unless they serve clients of their own
    const auto serves = [](const live_proxy& p) { return !p.stdio; };
    const bool one_page = std::all_of(all.begin(), all.end(), [&](const live_proxy& p) {
        return p.approval_listen == all.front().approval_listen &&
               p.state_directory == all.front().state_directory;
    });
    if (one_page && std::count_if(all.begin(), all.end(), serves) <= 1) {
        const auto first = std::find_if(all.begin(), all.end(), serves);
        return std::optional(first == all.end() ? all.front() : *first);
    }
    std::string names;
    for (const auto& p : all)
        names += "\n  " + (p.config.empty() ? "without a file" : "--config " + p.config) +
                 "   (approval page " + p.approval_url + ")";
    return failure::permanent(fault::invalid_configuration,
                              std::to_string(all.size()) + " proxies run here:" + names,
                              "name one: --config FILE, or --set approval.listen=HOST:PORT");
}

result<config> command_context::client_config() const {
    auto in = inputs();
    if (!in)
        return in.error();
    in->approval_only = true;
    const auto live = running();
    if (!live)
        return live.error();
    if (!*live) {
        const auto file = find_config();
        return file.empty() ? default_config(*in) : load_config(file, *in);
    }
    const auto& p = **live;
    auto c = p.config.empty() ? default_config(*in) : load_config(p.config, *in);
    if (!c)
        return c.error();
    if (p.config.empty())
        return config_of(p, std::move(*c));
    take_addresses(*c, p);
    return c;
}

result<config> command_context::full_config() const {
    auto in = inputs();
    if (!in)
        return in.error();
    if (const auto file = find_config(); !file.empty())
        return load_config(file, *in);
    const auto live = running();
    if (!live)
        return live.error();
    if (!*live)
        return failure::permanent(
            fault::invalid_configuration,
            "there is no configuration: neither --config, $MCP_REAUTH_CONFIG, ./mcp-reauth.yaml, "
            "~/.config/mcp-reauth/config.yaml nor /etc/mcp-reauth/config.yaml; and no proxy runs here",
            "run `mcp-reauth serve URL`, or write upstreams: {NAME: {url: https://…}} into mcp-reauth.yaml");
    if (!(*live)->config.empty())
        return load_config((*live)->config, *in);
    auto c = default_config(*in);
    if (!c)
        return c.error();
    return config_of(**live, std::move(*c));
}

int command_context::fail(const failure& f) const {
    if (json)
        print_json({{"error", to_string(f.code)}, {"message", f.message}, {"fix", f.fix}});
    else
        io.err << as_sentence(f.message) << '\n';
    if (!json && !f.fix.empty())
        io.err << as_sentence(f.fix) << '\n';
    return f.code == fault::invalid_configuration ? exit_usage : exit_failed;
}

void command_context::print_json(const nlohmann::json& value) const {
    io.out << json_text(value, 2) << '\n';
}

void command_context::warn(const config& c) const {
    for (const auto& warning : c.warnings)
        io.err << "warning: " << warning << '\n';
}

int with_api(const command_context& context, const std::function<int(const api_client&)>& f) {
    auto c = context.client_config();
    if (!c)
        return context.fail(c.error());
    auto api = api_client::make(*c);
    if (!api)
        return context.fail(api.error());
    return f(*api);
}

void add_config_options(CLI::App& verb, command_context& context) {
    verb.add_option("-c,--config", context.config_file,
                    "configuration file (default: $MCP_REAUTH_CONFIG, ./mcp-reauth.yaml, "
                    "~/.config/mcp-reauth/config.yaml, /etc/mcp-reauth/config.yaml)");
    verb.add_option("--set", context.set, "KEY=VALUE over the configuration, e.g. approval.lifetime=5m")
        ->take_all()
        ->expected(1);
}

void add_key_option(CLI::App& verb, command_context& context, const std::string& name, const std::string& key,
                    const std::string& help) {
    verb.add_option_function<std::string>(
        name, [&context, key](const std::string& value) { context.flags[key] = value; }, help);
}

void add_http_option(CLI::App& verb, bool& allowed) {
    verb.add_flag("--allow-http", allowed, "with an http URL: its network is trusted");
}

void add_json_option(CLI::App& verb, command_context& context) {
    verb.add_flag("--json", context.json, "print JSON");
}

result<upstream_config> find_upstream(const config& c, const std::string& name) {
    std::vector<std::string> names;
    if (const auto* found = upstream_named(c, name))
        return *found;
    for (const auto& u : c.upstreams)
        names.push_back(u.name);
    std::string known;
    for (const auto& n : names)
        known += (known.empty() ? "" : ", ") + n;
    return failure::permanent(
        fault::invalid_configuration, "there is no upstream '" + name + "'" + did_you_mean(name, names),
        known.empty() ? "name the configuration with --config" : "configured are: " + known);
}

} // namespace reauth
