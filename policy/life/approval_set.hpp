// The approvals of one life that wait for a person to sign in or to confirm: opened, joined, superseded,
// decided here or by another process, expired.
#pragma once

#include "policy/life/approval_request.hpp"
#include "policy/life/server_search.hpp"
#include "policy/life/switchboard.hpp"
#include "policy/rules/denial.hpp"

#include <map>

namespace reauth {

/// What a person is to be asked, and for whom.
struct approval_wish {
    recovery_plan plan;
    bool confirm_first = false; ///< a person agrees, and plan.silent follows
    std::string rule;
    life::refusal what;
    bool by_operator = false; ///< no request and no other life wants it
    bool for_life = false;
    std::string shown_upstream{}; ///< empty: ours
};

/// How an approval ends.
struct approval_end {
    approval_status status = approval_status::failed;
    std::string outcome;   ///< one sentence, shown
    failure why{};         ///< for who waited; empty where it was approved
    bool share = true;     ///< false: the vault knows already
    bool in_vault = false; ///< what came of it is in the vault
};

class approval_set {
public:
    /// At most so many wait at once; a wider one takes the place of narrower ones.
    static constexpr std::size_t at_once = 5;

    approval_set(life_desk& desk, credential_state& state, const server_search& servers, switchboard& board)
        : desk_(desk), state_(state), servers_(servers), board_(board) {}

    /// Opens one, or joins the one that asks for the same; its id. fault::overloaded: too many are open.
    result<std::string> open(const approval_wish& wish);
    /// One that is not known here, though a person came back for it.
    approval_request& add(approval_request q);
    approval_request* find(const std::string& id);
    bool empty() const noexcept { return open_.empty(); }
    approval_request* with_work(life::work_id work);
    approval_request* with_device_wait(life::work_id work);
    std::vector<approval_request*> in_phase(approval_phase phase);
    /// Something is being redeemed or stored for one.
    bool signing_in() const noexcept;
    bool storing() const noexcept;
    /// A person may come back with something at any moment.
    bool may_bring() const noexcept;
    /// How one that is open no more has ended, as one sentence; nothing: it is not remembered.
    std::optional<std::string> outcome_of(const std::string& id) const;
    failure not_open(const std::string& id) const;
    /// What it asks for at this moment: a step-up keeps what was granted since it was opened, and what others
    /// are about to be granted (SEP-2350).
    scope_set asked_now(const approval_request& q) const;

    /// For this process and all others.
    void show(const approval_request& q);
    void answer_askers(approval_request& q, const result<approve_answer>& answer);
    /// Whatever its phase: only its own work is void. Who waited is answered, or judged again.
    void end(const std::string& id, approval_end how);
    void end_all(const approval_end& how);
    void expire();
    void deny(const life::deny_asked& e);
    /// Those that nobody has acted on, and that ask for nothing that was not granted since they were opened.
    void answer_covered(const std::string& outcome);
    void on_remote_approval(const approval_record& told);
    /// Of a device login nobody comes back: the token endpoint is asked.
    void watch_device(approval_request& q);

    const denial_backoff& denials() const noexcept { return denials_; }
    denial_backoff& denials() noexcept { return denials_; }
    /// When a login with these scopes was last denied, by the desk's numbers; 0: it was not.
    std::uint64_t denied_at(const scope_set& scopes) const;

private:
    struct ended {
        approval_status status;
        std::string outcome;
    };
    approval_record record_of(const approval_wish& wish) const;
    scope_set requested_by(const recovery_plan& plan) const;
    std::string joinable(const approval_record& wanted) const;
    std::vector<std::string> narrower_than(const approval_record& wanted) const;
    void note_denial(const approval_request& q);
    void opened_elsewhere(const approval_record& told);
    void ended_elsewhere(const approval_record& told);
    void remember_end(const approval& a);

    life_desk& desk_;
    credential_state& state_;
    const server_search& servers_;
    switchboard& board_;
    std::map<std::string, approval_request> open_; ///< by id
    std::map<std::string, ended> ended_;
    std::vector<std::string> ended_order_;
    denial_backoff denials_;
    std::map<std::string, std::uint64_t> denied_; ///< by scopes
};

} // namespace reauth
