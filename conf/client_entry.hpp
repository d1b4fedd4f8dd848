// What to put into an MCP client's configuration, for each client that we know (docs/clients.md).
#pragma once

#include "conf/config.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// The URL that clients use for an upstream.
std::string client_url(const config& c, const upstream_config& u);

/// One client's entry. A bearer is never in it: a placeholder stands for it.
struct client_entry {
    std::string client, title; ///< "claude-code", "Claude Code"
    std::string file;          ///< where the text goes
    std::string text;          ///< JSON or TOML
    std::string command;       ///< does the same from a shell; empty: the client has no such command
    std::string note;          ///< what else helps; may be empty
};

/// The names that make_client_entry knows, in the order of the alphabet. "claude" means claude-code.
std::vector<std::string> known_clients();

/// What an entry leads to.
struct client_way {
    std::string name, url;
    bool bearer = false;              ///< the proxy wants one of its clients
    std::vector<std::string> program; ///< what the client starts in place of the URL: stdio_command()
};

/// A client that takes no URLs: it only starts programs.
bool only_starts_programs(std::string_view client);

/// How a client starts this program: its path; or `npx -y mcp-reauth`, where that is wanted, or where it runs
/// out of npx's cache, which is emptied now and then.
std::vector<std::string> start_words(bool npx);

/// `mcp-reauth stdio …` for an upstream, with whole paths: clients start programs in directories of their
/// own.
std::vector<std::string> stdio_command(const config& c, const upstream_config& u, bool npx);

/// Nothing: no client is called that. With a program in `way` the entry starts it, in every client.
std::optional<client_entry> make_client_entry(std::string_view client, const client_way& way);

} // namespace reauth
