// What lives want done, done in their order: work begins, answers go to who waits, and the rest is said at
// once. It decides nothing.
#pragma once

#include "proxy/recovery/pending_recoveries.hpp"
#include "proxy/recovery/session_desk.hpp"

namespace reauth {

/// Makes a snapshot visible to every worker before anything that is posted to it later.
using snapshot_publisher = std::function<void(credential_number number, snapshot_ptr snapshot)>;

/// Control thread only.
class life_effects {
public:
    life_effects(recovery_context& context, life_registry& lives, pending_replies& replies,
                 pending_recoveries& requests, approval_ledger& approvals, session_desk& sessions,
                 recovery_record& record, snapshot_publisher publish)
        : context_(context), lives_(lives), replies_(replies), requests_(requests), approvals_(approvals),
          sessions_(sessions), record_(record), publish_(std::move(publish)) {}

    void perform(life_entry& m, life_actions actions);
    void stop() noexcept { stopped_ = true; }

private:
    template<class Action>
    void perform_one(life_entry& m, const Action& a);
    /// Beside the work itself.
    template<class Action>
    void before(life_entry&, const Action&) {}
    void before(life_entry& m, const life::run& a);
    void before(life_entry& m, const life::discard_pending& a);
    /// What `record` is told of it: its name, and since when it runs.
    struct work_note {
        timeline_ptr record;
        std::string name;
        timeline_facts facts;
        bool counted = true; ///< the episode is not over before it
    };
    task<void> finish(life_key key, work_note note, task<life_event> work);
    timeline_ptr record_of(life_entry& m, const std::string& approval = {});
    timeline_ptr record_of(life_entry& m, approval_kind kind, const std::string& id);
    void close_if_over(life_entry& m);
    task<void> wake(life_key key, time_point at);

    void say(life_entry& m, const life::wake& a);
    void say(life_entry& m, const life::publish& a);
    void say(life_entry& m, const life::show& a);
    void say(life_entry& m, const life::answer& a);
    void say(life_entry& m, const life::tell_waiting& a);
    void say(life_entry& m, const life::pass_on_approve& a);
    void say(life_entry& m, const life::ask_session& a);
    void say(life_entry& m, const life::approval_refused& a);
    void say(life_entry& m, const life::judged& a);
    void say(life_entry& m, const life::audit& a);

    recovery_context& context_;
    life_registry& lives_;
    pending_replies& replies_;
    pending_recoveries& requests_;
    approval_ledger& approvals_;
    session_desk& sessions_;
    recovery_record& record_;
    snapshot_publisher publish_;
    bool stopped_ = false;
};

/// What workers attach: the credential with its header line and its times on the steady clock.
snapshot_ptr make_snapshot(credential held, bool renewable, std::chrono::milliseconds refresh_ahead,
                           time_point now);

} // namespace reauth
