// What persons and operators ask for: approve, deny, come back from a provider, sign in and out, remember a
// rule.
#pragma once

#include "proxy/recovery/approval_ledger.hpp"
#include "proxy/recovery/audit_desk.hpp"
#include "proxy/recovery/identity_desk.hpp"
#include "proxy/recovery/pending_replies.hpp"
#include "proxy/recovery/rule_book.hpp"

namespace reauth {

/// Control thread only.
class person_desk final : public approval_actions {
public:
    person_desk(recovery_context& context, life_registry& lives, pending_replies& replies,
                approval_ledger& approvals, rule_book& rules, identity_desk& identities, audit_desk& audit)
        : context_(context), lives_(lives), replies_(replies), approvals_(approvals), rules_(rules),
          identities_(identities), audit_(audit) {}

    task<result<approve_answer>> approve(std::string id, approver who, bool from_page,
                                         sign_in_method method = sign_in_method::as_configured,
                                         std::string by = {}) override;
    task<result<void>> deny(std::string id, std::string by = {}) override;
    task<callback_outcome> callback(callback_parameters parameters,
                                    std::optional<std::string> browser_binding) override;
    task<bool> knows_flow(std::string state) override;
    task<result<std::string>> login(std::string upstream, std::string principal, std::string by) override;
    task<result<revocation_report>> logout(std::string upstream, std::string principal,
                                           std::string by) override;
    task<result<revocation_report>> logout_idp(std::string identity_provider, std::string principal,
                                               std::string by) override;
    task<result<revocation_report>> logout_all(std::string principal, std::string by) override;
    task<result<revocation_report>> end_identity(std::string principal, std::string by) override;
    task<result<void>> remember(std::string approval_id, std::string by) override;
    std::vector<remembered_rule> rules() const override { return rules_.all(); }
    task<result<void>> revoke_rule(std::string id, std::string by) override;
    task<bool> keep_page_link(std::string digest, time_point until) override;
    task<bool> take_page_link(std::string digest) override;

private:
    task<result<void>> decides(std::string action, std::string id, std::string way, std::string by);
    task<result<void>> wishes(std::string action, std::string name, std::string principal, std::string by);
    failure not_open(const std::string& id) const;
    std::string canonical(const std::string& upstream) const;
    failure unknown_upstream(const std::string& upstream, const std::string& principal) const;
    task<callback_outcome> finish_callback(pending_authorization pending, callback_parameters parameters,
                                           std::optional<std::string> browser_binding);
    task<callback_outcome> with_access(callback_outcome said, std::string principal);
    task<parsed_challenge> challenge_of(configured_binding place);
    result<void> can_log_in(const life_entry& m);
    task<result<revocation_report>> sign_out(std::vector<life_key> keys);

    recovery_context& context_;
    life_registry& lives_;
    pending_replies& replies_;
    approval_ledger& approvals_;
    rule_book& rules_;
    identity_desk& identities_;
    audit_desk& audit_;
};

} // namespace reauth
