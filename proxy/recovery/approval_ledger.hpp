// Which approvals are open, and whose they are: shown in the book, shared with the other processes on the
// vault, announced to a person once.
#pragma once

#include "proxy/approval/approvals.hpp"
#include "proxy/recovery/life_registry.hpp"

#include <deque>
#include <map>

namespace reauth {

/// Control thread only.
class approval_ledger {
public:
    approval_ledger(recovery_context& context, life_registry& lives, approvals& book, recovery_record& record)
        : context_(context), lives_(lives), book_(book), record_(record) {}

    /// Called once for each approval that a person has to hear of, by one process of all on the vault.
    void on_announce(std::function<void(const approval&, const config&)> tell) { tell_ = std::move(tell); }
    /// As it is now: opened, changed or ended.
    void show(const life_key& whose, const life::show& now);
    /// Whose it is; nullptr: it is not open.
    const life_key* owner(const std::string& approval) const;
    /// What the vault holds under that key; empty: all of them.
    task<void> read_changed(std::string key);
    /// At the start: those of an earlier run, or of other processes.
    void take_up();
    /// A flow that will not be finished: what a callback for it is told.
    void flow_ended(const secret& state, const std::string& approval);
    callback_outcome lost_callback(const std::string& state) const;
    approvals& book() noexcept { return book_; }

private:
    task<void> share(approval_record mine, bool fresh);
    void pass_on(approval_record told);
    void announce(const approval& a);

    recovery_context& context_;
    life_registry& lives_;
    approvals& book_;
    recovery_record& record_;
    std::map<std::string, life_key> open_;                        ///< by id
    std::deque<std::pair<std::string, std::string>> ended_flows_; ///< digest of the state, approval
    std::function<void(const approval&, const config&)> tell_;
};

} // namespace reauth
