// The inside of demo_authorization_server, shared by its endpoints.
#pragma once

#include "proxy/demo/authorization_server.hpp"

#include <map>
#include <mutex>

namespace reauth {

/// What an endpoint answers an OAuth error with (RFC 6749 §5.2).
service_response demo_oauth_error(unsigned status, const std::string& error, const std::string& description);

struct demo_authorization_server::state : std::enable_shared_from_this<state> {
    state(executor e, demo_authorization_options o) : ex(e), options(std::move(o)), gate(e) {}

    executor ex;
    demo_authorization_options options;
    std::unique_ptr<http_service> service;
    std::string issuer, origin;
    demo_gate gate;

    mutable std::mutex mutex; ///< guards everything below
    demo_authorization_faults faults;
    demo_authorization_counters counters;
    demo_token_book book;
    /// Authorization requests whose consent page is open, by their one-time key.
    std::map<std::string, std::map<std::string, std::string>> consents;

    static task<void> serve(std::shared_ptr<state> self, service_exchange& x);
    static task<void> serve_token(std::shared_ptr<state> self, service_exchange& x);

    // the synchronous endpoints; each locks
    service_response metadata();
    service_response register_client(const service_request& request);
    service_response revoke(const service_request& request);
    service_response authorize(const service_request& request);
    service_response consent(const service_request& request);
    service_response token(const service_request& request);

    // called with the lock held
    service_response approve(const std::map<std::string, std::string>& query);
    service_response refuse(const std::map<std::string, std::string>& query, const std::string& error,
                            const std::string& description);
    service_response redirect(const std::map<std::string, std::string>& query,
                              std::vector<std::pair<std::string, std::string>> fields);
    const demo_client* authenticate(const service_request& request,
                                    const std::map<std::string, std::string>& form);
    service_response by_code(const demo_client& client, const std::map<std::string, std::string>& form);
    service_response by_refresh(const demo_client& client, const std::map<std::string, std::string>& form);
    service_response by_client(const demo_client& client, const std::map<std::string, std::string>& form);
    service_response by_assertion(const demo_client& client, const std::map<std::string, std::string>& form);
    /// The token answer for a family: scopes asked for, cut down to what may be granted.
    service_response grant(const std::string& family, const scope_set& scopes,
                           const std::string& refresh_token);
    scope_set grantable(const std::string& asked) const;
};

} // namespace reauth
