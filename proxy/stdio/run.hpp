// `mcp-reauth stdio`: the proxy without a listener, and the bridge in front of it.
#pragma once

#include "conf/config.hpp"
#include "proxy/bridge/bridge.hpp"

#include <string>

namespace reauth {

struct stdio_options {
    int input = 0, output = 1;    ///< descriptors
    bool found = true;            ///< by the command line: leaves a note
    bool page_only = false;       ///< serves no client: page_only.hpp
    bridge_options bridging = {}; ///< `eras` is the upstream's `era`
};

/// Serves the one upstream of `settings` on standard input and output, until the input ends, nobody reads the
/// output, or SIGINT or SIGTERM comes. 0: ended as asked; 1: could not start.
int run_stdio(config settings, stdio_options options = {});

} // namespace reauth
