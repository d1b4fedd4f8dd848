// From a URL to a connected socket: resolve, check every address, try them in turn.
#pragma once

#include "core/uri.hpp"
#include "proxy/recovery/egress.hpp"
#include "proxy/recovery/fetcher_run.hpp"

namespace reauth {

/// Connects run->socket to one of the host's addresses that the egress rules allow. The very address that was
/// checked is connected to; the name is not resolved again. An address that does not answer leaves time for
/// the next.
task<result<void>> connect_checked(std::shared_ptr<fetch_run> run, http_url url,
                                   std::shared_ptr<const egress_rules> rules,
                                   std::vector<std::string> trusted_hosts, resolve_function resolve);

} // namespace reauth
