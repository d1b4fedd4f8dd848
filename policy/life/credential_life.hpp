// The life of one (principal, upstream)'s credential, without sockets, clock or threads. Events in, actions
// out (in the manner of boostorg/redis' connection FSM): it calls nothing, and nobody keeps a reference into
// it. It is made of small machines that own what they change; this one brings each its events, and passes on
// what they tell each other. Work of an older epoch (before a sign-out or a changed upstream) or of an
// approval that has ended is undone when it comes home: a token is revoked, a lock given back.
#pragma once

#include "policy/life/call_gate.hpp"
#include "policy/life/confirmation.hpp"
#include "policy/life/recovery_judge.hpp"
#include "policy/life/sign_in.hpp"
#include "policy/life/sign_out.hpp"

namespace reauth {

class credential_life final : private switchboard {
public:
    credential_life(credential_binding whose, random_source random);

    /// One step. Never blocks, never throws for what comes from outside.
    life_actions on(const life_event& event, time_point now);

    // What the rest of the program may look at between steps.
    const credential_binding& whose() const noexcept { return desk_.whose(); }
    /// nullptr: nothing is held.
    const credential* held() const noexcept { return state_.held(); }
    bool renewable() const { return state_.renewable(); }
    /// false: the credential in force could not be stored yet.
    bool saved() const noexcept { return state_.saved(); }
    std::uint64_t epoch() const noexcept { return state_.epoch(); }
    std::size_t waiting() const noexcept { return waiting_.size(); }
    /// The silent work under way; 0: none.
    life::work_id flight() const noexcept { return flight_.id(); }
    /// Nothing is under way and nobody waits but for a person.
    bool quiet() const noexcept;
    /// Nobody would miss it: it could be made again from what the vault holds.
    /// `knows_nothing`: nor does it know what was refused, or denied, a short while ago.
    bool idle(time_point now, bool knows_nothing = false) const;

private:
    // events that concern more than one machine; the others go straight to theirs (credential_life.cpp)
    void vault_changed(const life::stored_state& state);
    void supplied(const life::supplied& e);
    void found_dead(const life::found_dead& e);
    void discovered(const life::discovered& e);
    void session_refused(const failure& why, bool again);
    void sign_out_asked(const life::sign_out_asked& e);
    void reconfigured(const life::reconfigured& e);
    void time_passed();
    void renewal_due(const life::renewal_due& e);
    void settle();
    void stopping();
    void drop_flight(bool held_stays);
    life::held_lock take_locks();
    void begin_epoch();
    void judge_anew();
    void move_away(const std::string& what);
    struct dispatch;

    // switchboard
    void take_into_force(credential c, bool saved, std::optional<recovery_step> how) override;
    bool adopt(const life::stored_state& state) override;
    void give_up(credential unwanted, life::server_ptr server,
                 std::optional<registered_client> client) override;
    void void_store(life::work_id work, credential unwanted, bool spent) override;
    void keep_unsaved(const failure& why, life::held_lock lock, bool pin) override;
    void forget_unsaved() override;
    void give_back(life::held_lock lock) override { unsaved_.give_back(lock); }
    void signed_out_elsewhere() override;
    void release_served() override { waiting_.release_served(); }
    void approval_ended(const life::ended_approval& end) override;
    void approval_replaced(const std::string& before, const std::string& now) override {
        waiting_.approval_replaced(before, now);
    }
    void approval_troubled(const std::string& id, const std::string& trouble) override {
        waiting_.approval_troubled(id, trouble);
    }
    void person_signed_in() override { flight_.forgive(); }
    std::size_t waiting_for_login() const override { return waiting_.served_by_login(); }
    void flight_ended(const life::ended_flight& end) override;
    void renumbered(std::uint64_t before, std::uint64_t now) override;

    life_desk desk_;
    credential_state state_;
    server_search servers_;
    store_retry unsaved_;
    void_stores void_stores_;
    renewal flight_;
    approval_set approvals_;
    session_link session_;
    sign_in sign_in_;
    confirmation confirmation_;
    call_gate calls_;
    sign_outs sign_outs_;
    waiting_requests waiting_;
    recovery_judge judge_;
    bool all_ends_ = false; ///< a sign-out is on its way through: nothing stays in force
};

} // namespace reauth
