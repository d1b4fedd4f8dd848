// A row for each client; what the rows have in common is made once.
#include "conf/client_entry.hpp"

#include "conf/values.hpp"
#include "core/json/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace reauth {
namespace {

using json = nlohmann::ordered_json;

constexpr auto variable = "${MCP_REAUTH_BEARER}", env_variable = "${env:MCP_REAUTH_BEARER}";

struct entry_input : client_way {
    json with_headers(json entry, const char* placeholder) const {
        if (bearer)
            entry["headers"] = {{"Authorization", std::string("Bearer ") + placeholder}};
        return entry;
    }
    /// For a command line.
    std::string header_flag(const char* flag) const {
        return bearer ? std::string(" ") + flag + " \"Authorization: Bearer $MCP_REAUTH_BEARER\"" : "";
    }
};

std::string under(const char* key, const std::string& name, json entry) {
    return json_text(json{{key, {{name, std::move(entry)}}}}, 2);
}

struct client_row {
    std::string_view client, title, file;
    const char* key;                            ///< what its entries stand below
    std::string (*text)(const entry_input& in); ///< null: it takes no URL
    std::string (*command)(const entry_input& in);
    std::string_view note;
};

std::string no_command(const entry_input&) {
    return {};
}

std::string toml_for_codex(const entry_input& in) {
    return "[mcp_servers." + in.name + "]\nurl = \"" + in.url + "\"\nstartup_timeout_sec = 30\n" +
           (in.bearer ? "bearer_token_env_var = \"MCP_REAUTH_BEARER\"\n" : "");
}

constexpr std::string_view started = "It starts this program by itself: no `serve` has to run.";

/// An entry that starts this program.
std::string program_entry(const client_row& row, const entry_input& in) {
    const auto command = in.program.front();
    const json args(std::vector<std::string>(in.program.begin() + 1, in.program.end()));
    if (row.client == "codex")
        return "[mcp_servers." + in.name + "]\ncommand = " + json_text(json(command)) +
               "\nargs = " + json_text(args) + "\n";
    if (row.client == "opencode")
        return under(row.key, in.name, {{"type", "local"}, {"command", in.program}, {"enabled", true}});
    json entry{{"command", command}, {"args", args}};
    if (row.client == "vscode")
        entry["type"] = "stdio";
    return under(row.key, in.name, std::move(entry));
}

constexpr std::array<client_row, 11> rows{{
    {"claude-code", "Claude Code", ".mcp.json of the project", "mcpServers",
     [](const entry_input& in) {
         return under("mcpServers", in.name, in.with_headers({{"type", "http"}, {"url", in.url}}, variable));
     },
     [](const entry_input& in) {
         return "claude mcp add --transport http " + in.name + " " + in.url + in.header_flag("--header");
     },
     "MCP_TIMEOUT=60000 in its environment gives you a minute for the first sign-in (30 s else)."},
    {"claude-desktop", "Claude Desktop", "claude_desktop_config.json (Settings, Developer, Edit Config)",
     "mcpServers", nullptr, no_command, ""},
    {"codex", "Codex", "~/.codex/config.toml", "mcp_servers", toml_for_codex,
     [](const entry_input& in) {
         return "codex mcp add " + in.name + " --url " + in.url +
                (in.bearer ? " --bearer-token-env-var MCP_REAUTH_BEARER" : "");
     },
     "startup_timeout_sec gives you half a minute for the first sign-in (10 s else)."},
    {"cursor", "Cursor", "~/.cursor/mcp.json", "mcpServers",
     [](const entry_input& in) {
         return under("mcpServers", in.name, in.with_headers({{"url", in.url}}, env_variable));
     },
     no_command, ""},
    {"gemini", "Gemini CLI", "~/.gemini/settings.json", "mcpServers",
     [](const entry_input& in) {
         return under("mcpServers", in.name, in.with_headers({{"httpUrl", in.url}}, variable));
     },
     [](const entry_input& in) {
         return "gemini mcp add --scope user --transport http " + in.name + " " + in.url +
                in.header_flag("--header");
     },
     "It gives up after some seconds while it connects: sign in first with `mcp-reauth login`."},
    {"inspector", "MCP Inspector", "mcp.json for its --config", "mcpServers",
     [](const entry_input& in) {
         return under("mcpServers", in.name,
                      in.with_headers({{"type", "streamable-http"}, {"url", in.url}}, "YOUR-BEARER"));
     },
     [](const entry_input& in) {
         return "npx @modelcontextprotocol/inspector --cli " + in.url +
                " --transport http --method tools/list" + in.header_flag("--header");
     },
     ""},
    {"mcporter", "mcporter", "config/mcporter.json, or ~/.mcporter/mcporter.json", "mcpServers",
     [](const entry_input& in) {
         return under("mcpServers", in.name, in.with_headers({{"baseUrl", in.url}}, variable));
     },
     [](const entry_input& in) {
         return "npx mcporter config add " + in.name + " --url " + in.url + " --allow-http" +
                (in.bearer ? " --header \"Authorization=Bearer $MCP_REAUTH_BEARER\"" : "");
     },
     ""},
    {"opencode", "opencode", "opencode.json of the project, or ~/.config/opencode/opencode.json", "mcp",
     [](const entry_input& in) {
         return under(
             "mcp", in.name,
             in.with_headers({{"type", "remote"}, {"url", in.url}, {"enabled", true}, {"oauth", false}},
                             "{env:MCP_REAUTH_BEARER}"));
     },
     no_command, "oauth: false keeps it from a sign-in of its own."},
    {"vscode", "VS Code", ".vscode/mcp.json", "servers",
     [](const entry_input& in) {
         return under("servers", in.name, in.with_headers({{"type", "http"}, {"url", in.url}}, env_variable));
     },
     [](const entry_input& in) {
         return "code --add-mcp '" + json_text(json{{"name", in.name}, {"type", "http"}, {"url", in.url}}) +
                "'";
     },
     ""},
    {"windsurf", "Windsurf", "~/.codeium/windsurf/mcp_config.json", "mcpServers",
     [](const entry_input& in) {
         return under("mcpServers", in.name, in.with_headers({{"serverUrl", in.url}}, env_variable));
     },
     no_command, ""},
    {"zed", "Zed", "settings.json of Zed", "context_servers",
     [](const entry_input& in) {
         return under("context_servers", in.name, in.with_headers({{"url", in.url}}, "YOUR-BEARER"));
     },
     no_command, ""},
}};

} // namespace

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

