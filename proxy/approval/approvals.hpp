// Approvals: questions that wait for a person. State only, on the control thread; what an answer causes is
// the desk's business (approval_actions).
#pragma once

#include "core/authorization.hpp"
#include "core/credential.hpp"
#include "core/failure.hpp"
#include "proxy/net/task.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

enum class approval_kind { login, step_up, idp_login };
enum class approval_status { pending, authorizing, approved, denied, expired, failed };
std::string_view to_string(approval_kind k) noexcept;
std::string_view to_string(approval_status s) noexcept;

/// One question. All strings from outside are kept raw here and cleaned (core/display_text.hpp) where they
/// are shown.
struct approval {
    std::string id;     ///< 16 characters, shown and logged
    secret link_secret; ///< 128 bits, base64url: the capability in /a/{secret}; never logged
    approval_kind kind = approval_kind::login;
    approval_status status = approval_status::pending;
    std::string upstream, principal = "local";
    std::string reason; ///< to_string(challenge_reason)
    scope_set granted, requested, added;
    std::string tool, method, client_name;
    std::string upstream_host, issuer, login_host, token_host;
    bool completes_without_login = false; ///< approving ends in "done": needs the operator
    time_point created_at{}, expires_at{};
    std::string location;                 ///< authorization URL once authorizing
    std::string outcome;                  ///< one sentence once it is decided
    std::optional<time_point> settled_at; ///< when approvals::expire() first saw it decided
};

/// Approved, denied, expired or failed: nothing changes it any more.
bool decided(approval_status s) noexcept;

/// What a person's client may do with an approval: the capability link alone, or the operator token.
enum class approver { link_holder, operator_token };

/// The answer to approve: where the browser goes next, or done.
struct approve_answer {
    bool done = false;
    std::string location;
    /// Set for flows started on the page: cookie value that binds the flow to that browser.
    std::optional<secret> browser_binding;
};

/// The parameters of GET /oauth/callback.
using callback_parameters = authorization_callback;

/// What happened to a callback, for the page: one sentence, cleaned by the page.
struct callback_outcome {
    bool ok = false;
    std::string title, detail;
    std::string approval_id; ///< empty if the state is unknown
};

/// Carried out by the recovery desk.
class approval_actions {
public:
    virtual ~approval_actions() = default;
    /// Starts (or joins) the flow of a pending approval. fault::approval_required if `who` may not complete
    /// it.
    virtual task<result<approve_answer>> approve(std::string id, approver who, bool from_page) = 0;
    virtual result<void> deny(std::string id) = 0;
    /// The provider came back. `browser_binding` is the cookie's value, if one came.
    virtual task<callback_outcome> callback(callback_parameters parameters,
                                            std::optional<std::string> browser_binding) = 0;
    /// Operator's wish, without a request that waits: the id of the approval that was opened, or joined.
    virtual task<result<std::string>> login(std::string upstream, std::string principal) = 0;
    /// Forgets (and revokes, RFC 7009) what is held for the upstream.
    virtual task<result<void>> logout(std::string upstream, std::string principal) = 0;
    /// Forgets (and revokes) the session at an identity provider and every credential that was minted from
    /// it.
    virtual task<result<void>> logout_idp(std::string identity_provider, std::string principal);
};

/// A session at an identity provider for GET /api/credentials and `status`, never its tokens.
struct idp_session_summary {
    std::string identity_provider, principal, issuer, subject;
    std::optional<time_point> expires_at; ///< of the ID token
    bool renewable = false;               ///< an IdP refresh token is held
    bool supplied = false;                ///< the ID token comes from the configuration
};

/// For GET /api/credentials and `status`: what is held, never the tokens.
struct credential_summary {
    std::string upstream, principal, issuer, grant;
    scope_set scopes;
    std::optional<time_point> expires_at;
    bool held = false, renewable = false;
    std::optional<time_point> last_recovery_at;
    std::string last_recovery;       ///< "refresh", "login" …
    std::string last_outcome;        ///< "ok" or a fault's word
    std::string last_outcome_detail; ///< one sentence with the fix
};

/// All approvals of this process: the open ones, and for a while those that were decided.
class approvals {
public:
    using listener = std::function<void(const approval&)>;

    explicit approvals(std::string public_url) : public_url_(std::move(public_url)) {}

    /// Adds a question; `id` and `link_secret` must be set and fresh.
    std::shared_ptr<approval> open(approval question);
    std::shared_ptr<approval> find(const std::string& id) const;
    /// Looks at every link, each in constant time, so that time tells nothing about how close a guess was.
    std::shared_ptr<approval> find_by_link(std::string_view link_secret) const;
    /// Those that still wait: pending or authorizing, oldest first.
    std::vector<std::shared_ptr<approval>> waiting() const;
    /// Changes the state and tells every listener. The first decision stays: a decided approval is left as it
    /// is.
    void update(const std::shared_ptr<approval>& a, approval_status status, std::string outcome = {});
    /// Absolute capability link.
    std::string link(const approval& a) const;
    /// Marks approvals past their lifetime expired; drops decided ones after an hour.
    void expire(time_point now);

    /// Called at every change, until the returned number is given to unsubscribe.
    std::uint64_t subscribe(listener l);
    void unsubscribe(std::uint64_t id);

private:
    std::string public_url_;
    std::map<std::string, std::shared_ptr<approval>> by_id_;
    std::map<std::uint64_t, listener> listeners_;
    std::uint64_t next_listener_ = 1;
};

} // namespace reauth
