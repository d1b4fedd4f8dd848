// The outbound HTTP client of everything but the data path: metadata and token requests, the command line's
// way to the running proxy, and streams. Under the egress rules that it is given.
#pragma once

#include "core/base/failure.hpp"
#include "core/http/http_message.hpp"
#include "core/http/outbound_proxy.hpp"
#include "proxy/net/client_connect.hpp"
#include "proxy/net/egress.hpp"
#include "proxy/net/http_options.hpp"
#include "proxy/net/http_stream.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace reauth {

/// Lives on, and is used from, one executor. Requests under way may outlive it. Failures: egress_refused,
/// upstream_unreachable (name, connection, TLS), upstream_timeout, upstream_malformed, internal (a request
/// that would break its own framing); discovery_failed for what is no URL.
class http_client {
public:
    /// Without `rules` it goes anywhere: for addresses that the operator has named himself. `resolve` stands
    /// in for the system's resolver in tests.
    http_client(executor ex, std::optional<egress_rules> rules, std::optional<outbound_proxy> outbound = {},
                resolve_function resolve = {});

    /// The whole answer of any status, its content coding undone.
    task<result<http_response>> fetch(http_request request, http_options options);
    /// The head, and the body as it comes. The time-out is for the head; redirects are followed as by
    /// fetch().
    task<result<std::unique_ptr<http_stream>>> open(http_request request, http_options options);
    /// Whether a request to that URL would be let out: fault::egress_refused. Anything else, a name that
    /// can't be resolved now among it, is told by the request itself.
    task<result<void>> may_reach(std::string url, http_options options);

    struct parts;

private:
    std::shared_ptr<parts> parts_;
};

/// One request on an event loop of its own: for programs that have nothing else to do meanwhile.
result<http_response> fetch_now(http_request request, http_options options,
                                std::optional<egress_rules> rules = {});

/// The same for an answer that is read as it comes: `on_head` sees status and fields, `on_bytes` each piece
/// of a 2xx answer's body; the first that says false ends it. Success: it ended, by either.
result<void> stream_now(http_request request, http_options options, std::optional<egress_rules> rules,
                        std::function<bool(const http_response&)> on_head,
                        std::function<bool(std::string_view)> on_bytes);

} // namespace reauth
