// check: is the configuration right, and what does it come to?
#include "proxy/cli/command.hpp"

#include "conf/key_log.hpp"
#include "core/text/display_text.hpp"
#include "proxy/cli/table.hpp"

#include <algorithm>
#include <memory>
#include <ostream>
#include <sstream>

namespace reauth {

namespace {

std::string where_from(const key_note& note) {
    if (note.given.empty())
        return "default";
    return note.at.origin.empty() ? "line " + std::to_string(note.at.line) : note.at.origin;
}

/// Every key that holds a value, as it is in effect.
nlohmann::json settings_json(const key_log& keys) {
    auto out = nlohmann::json::array();
    for (const auto& note : keys.all())
        if (note.shape.kind < key_kind::mapping)
            out.push_back({{"key", note.key}, {"value", note.in_effect()}, {"from", where_from(note)}});
    return out;
}

std::string settings_table(const key_log& keys) {
    std::vector<std::vector<std::string>> rows{{"KEY", "VALUE", "FROM"}};
    for (const auto& note : keys.all())
        if (note.shape.kind < key_kind::mapping)
            rows.push_back({note.key, clean_text(note.in_effect(), 100), where_from(note)});
    return format_table(rows);
}

nlohmann::json check_json(const config& c, const key_log& keys) {
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
            {"settings", settings_json(keys)},
            {"warnings", c.warnings}};
}

/// Who may call, in words.
std::string callers_text(const config& c) {
    if (c.client_auth.empty())
        return "whoever reaches it, as local";
    std::string out;
    for (const auto& e : c.client_auth) {
        std::string one = e.principal;
        if (e.proof == caller_proof::jwt)
            one = e.name + "/… (tokens of " + e.jwt.issuer + ")";
        else if (e.proof == caller_proof::mtls)
            one = e.name + "/… (client certificates)";
        else if (e.proof == caller_proof::header)
            one = e.name + "/… (a gateway's word in " + e.header.name + ")";
        out += (out.empty() ? "" : ", ") + one;
    }
    return out;
}

int print_check(const command_context& context, const config& c) {
    auto& out = context.io.out;
    context.warn(c);
    out << (c.file.empty() ? std::string("The running proxy has no configuration file.")
                           : c.file + " is valid.")
        << "\n\n"
        << format_table({{"clients", c.listen.to_string()},
                         {"callers", callers_text(c)},
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
    auto all = std::make_shared<bool>(false);
    verb->add_flag("--all", *all, "print every key in effect, and where its value is from");
    verb->callback([&context, all] {
        context.run = [&context, all] {
            key_log keys(false);
            context.io.inputs.keys = &keys;
            auto loaded = context.full_config();
            context.io.inputs.keys = nullptr;
            if (loaded && context.json) {
                context.print_json(check_json(*loaded, keys));
                return exit_done;
            }
            if (loaded && *all)
                context.io.out << settings_table(keys) << '\n';
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
