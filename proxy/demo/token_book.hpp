// What an authorization server remembers: clients, codes, access tokens, and families of rotating refresh
// tokens.
#pragma once

#include "core/oauth/credential.hpp"
#include "core/oauth/scope.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// A registered client (RFC 7591 names).
struct demo_client {
    std::string id, secret, name;
    std::string auth_method = "none"; ///< token_endpoint_auth_method
    std::vector<std::string> redirect_uris;
    std::vector<std::string> grant_types{"authorization_code"};
    bool may(std::string_view grant) const;
    /// Exact match; a loopback redirect may use any port (RFC 8252 §7.3).
    bool allows_redirect(std::string_view uri) const;
};

/// On whose behalf, for which client, with what scope and for which resource.
struct demo_authority {
    std::string client_id, subject, resource;
    scope_set scopes;
    std::string nonce = {}; ///< OpenID Connect only
};

/// An authorization code and what it is bound to (RFC 7636, RFC 9700 §2.1).
struct demo_code {
    demo_authority authority;
    std::string redirect_uri, code_challenge;
    time_point expires_at{};
};

/// What a protected resource learns about a token it was shown.
struct demo_token_state {
    bool active = false;
    demo_authority authority;
    time_point expires_at{};
};

/// Pure bookkeeping: every call gets the time; nothing here is thread-safe.
class demo_token_book {
public:
    /// One sign-in: all its access tokens and its chain of refresh tokens die together.
    std::string open_family(demo_authority authority);
    demo_authority authority_of(const std::string& family) const;
    std::string issue_access(const std::string& family, scope_set scopes, time_point expires_at);
    /// The only valid refresh token of the family from now on.
    std::string issue_refresh(const std::string& family);
    std::string issue_code(demo_code code);
    /// One use only.
    std::optional<demo_code> take_code(const std::string& code);

    struct refresh_use {
        bool valid = false, reused = false;
        std::string family;
        demo_authority authority;
    };
    /// Looks a refresh token up for this client. One that was rotated away kills its family (RFC 9700
    /// §4.14.2). `rotate` spends it.
    refresh_use use_refresh(const std::string& token, const std::string& client_id, bool rotate);

    demo_token_state inspect(std::string_view access_token, time_point now) const;
    /// Revokes a token of either kind: a refresh token takes its family along (RFC 7009 §2.1). false:
    /// unknown.
    bool revoke(const std::string& token, const std::string& client_id);
    void kill_access_tokens();
    void kill_families();

    std::map<std::string, demo_client> clients;

private:
    struct sign_in {
        demo_authority authority;
        bool dead = false;
    };
    struct issued_access {
        std::string family;
        scope_set scopes;
        time_point expires_at{};
    };
    struct issued_refresh {
        std::string family;
        bool spent = false;
    };
    std::map<std::string, sign_in> families_;
    std::map<std::string, issued_access, std::less<>> access_;
    std::map<std::string, issued_refresh> refresh_;
    std::map<std::string, demo_code> codes_;
};

} // namespace reauth
