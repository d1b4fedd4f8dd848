// What recovery asks of the network: metadata, registration, token and JWKS requests, under the egress rules.
#pragma once

#include "core/base/failure.hpp"
#include "core/http/http_message.hpp"
#include "proxy/net/http_options.hpp"
#include "proxy/net/task.hpp"

#include <string>

namespace reauth {

/// How one fetch is made.
using fetch_options = http_options;

/// Makes requests on the control executor. Interface so that recovery can be tested without sockets.
class fetcher {
public:
    virtual ~fetcher() = default;
    /// The whole answer of any status, or: fault::egress_refused, or authorization_server_unavailable
    /// (transient) for connect, TLS, time-out and framing trouble. Redirects (GET only, at most 3, https
    /// stays https) are followed, each target checked again; a redirected POST is refused.
    virtual task<result<http_response>> fetch(http_request request, fetch_options options) = 0;
    /// Whether a request to that URL would be let out: fault::egress_refused. Anything else, a name that
    /// can't be resolved now among it, is told by the request itself.
    virtual task<result<void>> may_reach(std::string url, fetch_options options) = 0;
};

} // namespace reauth
