// client-config: what to put into an MCP client's configuration.
#include "proxy/cli/command.hpp"

#include "conf/problems.hpp"

#include <array>
#include <memory>
#include <ostream>

namespace reauth {

namespace {

using json = nlohmann::ordered_json;

/// One client program: where its configuration is, and how an entry looks. The bearer is a placeholder: it is
/// a secret, and has no place in output.
struct client_kind {
    std::string_view name, file;
    json (*entry)(const std::string& name, const std::string& url, bool bearer);
};

json with_headers(json entry, bool bearer, const char* placeholder) {
    if (bearer)
        entry["headers"] = {{"Authorization", std::string("Bearer ") + placeholder}};
    return entry;
}

constexpr auto variable = "${MCP_REAUTH_BEARER}";

constexpr std::array<client_kind, 7> kinds{{
    {"claude", ".mcp.json of the project (Claude Code)",
     [](const std::string& n, const std::string& u, bool b) -> json {
         return {{"mcpServers", {{n, with_headers({{"type", "http"}, {"url", u}}, b, variable)}}}};
     }},
    {"cursor", "~/.cursor/mcp.json",
     [](const std::string& n, const std::string& u, bool b) -> json {
         return {{"mcpServers", {{n, with_headers({{"url", u}}, b, "${env:MCP_REAUTH_BEARER}")}}}};
     }},
    {"vscode", ".vscode/mcp.json",
     [](const std::string& n, const std::string& u, bool b) -> json {
         return {
             {"servers", {{n, with_headers({{"type", "http"}, {"url", u}}, b, "${env:MCP_REAUTH_BEARER}")}}}};
     }},
    {"windsurf", "~/.codeium/windsurf/mcp_config.json",
     [](const std::string& n, const std::string& u, bool b) -> json {
         return {{"mcpServers", {{n, with_headers({{"serverUrl", u}}, b, "${env:MCP_REAUTH_BEARER}")}}}};
     }},
    {"gemini", "~/.gemini/settings.json",
     [](const std::string& n, const std::string& u, bool b) -> json {
         return {{"mcpServers", {{n, with_headers({{"httpUrl", u}}, b, variable)}}}};
     }},
    {"zed", "settings.json of Zed",
     [](const std::string& n, const std::string& u, bool b) -> json {
         return {{"context_servers", {{n, with_headers({{"url", u}}, b, "YOUR-BEARER")}}}};
     }},
    {"opencode", "opencode.json",
     [](const std::string& n, const std::string& u, bool b) -> json {
         return {{"mcp",
                  {{n, with_headers({{"type", "remote"}, {"url", u}, {"enabled", true}}, b,
                                    "{env:MCP_REAUTH_BEARER}")}}}};
     }},
}};

int print_entry(const command_context& context, const config& c, const upstream_config& u,
                const std::string& client) {
    const auto url = client_url(c, u);
    const bool bearer = !c.client_auth.empty();
    if (u.listen ? !u.listen->unix_path.empty() : !c.listen.unix_path.empty())
        return context.fail(
            {fault::invalid_configuration,
             "The proxy listens on a Unix socket, which MCP clients cannot be given as a URL.",
             "Set listen: 127.0.0.1:8970.",
             {},
             false});
    if (client == "codex") {
        context.io.err << "Into ~/.codex/config.toml:\n";
        context.io.out << "[mcp_servers." << u.name << "]\nurl = \"" << url << "\"\n"
                       << (bearer ? "bearer_token_env_var = \"MCP_REAUTH_BEARER\"\n" : "");
        return exit_done;
    }
    if (client == "url") {
        context.io.out << url << '\n';
        return exit_done;
    }
    for (const auto& kind : kinds) {
        if (kind.name != client)
            continue;
        context.io.err << "Into " << kind.file << ":\n";
        context.io.out << kind.entry(u.name, url, bearer).dump(2) << '\n';
        if (bearer)
            context.io.err << "MCP_REAUTH_BEARER is the client_auth bearer of the proxy's configuration.\n";
        return exit_done;
    }
    std::vector<std::string> names{"codex", "url"};
    for (const auto& kind : kinds)
        names.emplace_back(kind.name);
    std::string known;
    for (const auto& n : names)
        known += (known.empty() ? "" : ", ") + n;
    return context.fail({fault::invalid_configuration,
                         "There is no client '" + client + "'" + did_you_mean(client, names) + ".",
                         "Known are: " + known + ".",
                         {},
                         false});
}

} // namespace

void add_client_config(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("client-config", "print what to put into an MCP client's configuration");
    auto name = std::make_shared<std::string>();
    auto client = std::make_shared<std::string>();
    verb->add_option("NAME", *name, "the upstream")->required();
    verb->add_option("--for", *client,
                     "claude, codex, cursor, gemini, opencode, vscode, windsurf, zed or url")
        ->required();
    add_config_options(*verb, context);
    verb->callback([&context, name, client] {
        context.run = [&context, name, client] {
            auto c = context.client_config();
            if (!c)
                return context.fail(c.error());
            auto u = find_upstream(*c, *name);
            return u ? print_entry(context, *c, *u, *client) : context.fail(u.error());
        };
    });
}

} // namespace reauth
