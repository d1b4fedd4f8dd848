// `mcp-reauth demo`: a client that knows nothing of OAuth, in front of a server whose tokens live five
// seconds.
#pragma once

#include <cstdint>

namespace reauth {

struct demo_options {
    bool keep = false;       ///< stay up after the script, for a real client and a person
    bool enterprise = false; ///< two servers behind one organisation's identity provider
    bool json = false;       ///< no story; the summary as JSON
    std::uint16_t listen_port = 8970, approval_port = 8971; ///< others are chosen where these are taken
};

/// Runs the demo (about 20 s) and checks every claim it makes: 0 if all held, else 1.
int run_demo(demo_options options);

} // namespace reauth
