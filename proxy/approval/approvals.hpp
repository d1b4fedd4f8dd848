// The book of approvals: what the page, the API and the log show of the questions that wait for a person.
// Their state belongs to the credential's life (policy/life/approval.hpp); what an answer causes is done by
// approval_actions.
#pragma once

#include "policy/flows/revocation_flow.hpp"
#include "policy/life/approval.hpp"
#include "policy/rules/grant.hpp"
#include "policy/rules/remembered_rule.hpp"
#include "proxy/net/task.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// Carried out by the credential manager.
class approval_actions {
public:
    virtual ~approval_actions() = default;
    /// Starts (or joins) the flow of a pending approval. fault::approval_required if `who` may not complete
    /// it. `by`: who it is, for the audit; empty: not known.
    virtual task<result<approve_answer>> approve(std::string id, approver who, bool from_page,
                                                 sign_in_method method = sign_in_method::as_configured,
                                                 std::string by = {}) = 0;
    virtual task<result<void>> deny(std::string id, std::string by = {}) = 0;
    /// The provider came back. `browser_binding` is the cookie's value, if one came.
    virtual task<callback_outcome> callback(callback_parameters parameters,
                                            std::optional<std::string> browser_binding) = 0;
    /// Whether the flow with this `state` is one of an upstream that is known here.
    virtual task<bool> knows_flow(std::string state);
    /// Operator's wish, without a request that waits: the id of the approval that was opened, or joined.
    virtual task<result<std::string>> login(std::string upstream, std::string principal,
                                            std::string by = {}) = 0;
    /// Forgets (and revokes, RFC 7009) what is held for the upstream; what was revoked, and what lives on.
    virtual task<result<revocation_report>> logout(std::string upstream, std::string principal,
                                                   std::string by = {}) = 0;
    /// Forgets (and revokes) the session at an identity provider and every credential that was minted from
    /// it.
    virtual task<result<revocation_report>> logout_idp(std::string identity_provider, std::string principal,
                                                       std::string by = {});
    /// … of everything that is held for the principal, at every upstream and identity provider.
    virtual task<result<revocation_report>> logout_all(std::string principal, std::string by = {});

    /// The identity ends: the same, and what waits for it is answered with fault::identity_ended, streams are
    /// cut, tokens of before are refused, on all processes. `by`: who wishes it, for the audit.
    virtual task<result<revocation_report>> end_identity(std::string principal, std::string by);

    /// "Always allow this": what the approval adds needs no confirmation from now on. Only for a step-up that
    /// completes without a login.
    virtual task<result<void>> remember(std::string id, std::string by = {});
    virtual std::vector<remembered_rule> rules() const { return {}; }
    virtual task<result<void>> revoke_rule(std::string id, std::string by = {});

    // One-time links to the dashboard, by the digest of their secret, known to every process on the vault.
    /// false: it can't be kept there, and works here alone.
    virtual task<bool> keep_page_link(std::string digest, time_point until);
    /// true: it was there; nobody else gets it.
    virtual task<bool> take_page_link(std::string digest);
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
    std::string upstream, principal, issuer;
    grant_kind grant = grant_kind::authorization_code;
    std::string url, client_url;      ///< the upstream's own, and the one for clients
    bool bearer = false;              ///< clients have to present one to us
    std::vector<std::string> program; ///< what a client starts that only starts programs
    scope_set scopes;
    std::optional<time_point> expires_at;
    std::string account; ///< as whom somebody is signed in there; empty: not known
    bool held = false, renewable = false;
    bool saved = true; ///< false: it is used from memory, since the vault can't store it
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

    /// Shows an approval as it is now: a new one, or the change of a known one. Every listener is told.
    void show(const approval& now);
    std::shared_ptr<approval> find(const std::string& id) const;
    /// Looks at every link, each in constant time, so that time tells nothing about how close a guess was.
    std::shared_ptr<approval> find_by_link(std::string_view link_secret) const;
    /// Those that still wait: pending or authorizing, oldest first.
    std::vector<std::shared_ptr<approval>> waiting() const;
    /// Absolute capability link.
    std::string link(const approval& a) const;
    /// Drops those that were decided an hour ago.
    void forget_old(time_point now);

    /// Somebody has it before their eyes: its page, or a browser that was opened for it. Clients are then
    /// held a little longer.
    void look(const std::string& id, time_point now);
    bool attended(const std::string& id, time_point now) const;
    /// Called when somebody begins to look at that approval.
    void on_look(std::function<void(const std::string&)> tell) { tell_look_ = std::move(tell); }

    /// Called at every change, until the returned number is given to unsubscribe.
    std::uint64_t subscribe(listener l);
    void unsubscribe(std::uint64_t id);

private:
    std::string public_url_;
    std::map<std::string, std::shared_ptr<approval>> by_id_;
    std::map<std::string, time_point> decided_since_; ///< when forget_old() first saw them decided
    std::map<std::string, time_point> looked_at_;
    std::function<void(const std::string&)> tell_look_;
    std::map<std::uint64_t, listener> listeners_;
    std::uint64_t next_listener_ = 1;
};

} // namespace reauth
