// The demo's organisation: an OpenID provider with ES256 ID tokens and the token exchange for ID-JAGs
// (draft-ietf-oauth-identity-assertion-authz-grant-04), and the check an authorization server makes of them.
#pragma once

#include "core/base/secret.hpp"
#include "proxy/demo/authorization_server.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace reauth {

struct demo_idp_options {
    std::chrono::seconds id_token_lifetime{3600};
    std::chrono::seconds id_jag_lifetime{60};
    bool auto_approve = false;
    std::string subject = "ada";
    /// The client id that a client of ours has at this audience's authorization server; empty:
    /// invalid_target.
    std::function<std::string(const std::string& client, const std::string& audience)> client_at;
    std::optional<scope_set> allowed_scopes; ///< what the organisation allows; nothing: all that is asked for
    std::string acr;                         ///< how people sign in there, in every ID token; empty: not said
    std::function<time_point()> clock = [] { return wall_clock::now(); };
};

/// Every member function may be called from any thread.
class demo_identity_provider {
public:
    demo_identity_provider(executor ex, demo_idp_options options);
    ~demo_identity_provider();
    demo_identity_provider(const demo_identity_provider&) = delete;

    /// Binds 127.0.0.1 (port 0: any) and serves; the issuer, or why not.
    result<std::string> start(std::uint16_t port = 0);
    void stop();
    const std::string& issuer() const;
    /// Logins, refreshes, faults of the token endpoint, clients, ending sessions.
    demo_authorization_server& server();

    /// What a resource's authorization server does with an ID-JAG: signature, `typ`, iss, aud (its own
    /// issuer), expiry, one use of `jti`. Gives client_id, subject, resource and scopes.
    result<demo_authority> check_id_jag(std::string_view assertion, const std::string& audience);
    /// An ID token without a login, for the `id_token` setting.
    std::string issue_id_token(const std::string& client_id) const;

    /// Exchanges are refused with this error and description until it is set empty.
    void refuse_exchanges(std::string error, std::string description);
    std::uint64_t exchanges() const; ///< ID-JAGs issued

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace reauth
