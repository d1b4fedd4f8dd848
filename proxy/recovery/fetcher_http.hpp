// The fetcher that uses sockets: the HTTP client, whose trouble is an authorization server's here.
#pragma once

#include "proxy/net/http_client.hpp"
#include "proxy/recovery/fetcher.hpp"

namespace reauth {

/// Lives on, and is used from, one executor. Fetches under way may outlive it.
class http_fetcher final : public fetcher {
public:
    /// `resolve` stands in for the system's resolver in tests.
    http_fetcher(executor ex, egress_rules rules, std::optional<outbound_proxy> outbound = {},
                 resolve_function resolve = {})
        : client_(ex, std::move(rules), std::move(outbound), std::move(resolve)) {}
    task<result<http_response>> fetch(http_request request, fetch_options options) override;
    task<result<void>> may_reach(std::string url, fetch_options options) override;

private:
    http_client client_;
};

} // namespace reauth
