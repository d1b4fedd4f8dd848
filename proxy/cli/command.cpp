// Common options, and where the configuration is looked for.
#include "proxy/cli/command.hpp"

#include "conf/problems.hpp"
#include "proxy/cli/api_client.hpp"

#include <filesystem>
#include <ostream>
#include <system_error>

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
    const auto own = base + "/mcp-reauth/config.yaml";
    return !base.empty() && std::filesystem::exists(own, ignored) ? own : std::string{};
}

result<config_inputs> command_context::inputs() const {
    auto all = io.inputs;
    for (const auto& [key, value] : flags)
        all.flags[key] = value;
    for (const auto& pair : set) {
        const auto equals = pair.find('=');
        if (equals == 0 || equals == pair.npos)
            return failure{fault::invalid_configuration,
                           "--set needs KEY=VALUE, e.g. --set approval.lifetime=5m.",
                           {},
                           {},
                           false};
        all.flags[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    return all;
}

result<config> command_context::client_config() const {
    auto in = inputs();
    if (!in)
        return in.error();
    in->approval_only = true;
    const auto file = find_config();
    return file.empty() ? default_config(*in) : load_config(file, *in);
}

result<config> command_context::full_config() const {
    auto in = inputs();
    if (!in)
        return in.error();
    const auto file = find_config();
    if (file.empty())
        return failure{
            fault::invalid_configuration,
            "There is no configuration: neither --config, $MCP_REAUTH_CONFIG, ./mcp-reauth.yaml nor "
            "~/.config/mcp-reauth/config.yaml.",
            "Begin with a copy of conf/quickstart.yaml, or run `mcp-reauth serve URL`.",
            {},
            false};
    return load_config(file, *in);
}

int command_context::fail(const failure& f) const {
    if (json)
        print_json({{"error", to_string(f.code)}, {"message", f.message}, {"fix", f.fix}});
    else
        io.err << f.message << '\n';
    if (!json && !f.fix.empty())
        io.err << f.fix << '\n';
    return f.code == fault::invalid_configuration ? exit_usage : exit_failed;
}

void command_context::print_json(const nlohmann::json& value) const {
    io.out << value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
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
                    "~/.config/mcp-reauth/config.yaml)");
    verb.add_option("--set", context.set, "KEY=VALUE over the configuration, e.g. approval.lifetime=5m")
        ->take_all()
        ->expected(1);
}

void add_json_option(CLI::App& verb, command_context& context) {
    verb.add_flag("--json", context.json, "print JSON");
}

result<upstream_config> find_upstream(const config& c, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& u : c.upstreams) {
        if (u.name == name)
            return u;
        names.push_back(u.name);
    }
    std::string known;
    for (const auto& n : names)
        known += (known.empty() ? "" : ", ") + n;
    return failure{fault::invalid_configuration,
                   "There is no upstream '" + name + "'" + did_you_mean(name, names) + ".",
                   known.empty() ? "Name the configuration with --config." : "Configured are: " + known + ".",
                   {},
                   false};
}

std::string client_url(const config& c, const upstream_config& u) {
    const auto& at = u.listen ? *u.listen : c.listen;
    const auto path = u.listen ? std::string("/") : u.path;
    if (!at.unix_path.empty())
        return "unix:" + at.unix_path + ":" + path;
    auto reachable = at;
    if (at.host == "0.0.0.0" || at.host == "::")
        reachable.host = c.allowed_hosts.empty() ? "127.0.0.1" : c.allowed_hosts.front();
    const auto authority = reachable.host.find(':') != std::string::npos && !c.allowed_hosts.empty() &&
                                   reachable.host == c.allowed_hosts.front()
                               ? reachable.host
                               : reachable.to_string();
    return (c.tls ? "https://" : "http://") + authority + path;
}

} // namespace reauth
