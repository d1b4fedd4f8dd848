// Asking an upstream without a credential, to hear its challenge: for `doctor`, and before a login that no
// request asked for.
#pragma once

#include "conf/config.hpp"
#include "core/http_message.hpp"

namespace reauth {

/// A request that any MCP server answers or challenges: `initialize`, as MCP's authorization chapter has
/// clients begin.
http_request upstream_probe(const upstream_config& upstream);

} // namespace reauth
