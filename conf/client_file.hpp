// A client's own configuration file (Claude Desktop, Cursor, VS Code …), of which entries are rewritten in
// place: every byte that is not meant stays, comments and all.
#pragma once

#include "core/base/failure.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// One entry that starts mcp-remote.
struct remote_entry {
    std::string name;                   ///< as the client calls the server
    std::vector<std::string> arguments; ///< of mcp-remote itself: the URL first
};

struct rewritten_file {
    std::string text;
    std::vector<remote_entry> entries;
    std::string difference; ///< the lines that change, `-` and `+`, as `diff -u0` writes them, without a head
};

/// The file with each `npx mcp-remote …` (any way to start it) replaced by `PROGRAM stdio …`. JSON, with
/// comments and trailing commas, as editors write it. fault::invalid_configuration: it is no such file, and
/// where.
result<rewritten_file> rewrite_remote_entries(std::string_view text, const std::vector<std::string>& program);

} // namespace reauth
