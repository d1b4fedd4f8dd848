// Requests that are held for their credential: on their way to a life, told what they wait for, and back.
#pragma once

#include "proxy/recovery/approval_ledger.hpp"
#include "proxy/recovery/key_desk.hpp"
#include "proxy/recovery/pending_replies.hpp"
#include "proxy/relay/pending_recovery.hpp"

#include <map>
#include <unordered_map>

namespace reauth {

/// ask(), abandon() and renew_ahead() may be called from anywhere; the rest on the control thread.
class pending_recoveries final : public recovery_service {
public:
    pending_recoveries(asio::io_context& control, recovery_context& context, life_registry& lives,
                       pending_replies& replies, approvals& book, recovery_record& record, key_desk& keys)
        : control_(control), context_(context), lives_(lives), replies_(replies), book_(book),
          record_(record), keys_(keys) {}

    void ask(std::shared_ptr<pending_recovery> held) override;
    void abandon(std::shared_ptr<pending_recovery> held) override;
    void renew_ahead(request_target where, std::uint64_t generation,
                     std::shared_ptr<const caller_token> token) override;
    void observed(request_target where, challenge_facts call) override;
    void want_keys(std::shared_ptr<keys_wanted> wanted) override { keys_.want(std::move(wanted)); }

    void answer(const life::answer& a);
    void tell_waiting(const life::tell_waiting& a);
    /// A request is held here for that approval.
    bool anybody_waits(const std::string& approval) const;
    /// Somebody has it before their eyes.
    void looked_at(const std::string& approval);
    /// Whoever comes from now on is answered at once.
    void stop() noexcept { stopped_ = true; }

private:
    std::optional<failure> why_not(const pending_recovery& held, const life_entry* m) const;
    void arrive(std::shared_ptr<pending_recovery> held);
    void load(std::shared_ptr<pending_recovery> held, const life_key& key);
    /// nullptr: it is not held any more.
    /// `end`: what its timeline says of that.
    std::shared_ptr<pending_recovery> let_go(life::request_id number, timeline_facts end);
    void note_call(const pending_recovery& held, open_timeline& record);
    timeline_ptr note_arrival(const pending_recovery& held, life_entry& m);

    asio::io_context& control_;
    recovery_context& context_;
    life_registry& lives_;
    pending_replies& replies_;
    approvals& book_;
    recovery_record& record_;
    key_desk& keys_;
    struct held_request {
        std::shared_ptr<pending_recovery> who;
        timeline_ptr record; ///< null: a call whose approval is not opened yet
        time_point since{};
    };
    std::map<life::request_id, held_request> held_;
    std::unordered_map<std::uint32_t, unsigned> held_of_; ///< how many, by the principal's number
    bool stopped_ = false;
};

} // namespace reauth
