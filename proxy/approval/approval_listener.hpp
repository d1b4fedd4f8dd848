// The approval listener: approval page, dashboard, API and OAuth callback on one port of their own.
#pragma once

#include "conf/config.hpp"
#include "core/crypto/random.hpp"
#include "proxy/approval/approvals.hpp"
#include "proxy/approval/evidence_actions.hpp"
#include "proxy/approval/identity_actions.hpp"
#include "proxy/net/http_service.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace reauth {

/// What the listener needs from the rest of the program. `book` and `actions` must outlive the listener;
/// everything is called on its executor.
struct approval_services {
    approvals& book;
    approval_actions& actions;
    std::function<std::vector<credential_summary>()> credentials;
    std::function<time_point()> clock;
    random_source random;                                            ///< raw random bytes
    std::function<std::vector<idp_session_summary>()> sessions = {}; ///< empty: there are none
    evidence_actions* evidence = nullptr; ///< the past; null: nothing is kept. Outlives the listener
    /// Whether a request is held for that approval; empty: not known.
    std::function<bool(const std::string&)> waits_for = {};
    /// The ports of processes whose approvals are shown here; empty: there are none.
    std::function<std::vector<std::uint16_t>()> neighbours = {};
    /// Our client metadata document, at client_metadata_path; empty, or its text is: it is served elsewhere.
    std::function<std::string()> client_metadata = {};
    /// People at the page, and what identity providers tell of them; null: there are none. Outlives the
    /// listener.
    identity_actions* people = nullptr;
    /// What is held for a principal is read, so that credentials() knows it a moment later.
    std::function<void(const std::string&)> look_up = {};
    /// … and listed; empty: credentials() has it all.
    std::function<std::vector<credential_summary>(const std::string&)> credentials_of = {};
    /// What the process says of itself, for a bug report: texts by their names; empty: nothing.
    std::function<std::map<std::string, std::string>()> diagnostics = {};
};

/// Serves docs/approval.md: `/a/{secret}`, `/`, `/open`, `/oauth/callback` and `/api/…`. Forgets approvals
/// an hour after their decision. All members are called on the executor's thread.
class approval_listener {
public:
    /// `config.listen` and `config.public_url` are used; `operator_token` guards dashboard and API (empty:
    /// nobody gets in); `tls` null: plain HTTP.
    approval_listener(executor ex, approval_config config, secret operator_token, approval_services services,
                      std::shared_ptr<asio::ssl::context> tls = {});
    ~approval_listener();
    approval_listener(const approval_listener&) = delete;

    /// Binds and serves; the bound port, or why not.
    result<std::uint16_t> listen();
    /// The process that has the address shows what this one knows: the port where it asks for it, on
    /// loopback.
    result<std::uint16_t> listen_behind();
    void stop();

    /// A link that lets one browser into the dashboard once, within five minutes.
    std::string one_time_link();

    struct impl;

private:
    std::shared_ptr<impl> impl_;
};

} // namespace reauth
