// The command line: `mcp-reauth VERB …`.
#pragma once

#include "conf/load.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace reauth {

/// What a command reads and writes: the process's own streams, or a test's.
struct cli_io {
    std::ostream& out;
    std::ostream& err;
    std::istream& in;
    config_inputs inputs;           ///< environment; flags are added by the verbs
    bool input_is_terminal = false; ///< standard input (descriptor 0) may be waited on for a person's line
};

/// Runs one command. 0: done, 1: failed, 2: usage or configuration.
int run_cli(const std::vector<std::string>& arguments, cli_io io);

/// main(): the process's arguments, streams and environment.
int cli_main(int argc, char** argv);

} // namespace reauth
