// import mcp-remote --config FILE: a client's own file, whose entries of mcp-remote become ours.
#pragma once

#include "proxy/cli/command.hpp"

#include <string>

namespace reauth {

/// Rewrites it, whole or not at all, and keeps what was there beside it; `dry_run` prints the difference
/// alone. Gives the exit code.
int rewrite_client_file(const command_context& context, const std::string& file, bool dry_run);

} // namespace reauth
