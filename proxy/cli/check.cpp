// check: is the configuration right, and what does it come to?
#include "proxy/cli/command.hpp"

#include "proxy/cli/table.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

namespace reauth {

namespace {

nlohmann::json check_json(const config& c) {
    auto upstreams = nlohmann::json::array();
    for (const auto& u : c.upstreams)
        upstreams.push_back({{"name", u.name},
                             {"url", u.url},
                             {"path", u.path},
                             {"client_url", client_url(c, u)},
                             {"grant", to_string(u.grant)}});
    auto rules = nlohmann::json::array();
    for (const auto& r : c.policy.rules)
        rules.push_back(
            {{"name", r.name}, {"action", to_string(r.action)}, {"where", r.where}, {"rule", to_yaml(r)}});
    return {{"valid", true},
            {"file", c.file},
            {"listen", c.listen.to_string()},
            {"approval", {{"listen", c.approval.listen.to_string()}, {"public_url", c.approval.public_url}}},
            {"state_directory", c.state_directory},
            {"upstreams", std::move(upstreams)},
            {"policy", std::move(rules)},
            {"warnings", c.warnings}};
}

int print_check(const command_context& context, const config& c) {
    auto& out = context.io.out;
    context.warn(c);
    out << (c.file.empty() ? std::string("The running proxy has no configuration file.")
                           : c.file + " is valid.")
        << "\n\n"
        << format_table({{"clients", c.listen.to_string()},
                         {"approval page", c.approval.public_url},
                         {"vault", c.vault.backend == vault_backend::sqlite     ? c.vault.path
                                   : c.vault.backend == vault_backend::postgres ? "postgres"
                                                                                : "memory (gone at exit)"},
                         {"state", c.state_directory}})
        << '\n';
    std::vector<std::vector<std::string>> rows{{"UPSTREAM", "CLIENTS USE", "GOES TO", "GRANT"}};
    for (const auto& u : c.upstreams)
        rows.push_back({u.name, client_url(c, u), u.url, std::string(to_string(u.grant))});
    const bool gated = std::any_of(c.policy.rules.begin(), c.policy.rules.end(),
                                   [](const rule& r) { return r.action == rule_action::approve; });
    out << format_table(rows) << "\nThe first rule that matches decides"
        << (gated
                ? " (`approve`: about a call before it is sent; the others: about what the upstream refuses)"
                : "")
        << ":\n"
        << to_yaml(c.policy);
    return exit_done;
}

} // namespace

void add_check(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("check", "validate the configuration and print the effective policy");
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context] {
        context.run = [&context] {
            auto loaded = context.full_config();
            if (loaded && context.json) {
                context.print_json(check_json(*loaded));
                return exit_done;
            }
            if (loaded)
                return print_check(context, *loaded);
            if (!context.json)
                return context.fail(loaded.error());
            auto errors = nlohmann::json::array();
            std::istringstream lines(loaded.error().message);
            for (std::string line; std::getline(lines, line);)
                errors.push_back(line);
            context.print_json({{"valid", false}, {"errors", std::move(errors)}});
            return exit_usage;
        };
    });
}

} // namespace reauth
