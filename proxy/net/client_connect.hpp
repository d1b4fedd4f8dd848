// From a URL to a connected socket: resolve, check every address, try them in turn.
#pragma once

#include "core/http/outbound_proxy.hpp"
#include "core/text/uri.hpp"
#include "proxy/net/client_run.hpp"
#include "proxy/net/egress.hpp"
#include "proxy/net/http_options.hpp"

namespace reauth {

/// The addresses of a host name, in the order in which to try them.
using resolve_function = std::function<task<result<std::vector<asio::ip::address>>>(std::string host)>;

/// The system's resolver.
resolve_function system_resolver(executor ex);

/// How a host is reached.
struct way_out {
    std::shared_ptr<const egress_rules> rules;   ///< nullptr: anywhere
    std::shared_ptr<const outbound_proxy> proxy; ///< nullptr: straight
    resolve_function resolve;
};

/// What can be said before the host is resolved. fault::egress_refused.
result<void> check_url(const http_url& url, const way_out& way, const http_options& options);

/// Connects run->socket to one of the host's addresses that the egress rules allow, or through the proxy,
/// which then is who resolves the name. The very address that was checked is connected to; the name is not
/// resolved again. An address that does not answer leaves time for the next.
task<result<void>> connect_checked(std::shared_ptr<client_run> run, http_url url, way_out way,
                                   http_options options);

/// The addresses of the URL's host that may be connected to. fault::egress_refused if none may.
task<result<std::vector<asio::ip::address>>> checked_addresses(http_url url, way_out way,
                                                               http_options options);

} // namespace reauth
