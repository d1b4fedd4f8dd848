// Reads the sections of a configuration in turn: overrides over the file over defaults, then what must fit
// together.
#include "conf/load.hpp"

#include "conf/readers.hpp"
#include "conf/regular_file.hpp"
#include "conf/values.hpp"
#include "core/oauth/registration.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"
#include "policy/rules/rules.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <pwd.h>
#include <unistd.h>

extern char** environ;

namespace reauth {

namespace {

std::string state_directory(const config_inputs& inputs, reading& r) {
    const auto given = [&](const char* name) {
        auto found = inputs.environment.find(name);
        return found == inputs.environment.end() ? std::string{} : found->second;
    };
    // systemd sets STATE_DIRECTORY for StateDirectory=
    if (auto dir = given("STATE_DIRECTORY"); !dir.empty())
        return dir.substr(0, dir.find(':'));
    if (auto dir = given("XDG_STATE_HOME"); dir.starts_with('/'))
        return dir + "/mcp-reauth";
    if (auto home = given("HOME"); !home.empty())
        return home + "/.local/state/mcp-reauth";
    r.problems.error({},
                     "there is no HOME to keep state in; set state_directory (MCP_REAUTH_STATE_DIRECTORY).");
    return {};
}

void fill_defaults(config& c, const config_inputs& inputs, reading& r) {
    if (c.state_directory.empty())
        c.state_directory = state_directory(inputs, r);
    if (c.vault.backend == vault_backend::sqlite) {
        if (c.vault.path.empty())
            c.vault.path = c.state_directory + "/vault.db";
        if (c.vault.key_file.empty() && c.vault.key.empty())
            c.vault.key_file = c.vault.path + ".key";
    }
    if (c.approval.public_url.empty() && c.approval.listen.port != 0)
        c.approval.public_url = (c.approval.tls ? "https://" : "http://") + c.approval.listen.to_string();
    if (c.serves_client_metadata) {
        // an authorization server reads it from outside, and an `http` one is no client ID
        if (!c.approval.public_url.starts_with("https://"))
            r.problems.error(
                r.where("client_metadata_url"),
                "client_metadata_url is self: then approval.public_url must be an https URL that "
                "authorization servers reach.");
        c.client_metadata_url = c.approval.public_url + std::string(client_metadata_path);
    }
    if (r.keys) {
        r.keys->settle("state_directory", c.state_directory);
        r.keys->settle("vault.path", c.vault.path);
        if (!c.vault.key_file.empty())
            r.keys->settle("vault.key", "{file: " + c.vault.key_file + "}");
        r.keys->settle("approval.public_url", c.approval.public_url);
    }
    for (auto& rule : builtin_rules())
        c.policy.rules.push_back(std::move(rule));
}

/// A mistyped variable would be silently ignored; those that a container orchestrator sets for a service
/// called mcp-reauth are not ours.
void report_unused(reading& r) {
    constexpr std::string_view prefix = "MCP_REAUTH_";
    for (auto e = r.inputs.environment.lower_bound(std::string(prefix));
         e != r.inputs.environment.end() && e->first.starts_with(prefix); ++e) {
        const std::string_view rest = std::string_view(e->first).substr(prefix.size());
        if (!r.used.contains(e->first) && rest != "CONFIG" && !rest.starts_with("SERVICE_") &&
            rest != "PORT" && !rest.starts_with("PORT_"))
            r.problems.warning({0, 0, clean_text(e->first, 80)},
                               "this variable sets no key of the configuration.");
    }
    for (const auto& [key, value] : r.inputs.flags)
        if (!r.used.contains(key))
            r.problems.error({}, "there is no key '" + clean_text(key, 80) + "' to set.");
    const bool read = r.places.contains(r.flagged.substr(0, std::max<std::size_t>(r.flagged.size(), 1) - 1));
    for (const auto& [key, value] : r.inputs.upstream_flags)
        if (read && !r.used.contains(r.flagged + key))
            r.problems.error({0, 0, value.flag}, "there is no key '" + clean_text(key, 80) + "' to set.");
}

result<config> finish(config c, reading& r) {
    if (r.problems.failed())
        return r.problems.to_failure();
    c.warnings = r.problems.warnings();
    if (auto exposed = exposed_directory(c.state_directory); !exposed.empty())
        c.warnings.push_back("state_directory: " + exposed);
    c.secret_variables = r.secret_variables;
    return c;
}

} // namespace

bool config_inputs::reads(std::string_view key) const {
    if (approval_only)
        return key.starts_with("approval.");
    if (!only_upstream)
        return true;
    if (key.starts_with("upstreams."))
        return key.starts_with("upstreams." + *only_upstream + ".");
    return !key.starts_with("client_auth") && !key.starts_with("tls.");
}

config_inputs process_inputs() {
    config_inputs inputs;
    for (char** e = environ; e && *e; ++e) {
        const std::string_view line(*e);
        if (const auto equals = line.find('='); equals != line.npos)
            inputs.environment.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    if (!inputs.environment.contains("HOME"))
        if (const auto* user = ::getpwuid(::getuid()); user && user->pw_dir)
            inputs.environment.emplace("HOME", user->pw_dir);
    return inputs;
}

result<config> load_config_text(std::string_view text, const std::string& file_name,
                                const config_inputs& inputs) {
    problem_log problems(file_name);
    reading r{problems, inputs, std::filesystem::path(file_name).parent_path().string(), {}, {}, {}};
    if (inputs.only_upstream && !inputs.only_upstream->empty())
        r.flagged = "upstreams." + *inputs.only_upstream + ".";
    config c;
    c.file = file_name;
    const auto tree = parse_yaml(text, problems);
    if (problems.failed() && tree.is == yaml_node::kind::null)
        return problems.to_failure();
    read_config(section(r, &tree, {}, {}), r, c);
    check_config(c, r);
    fill_defaults(c, inputs, r);
    report_unused(r);
    return finish(std::move(c), r);
}

result<config> load_config(const std::string& path, const config_inputs& inputs) {
    const auto file = read_regular_file(path, {1u << 20});
    if (!file)
        return failure::permanent(fault::invalid_configuration, path + ": the configuration " + file.trouble,
                                  "give another with --config FILE");
    return load_config_text(file.text->reveal(), path, inputs);
}

result<config> default_config(const config_inputs& inputs) {
    problem_log problems("");
    reading r{problems, inputs, {}, {}, {}, {}};
    config c;
    read_config(section(r, nullptr, {}, {}), r, c);
    fill_defaults(c, inputs, r);
    report_unused(r);
    return finish(std::move(c), r);
}

result<config> config_for_url(std::string_view url, const config_inputs& inputs) {
    auto parsed = parse_http_url(url, "the upstream's URL");
    if (!parsed)
        return failure::permanent(fault::invalid_configuration, parsed.error().message + scheme_hint(url),
                                  "give it like https://api.example.com/mcp");
    if (!parsed->https() && !parsed->loopback() && !inputs.upstream_flags.contains("allow_http"))
        return failure::permanent(fault::invalid_configuration,
                                  "the upstream's URL must be https: over http to " +
                                      display_host(parsed->host) + " anyone on the way could read the tokens",
                                  "only loopback may be http; in a network that you trust add --allow-http");
    auto with_url = inputs;
    with_url.upstream_flags["url"] = {std::string(url), "URL"};
    problem_log problems("");
    reading r{problems, with_url, {}, {}, {}, {}};
    config c;
    read_config(section(r, nullptr, {}, {}), r, c);
    const auto name = name_for_host(parsed->host);
    r.flagged = "upstreams." + name + ".";
    if (with_url.only_upstream)
        with_url.only_upstream = name;
    auto u = std::move(read_upstream(section(r, nullptr, "upstreams." + name, {}), r, name, c).front());
    u.path = "/";
    u.also_at.push_back("/" + u.name);
    auto own = parsed->path;
    while (own.ends_with('/'))
        own.pop_back();
    if (!own.empty() && own != u.also_at.front() && wrong_path(own).empty())
        u.also_at.push_back(own);
    c.upstreams.push_back(std::move(u));
    check_config(c, r);
    fill_defaults(c, inputs, r);
    report_unused(r);
    return finish(std::move(c), r);
}

std::string cli_command(const config& c, const std::string& words) {
    if (c.file.empty())
        return "mcp-reauth " + words;
    return "mcp-reauth " + words + " --config " + shell_word(absolute_file(c.file));
}

} // namespace reauth
