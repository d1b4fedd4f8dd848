// What comes into force and what goes: adopted, given up, signed out, moved away. Each end begins a new
// epoch.
#include "policy/life/credential_life.hpp"

#include "core/text/uri.hpp"

namespace reauth {

void credential_life::take_into_force(credential c, bool saved, std::optional<recovery_step> how) {
    judge_.forget_final();
    state_.take_into_force(std::move(c), saved, how);
}

bool credential_life::adopt(const life::stored_state& state) {
    auto& vault = state_.vault();
    if (vault.foreign_tombstone(state)) // also where nothing is held: what is told late is of before
        vault.signed_out(state.generation);
    vault.seen(state.generation);
    if (!state.pinned_issuer.empty())
        vault.pin(state.pinned_issuer);
    const auto& theirs = state.value;
    if (!theirs || !state_.newer_than_held(theirs->generation) ||
        theirs->generation <= vault.signed_out_at() || sign_outs_.unheard(theirs->generation))
        return false;
    if (state_.spent().contains(*theirs))
        return false; // put back by something that was undone
    if (state_.held() && state_.held()->access_token == theirs->access_token)
        return false; // ours, put back under a higher number: what we know of it stays
    if (!whose().covers(*theirs)) {
        life::audit line;
        line.how = life::happening::bound_elsewhere;
        line.why =
            failure::permanent(fault::reauth_failed,
                               "what is held was obtained for another origin, resource or set of headers (" +
                                   (theirs->origin.empty() ? theirs->resource : theirs->origin) +
                                   ") and is not used for " + whose().url,
                               "sign in again, or give the upstream its old URL");
        state_.report(std::move(line));
        return false;
    }
    std::optional<credential> unsaved;
    if (unsaved_) { // the vault has something newer than what we could not store
        unsaved = *state_.held();
        forget_unsaved();
    }
    take_into_force(*theirs, true, std::nullopt);
    if (unsaved)
        give_up(std::move(*unsaved), {}, {});
    servers_.recall();
    return true;
}

void credential_life::give_up(credential unwanted, life::server_ptr server,
                              std::optional<registered_client> client) {
    const auto* held = state_.held();
    if (held && held->access_token == unwanted.access_token)
        return;
    // something of the same issuer and client is in force, or may come into force at any moment
    const bool same_grant =
        held && held->issuer == unwanted.issuer &&
        (held->client_id == unwanted.client_id || held->client_id.empty() || unwanted.client_id.empty());
    const bool stays = !all_ends_ && (same_grant || approvals_.may_bring() || flight_.may_bring());
    if (!stays) {
        desk_.emit(
            life::revoke{0, std::move(unwanted), server ? server : servers_.known(), std::move(client)});
        return;
    }
    // a server that does not rotate gives the same refresh token again
    if ((held && held->refresh_token == unwanted.refresh_token) || state_.spent().contains(unwanted))
        unwanted.refresh_token = secret();
    desk_.emit(life::retire{std::move(unwanted), std::move(client)});
}

void credential_life::void_store(life::work_id work, credential unwanted, bool spent) {
    life::undo_store undo{std::move(unwanted), state_.to_put_back()};
    if (spent && undo.previous)
        undo.previous->refresh_token = secret();
    void_stores_.add(work, std::move(undo));
}

void credential_life::keep_unsaved(const failure& why, life::held_lock lock, bool pin) {
    // a sign-out that the vault has not heard of keeps a lock, for the same reason
    if (!lock && !unsaved_.lock())
        lock = sign_outs_.lend_lock();
    unsaved_.keep(why, lock, pin);
}

/// Its lock goes back, unless the flight works under it.
void credential_life::forget_unsaved() {
    const auto lock = unsaved_.forget();
    if (flight_.lock().id != lock.id)
        give_back(lock);
}

void credential_life::drop_flight(bool held_stays) {
    if (const auto work = flight_.abandon(held_stays))
        waiting_.flight_ended({work, {}, {}});
}

void credential_life::sign_out_asked(const life::sign_out_asked& e) {
    if (e.identity_ended) {
        waiting_.fail_all(identity_gone());
        calls_.end_all(identity_gone(), words_for_identity_gone);
    }
    if (whose().supplied && e.identity_ended) {
        desk_.emit(life::answer_sign_out{e.caller, revocation_report()});
        return;
    }
    if (whose().supplied) {
        const failure no =
            failure::permanent(fault::invalid_configuration,
                               "the token of " + whose().upstream + " comes from the configuration",
                               "there is nothing to sign out of: remove it there");
        desk_.emit(life::answer_sign_out{e.caller, no});
        return;
    }
    const auto& pinned = state_.vault().pinned_issuer();
    const auto issuer = state_.held()                        ? state_.held()->issuer
                        : pinned.empty() && servers_.known() ? servers_.known()->issuer()
                                                             : pinned;
    // gone here first: whatever the vault or the provider says, the next request asks a person
    sign_outs_.revoke(e.caller, issuer, servers_.known());
    all_ends_ = true;
    approvals_.end_all(
        e.identity_ended
            ? approval_end{approval_status::signed_out, words_for_identity_gone, identity_gone()}
            : approval_end{approval_status::signed_out, "Signed out.",
                           failure::permanent(fault::approval_denied, "somebody signed out meanwhile")});
    const auto lock = take_locks();
    begin_epoch();
    all_ends_ = false;
    sign_outs_.bury(lock);
    judge_anew();
}

/// Another process has signed out: nothing of before is used, here too.
void credential_life::signed_out_elsewhere() {
    all_ends_ = true;
    approvals_.end_all({approval_status::signed_out, "Signed out by another process.",
                        failure::permanent(fault::approval_denied, "somebody signed out meanwhile")});
    // of the tombstone: what was held here unsaved had a higher number, which others may give to a login
    state_.vault().signed_out(state_.vault().generation());
    begin_epoch();
    all_ends_ = false;
    life::audit line;
    line.how = life::happening::logout_elsewhere;
    state_.report(std::move(line));
    judge_anew();
}

/// Locks that are held for what ends now.
life::held_lock credential_life::take_locks() {
    const auto unsaved = unsaved_.take_lock();
    const auto flight = flight_.take_lock();
    if (!flight)
        return unsaved;
    if (unsaved && unsaved.id != flight.id)
        desk_.later(life::unlock{flight.id});
    return flight;
}

/// Everything under way is void; nothing is held any more.
void credential_life::begin_epoch() {
    drop_flight(false);
    forget_unsaved();
    servers_.forget();
    judge_.begin_epoch();
    state_.begin_epoch();
    flight_.forgive();
}

/// Who waited is judged as if it had just come, and nothing of before is put back into the vault.
void credential_life::judge_anew() {
    void_stores_.put_back_nothing();
    session_.forget();
    waiting_.judge_anew();
}

/// What waits was meant for another server, or for none any more.
void credential_life::move_away(const std::string& what) {
    const failure why = failure::passing(
        fault::reauth_failed, "upstream " + whose().upstream + " " + what + " while the request waited",
        "send it again");
    approvals_.end_all({approval_status::superseded, "The upstream " + what + ".", why});
    // what the vault holds for the old place is spent: nothing may find it there if that place comes back
    const bool spent = state_.held() && (state_.refresh_dead() || unsaved_ || flight_.spends_refresh_token());
    const auto issuer = spent ? state_.held()->issuer : std::string();
    const auto until = state_.next_generation();
    const auto lock = spent ? take_locks() : life::held_lock();
    if (spent)
        void_stores_.put_back_nothing();
    begin_epoch();
    if (spent)
        sign_outs_.bury_spent(issuer, until, lock);
    session_.forget();
    waiting_.fail_all(why);
}

void credential_life::reconfigured(const life::reconfigured& e) {
    const auto& before = whose();
    if (e.now.moved_from(before))
        move_away("was changed");
    if (e.now.issuer != before.issuer || e.now.server != before.server)
        servers_.reconfigured();
    desk_.rebind(e.now);
    if (state_.held() && !whose().supplied && !whose().covers(*state_.held()))
        move_away("was changed");
}

} // namespace reauth