std::vector<std::string> known_clients() {
    std::vector<std::string> out;
    for (const auto& row : rows)
        out.emplace_back(row.client);
    return out;
}

bool only_starts_programs(std::string_view client) {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const client_row& row) { return row.client == client && !row.text; });
}

std::vector<std::string> start_words(bool npx) {
    static const auto self = [] {
        std::error_code unknown;
        const auto path = std::filesystem::read_symlink("/proc/self/exe", unknown);
        return unknown ? std::string("mcp-reauth") : path.string();
    }();
    if (npx || self.find("/_npx/") != self.npos)
        return {"npx", "-y", "mcp-reauth"};
    return {self};
}

std::vector<std::string> stdio_command(const config& c, const upstream_config& u, bool npx) {
    auto out = start_words(npx);
    out.emplace_back("stdio");
    if (c.file.empty())
        out.push_back(u.url);
    if (c.file.empty() && u.allow_http)
        out.emplace_back("--allow-http");
    if (!c.file.empty())
        out.insert(out.end(), {u.name, "--config", absolute_file(c.file)});
    return out;
}

std::optional<client_entry> make_client_entry(std::string_view client, const client_way& way) {
    if (client == "claude")
        client = "claude-code";
    for (const auto& row : rows) {
        if (row.client != client)
            continue;
        entry_input in{way};
        std::replace(in.name.begin(), in.name.end(), '@', '-'); // clients have names of their own rules
        if (in.program.empty() && !row.text)
            in.program = {"mcp-reauth"};
        const bool starts = !in.program.empty();
        return client_entry{std::string(row.client),
                            std::string(row.title),
                            std::string(row.file),
                            starts ? program_entry(row, in) : row.text(in),
                            starts ? std::string() : row.command(in),
                            starts ? std::string(started) : std::string(row.note)};
    }
    return std::nullopt;
}

} // namespace reauth
