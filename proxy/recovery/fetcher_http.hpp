// The fetcher that uses sockets.
#pragma once

#include "proxy/recovery/egress.hpp"
#include "proxy/recovery/fetcher.hpp"
#include "proxy/recovery/fetcher_run.hpp"

#include <memory>

namespace reauth {

/// Lives on, and is used from, one executor. Fetches under way may outlive it.
class http_fetcher final : public fetcher {
public:
    /// `resolve` stands in for the system's resolver in tests.
    http_fetcher(executor ex, egress_rules rules, resolve_function resolve = {});
    task<result<http_response>> fetch(http_request request, fetch_options options) override;

    struct parts;

private:
    std::shared_ptr<parts> parts_;
};

} // namespace reauth
