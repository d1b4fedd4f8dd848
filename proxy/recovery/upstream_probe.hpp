// Asking an upstream without a credential, to hear its challenge: for `doctor`, and before a login that no
// request asked for.
#pragma once

#include "conf/config.hpp"
#include "core/http_message.hpp"
#include "proxy/recovery/fetcher.hpp"

namespace reauth {

/// A request that any MCP server answers or challenges: `initialize`, as MCP's authorization chapter has
/// clients begin.
http_request upstream_probe(const upstream_config& upstream);
/// How a server that the configuration names is reached by the command line: it may have a private address.
fetch_options options_for(const std::string& url, const tls_client_config& tls,
                          std::chrono::milliseconds timeout);

} // namespace reauth
