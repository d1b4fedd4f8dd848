// Which machine an event is for, and what machines tell each other.
#include "policy/life/credential_life.hpp"

#include "core/text/uri.hpp"

namespace reauth {

credential_life::credential_life(credential_binding whose, random_source random)
    : desk_(std::move(whose), std::move(random)), state_(desk_), servers_(desk_, state_),
      unsaved_(desk_, state_, *this), void_stores_(desk_, state_),
      flight_(desk_, state_, servers_, unsaved_, *this), approvals_(desk_, state_, servers_, *this),
      session_(desk_), sign_in_(desk_, state_, servers_, approvals_, session_, *this),
      confirmation_(desk_, state_, servers_, approvals_, flight_, unsaved_, session_), calls_(desk_),
      sign_outs_(desk_, state_), waiting_(desk_, state_),
      judge_(desk_, {state_, servers_, flight_, unsaved_, approvals_, session_, waiting_}) {}

/// A line an event: to whom it goes.
struct credential_life::dispatch {
    credential_life& l;

    void operator()(const life::refused& e) { l.waiting_.arrive(e.request, e.what); }
    void operator()(const life::call_arrived& e) { l.calls_.arrive(e.request, e.what); }
    void operator()(const life::withdrawn& e) {
        l.waiting_.withdraw(e.request);
        l.calls_.withdraw(e.request);
    }
    void operator()(const life::renewal_due& e) { l.renewal_due(e); }
    void operator()(const life::approve_asked& e) {
        l.calls_.knows(e.approval) ? l.calls_.approve(e) : l.sign_in_.approve(e);
    }
    void operator()(const life::deny_asked& e) {
        l.calls_.knows(e.approval) ? l.calls_.deny(e) : l.approvals_.deny(e);
    }
    void operator()(const life::login_asked& e) { l.waiting_.arrive(e); }
    void operator()(const life::sign_out_asked& e) { l.sign_out_asked(e); }
    void operator()(const life::callback_arrived& e) { l.sign_in_.on(e); }
    void operator()(const life::discovered& e) { l.discovered(e); }
    void operator()(const life::locked& e) {
        if (!l.flight_.on(e) && e.won)
            l.desk_.emit(life::unlock{e.work});
    }
    void operator()(const life::looked& e) {
        if (l.flight_.on(e) || !l.judge_.on(e))
            return;
        if (e.found) {
            l.vault_changed(*e.found);
        } else {
            life::audit line;
            line.how = life::happening::look;
            line.why = e.found.error();
            l.state_.report(std::move(line));
        }
        l.waiting_.look_ended(e.work);
    }
    void operator()(const life::flow_ended& e) {
        l.state_.spent().answered(e);
        if (l.sign_in_.on(e) || l.flight_.on(e))
            return;
        // nobody wants it any more: what it brings home is not used
        if (e.fresh && !l.whose().supplied)
            l.give_up(*e.fresh, e.server, e.client);
    }
    void operator()(const life::stored& e) {
        if (!l.flight_.on(e) && !l.unsaved_.on(e, l.servers_.known()) && !l.sign_in_.on(e))
            l.void_stores_.on(e);
    }
    void operator()(const life::sign_in_begun& e) { l.sign_in_.on(e); }
    void operator()(const life::binding_released& e) { l.sign_in_.on(e); }
    void operator()(const life::erased& e) { l.sign_outs_.on(e); }
    void operator()(const life::revoked& e) { l.sign_outs_.on(e); }
    void operator()(const life::call_taken& e) { l.calls_.taken(e); }
    /// What the vault holds is of before, whether its tombstone is there yet or not.
    void operator()(const life::identity_over&) {
        l.waiting_.fail_all(identity_gone());
        l.calls_.end_all(identity_gone(), words_for_identity_gone);
        if (!l.whose().supplied)
            l.signed_out_elsewhere();
    }
    void operator()(const life::loaded& e) {
        if (l.adopt(e.state) && !l.state_.held()->expired_at(l.desk_.now()))
            l.approvals_.answer_covered("Answered by another sign-in.");
        l.release_served();
    }
    void operator()(const life::vault_changed& e) { l.vault_changed(e.state); }
    void operator()(const life::remote_approval& e) {
        e.now.shown.kind == approval_kind::call ? l.calls_.on_remote_approval(e.now)
                                                : l.approvals_.on_remote_approval(e.now);
    }
    void operator()(const life::reconfigured& e) { l.reconfigured(e); }
    void operator()(const life::removed&) { l.move_away("was removed"); }
    void operator()(const life::supplied& e) { l.supplied(e); }
    void operator()(const life::found_dead& e) { l.found_dead(e); }
    void operator()(const life::session_changed& e) {
        l.session_.changed(e);
        if (l.session_.usable()) {
            l.waiting_.session_came();
            l.confirmation_.session_came();
        }
    }
    void operator()(const life::session_asked& e) {
        if (!e.approval) {
            l.session_refused(e.approval.error(), false);
        } else if (l.session_.opened(*e.approval)) {
            l.waiting_.session_waits(*e.approval);
            l.confirmation_.session_waits(*e.approval);
        }
    }
    void operator()(const life::session_refused& e) { l.session_refused(e.why, e.again); }
    void operator()(const life::remembered& e) { l.judge_.remember(e.rules); }
    void operator()(const life::time_passed&) { l.time_passed(); }
    void operator()(const life::stopping&) { l.stopping(); }
};

life_actions credential_life::on(const life_event& event, time_point now) {
    desk_.begin_step(now);
    approvals_.expire(); // whatever comes, it finds none whose time is over
    std::visit(dispatch{*this}, event);
    settle();
    return desk_.end_step();
}

/// Everybody who waits for nothing is considered, until all are answered or wait for something.
void credential_life::settle() {
    for (;;) {
        if (!unsaved_.under_way())
            flight_.may_store();
        confirmation_.start();
        auto* next = waiting_.next();
        if (!next)
            return;
        judge_.consider(*next);
    }
}

bool credential_life::quiet() const noexcept {
    return !flight_ && !servers_.under_way() && judge_.quiet() && sign_outs_.quiet() && !unsaved_ &&
           !approvals_.signing_in();
}

bool credential_life::idle(time_point now, bool knows_nothing) const {
    if (knows_nothing && (judge_.remembers(now) || approvals_.denials().denied_recently(now) ||
                          flight_.trouble().in_a_row > 0 || state_.refresh_dead()))
        return false;
    return quiet() && saved() && sign_outs_.heard() && waiting_.size() == 0 && approvals_.empty() &&
           calls_.empty() && !approvals_.denials().quiet_until(now);
}

void credential_life::vault_changed(const life::stored_state& state) {
    if (state_.held() && state_.vault().foreign_tombstone(state)) {
        state_.vault().seen(state.generation);
        signed_out_elsewhere();
    } else if (adopt(state)) {
        if (!state_.held()->expired_at(desk_.now()))
            approvals_.answer_covered("Answered by another process.");
        release_served();
    }
}

/// The configured token, as it is now.
void credential_life::supplied(const life::supplied& e) {
    if (!whose().supplied || !e.token)
        return; // the next refusal reads it again, and tells why
    if (state_.held() && state_.held()->access_token == e.token->access_token)
        return;
    auto fresh = *e.token;
    fresh.origin = origin_of(whose().url);
    fresh.headers = whose().headers;
    fresh.generation = state_.next_generation();
    take_into_force(std::move(fresh), true, std::nullopt);
    release_served();
}

void credential_life::found_dead(const life::found_dead& e) {
    if (!state_.held() || state_.generation() != e.generation || whose().supplied)
        return;
    const auto issuer = state_.held()->issuer;
    if (!unsaved_ && !flight_.spends_refresh_token()) {
        state_.drop();
        sign_outs_.erase_dead(issuer, e.generation);
        return;
    }
    // what the vault holds is spent: the lock is kept until the vault knows
    const auto until = state_.next_generation();
    const auto lock = take_locks();
    drop_flight(false);
    forget_unsaved();
    state_.drop();
    sign_outs_.bury_spent(issuer, until, lock);
}

/// In the background, ahead of expiry: a failure waits for the next sign of use, or for the expiry itself.
void credential_life::renewal_due(const life::renewal_due& e) {
    const auto& trouble = flight_.trouble();
    if (!state_.held() || state_.generation() != e.generation || flight_ || !renewable() ||
        (trouble.asked_to_wait && trouble.holds_at(desk_.now())))
        return;
    life::refusal what;
    what.challenge.kind = challenge_kind::token_expired;
    what.sent_generation = what.first_generation = e.generation;
    what.person = person_use::never;
    what.notice_only = true;
    waiting_.arrive(0, std::move(what));
}

void credential_life::discovered(const life::discovered& e) {
    const auto goes_on = servers_.ended(e);
    if (!goes_on)
        return;
    if (*goes_on) {
        waiting_.discovery_ended(e.work, nullptr);
        return;
    }
    const auto why = e.found.error();
    if (!servers_.known())
        confirmation_.server_missing(why);
    waiting_.discovery_ended(e.work, &why);
}

void credential_life::session_refused(const failure& why, bool again) {
    session_.forget();
    waiting_.session_refused(why, again);
    confirmation_.session_refused(why);
}

void credential_life::time_passed() {
    waiting_.pauses_ended();
    unsaved_.time_passed(flight_.storing());
    sign_outs_.time_passed(flight_.storing() || unsaved_.under_way() || approvals_.storing());
    calls_.time_passed();
}

void credential_life::stopping() {
    waiting_.fail_all(
        failure::passing(fault::shutting_down, "mcp-reauth is shutting down", "send the request again"));
    sign_in_.stopping();
    calls_.stopping();
}

void credential_life::approval_ended(const life::ended_approval& end) {
    if (!end.approved() && flight_.approval() == end.id)
        drop_flight(true);
    if (end.in_vault)
        waiting_.look_again_after(end.id);
    waiting_.approval_ended(end);
    if (!end.approved() && !end.why.message.empty())
        desk_.emit(life::approval_refused{end.id, end.why, end.again()});
}

void credential_life::flight_ended(const life::ended_flight& end) {
    waiting_.flight_ended(end);
    if (!end.approval.empty())
        confirmation_.flight_ended(end);
    if (!end.why)
        release_served();
}

void credential_life::renumbered(std::uint64_t before, std::uint64_t now) {
    flight_.renumbered(before, now);
    judge_.renumbered(before, now);
    waiting_.renumbered(before, now);
}

} // namespace reauth
