// The fetcher that uses sockets.
#pragma once

#include "core/outbound_proxy.hpp"
#include "proxy/net/client_run.hpp"
#include "proxy/net/egress.hpp"
#include "proxy/recovery/fetcher.hpp"

#include <memory>

namespace reauth {

/// Lives on, and is used from, one executor. Fetches under way may outlive it.
class http_fetcher final : public fetcher {
public:
    /// `resolve` stands in for the system's resolver in tests.
    http_fetcher(executor ex, egress_rules rules, std::optional<outbound_proxy> outbound = {},
                 resolve_function resolve = {});
    task<result<http_response>> fetch(http_request request, fetch_options options) override;
    task<result<void>> may_reach(std::string url, fetch_options options) override;

    struct parts;

private:
    std::shared_ptr<parts> parts_;
};

} // namespace reauth
