// Asking an upstream without a credential, to hear its challenge: for `doctor`, and before a login that no
// request asked for.
#pragma once

#include "conf/config.hpp"
#include "core/http/http_message.hpp"
#include "proxy/recovery/fetcher.hpp"

namespace reauth {

/// A request that any MCP server answers or challenges: `initialize`, as MCP's authorization chapter has
/// clients begin.
http_request upstream_probe(const upstream_config& upstream);
/// How an upstream, and what its metadata names, is reached: its own host may have a private address.
fetch_options options_for(const upstream_config& upstream, std::chrono::milliseconds timeout);
/// The search for its authorization server. `resource_metadata` is the challenge's; may be empty.
discovery_request discovery_of(const upstream_config& upstream, std::string resource_metadata);

} // namespace reauth
