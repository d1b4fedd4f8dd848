// The demo's authorization server: small, honest, and able to misbehave on request.
// RFC 8414 metadata, RFC 7591 registration, RFC 6749 with PKCE, RFC 9207 iss, RFC 7009 revocation, RFC 7523
// JWT bearer.
#pragma once

#include "core/base/secret.hpp"
#include "proxy/demo/token_book.hpp"
#include "proxy/demo/tools.hpp"
#include "proxy/net/http_service.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace reauth {

/// The sign-in that a living refresh token of this client stands for, or nothing.
using demo_session_lookup = std::function<std::optional<demo_authority>(const std::string& refresh_token)>;
/// A grant of another kind. Called with the server's lock held: it must not call the server.
using demo_grant =
    std::function<service_response(const demo_client& client, const std::map<std::string, std::string>& form,
                                   const demo_session_lookup& session_of)>;

struct demo_authorization_options {
    std::string issuer_path; ///< "" or e.g. "/tenant"
    std::chrono::milliseconds access_lifetime{5000};
    /// What `expires_in` says, where that differs from the truth.
    std::optional<std::chrono::seconds> announced_lifetime;
    scope_set scopes_supported{"mcp:tools", "notes:write", "offline_access"};
    scope_set default_scopes{"mcp:tools"}; ///< granted where a request names none
    bool auto_approve = false;             ///< no consent page: /authorize approves at once
    bool rotate_refresh_tokens = true;
    std::string subject = "ada"; ///< who signs in
    std::function<time_point()> clock = [] { return wall_clock::now(); };
    /// For the JWT bearer grant: checks an assertion and says what it grants. None: the grant is not offered.
    std::function<result<demo_authority>(std::string_view assertion)> assertion_check;

    // what makes an OpenID provider of it; all are called with the server's lock held
    bool openid = false;                           ///< metadata also at the discovery path of OpenID Connect
    std::map<std::string, demo_grant> more_grants; ///< by grant_type
    std::map<std::string, std::function<nlohmann::json()>> documents; ///< JSON at further paths, e.g. "/jwks"
    std::function<void(nlohmann::json&)> complete_metadata;
    std::function<void(const demo_authority&, nlohmann::json& answer)>
        complete_token; ///< adds e.g. an id_token
};

/// Ways to misbehave. Numbers count down with each token request they hit; flags stay until changed.
struct demo_authorization_faults {
    unsigned delay_next = 0;
    std::chrono::milliseconds delay{0};
    unsigned unavailable_next = 0;    ///< 503 before anything is done
    unsigned invalid_grant_next = 0;  ///< invalid_grant, the token stays unspent
    unsigned invalid_client_next = 0; ///< 401 invalid_client
    unsigned drop_next = 0;           ///< connection cut before anything is done
    unsigned drop_answer_next =
        0; ///< everything is done (the refresh token rotates), then the connection is cut
    bool omit_scope = false, omit_expires_in = false, no_refresh_token = false, form_encoded = false;
    bool error_with_200 = false; ///< token errors come with status 200, as GitHub's do
    bool omit_iss = false;       ///< no `iss` in authorization responses
    std::string wrong_iss;       ///< this `iss` instead of ours
    std::string deny_authorize;  ///< /authorize redirects with this error
    std::optional<scope_set> grant_at_most;
    std::function<void(nlohmann::json&)> patch_metadata, patch_registration, patch_token;
};

/// What has happened so far.
struct demo_authorization_counters {
    std::uint64_t token_requests = 0; ///< all, also those that failed
    std::uint64_t codes_exchanged = 0, refreshes = 0, refresh_reuses = 0, client_credentials = 0,
                  jwt_bearers = 0;
    std::uint64_t authorizations = 0; ///< codes issued
    std::uint64_t registrations = 0, revocations = 0, metadata_reads = 0;
};

/// Every member function may be called from any thread; the server itself runs on `ex`, one thread.
class demo_authorization_server {
public:
    explicit demo_authorization_server(executor ex, demo_authorization_options options = {});
    ~demo_authorization_server();
    demo_authorization_server(const demo_authorization_server&) = delete;

    /// Binds 127.0.0.1 (port 0: any) and serves; the issuer, or why not.
    result<std::string> start(std::uint16_t port = 0);
    void stop();

    const std::string& issuer() const; ///< http://127.0.0.1:PORT[/path], valid after start()
    /// Introspection (RFC 7662) without the HTTP.
    demo_token_state inspect(std::string_view access_token) const;
    /// True if the token is alive and covers every scope of `needed`.
    bool validate(std::string_view access_token, const scope_set& needed = {}) const;
    /// A client made by hand; the id is returned. An empty id is replaced by a random one.
    std::string add_client(demo_client client);
    /// An access token out of thin air, for tests that need no flow.
    std::string issue_access_token(demo_authority authority);

    void set_faults(demo_authorization_faults faults);
    demo_authorization_counters counters() const;
    /// Every access token dies now; refresh tokens live on.
    void kill_access_tokens();
    /// Every sign-in is forgotten: refresh tokens answer invalid_grant.
    void kill_sessions();
    /// All clients are forgotten: stale registrations answer invalid_client.
    void forget_clients();
    /// Closed, token answers wait at this door before anything is done.
    demo_gate& token_gate();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace reauth
