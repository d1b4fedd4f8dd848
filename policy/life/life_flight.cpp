// Silent work: lock, look, run, store; one flight at a time, joined by everybody who needs the same.
#include "policy/life/credential_life.hpp"

#include "core/text/uri.hpp"
#include "policy/flows/refresh_flow.hpp"

#include <algorithm>

namespace reauth {

void credential_life::make_flight(std::vector<recovery_step> steps, scope_set scopes, std::string rule,
                                  std::string approval) {
    silent_flight f;
    f.id = next_++;
    f.steps = std::move(steps);
    f.scopes = std::move(scopes);
    f.rule = std::move(rule);
    f.approval = std::move(approval);
    f.began_with = held_ ? held_->value.generation : 0;
    f.last = failure::permanent(fault::reauth_failed, "nothing could be tried");
    flight_ = std::move(f);
}

void credential_life::launch_flight() {
    if (target_.supplied) {
        next_step();
    } else if (unsaved_ && unsaved_->lock) {
        flight_->lock = unsaved_->lock;
        if (flight_->lock.looked) {
            // nobody else was let in since: what the vault holds is known to be old
            next_step();
        } else {
            look_under_lock();
        }
    } else {
        emit(life::lock{flight_->id});
    }
}

void credential_life::handle(const life::locked& e) {
    if (!flight_ || flight_->id != e.work || flight_->phase != flight_phase::locking) {
        if (e.won)
            emit(life::unlock{e.work});
        return;
    }
    if (!e.won) {
        const auto why = e.won.error();
        end_flight(&why);
        return;
    }
    flight_->lock.id = e.work;
    look_under_lock();
}

void credential_life::look_under_lock() {
    flight_->phase = flight_phase::looking;
    emit(life::look{flight_->id, server_ ? server_->issuer() : pinned_issuer_, true});
}

void credential_life::handle(const life::looked& e) {
    if (flight_ && flight_->id == e.work) {
        flight_looked(e);
        return;
    }
    if (!works_.erase(e.work) || look_ != e.work)
        return;
    look_ = 0;
    if (e.found) {
        handle(life::news{*e.found});
    } else {
        const auto why = e.found.error();
        report(life::audit::kind::storage, "look", &why);
    }
    for (auto& r : requests_)
        if (r.on == waits::look && r.work == e.work) {
            r.on = waits::nothing;
            r.looked = true;
        }
}

/// What another process stored meanwhile is used instead of asking again.
void credential_life::flight_looked(const life::looked& e) {
    auto& f = *flight_;
    if (f.phase != flight_phase::looking && f.phase != flight_phase::looking_again)
        return;
    if (!e.found) {
        const auto why = f.phase == flight_phase::looking ? e.found.error() : f.last;
        end_flight(&why);
        return;
    }
    f.lock.looked = true;
    f.interrupted = f.interrupted || e.found->interrupted;
    const bool gone = held_ && foreign_tombstone(*e.found);
    if (gone) {
        vault_generation_ = std::max(vault_generation_, e.found->generation);
        signed_out_elsewhere();
        return;
    }
    // the vault's news may have brought it while the lock was waited for
    const bool adopted = adopt(*e.found) || (held_ && held_->value.generation != f.began_with);
    if (adopted && !held_->value.expired_at(now_) &&
        held_->value.requested.united_with(held_->value.granted).covers(f.scopes)) {
        report(life::audit::kind::recovery, "another process", nullptr, f.rule, {}, f.asker);
        end_flight(nullptr);
        return;
    }
    if (e.found->not_before && now_ < *e.found->not_before) {
        auto why = failure::passing(fault::authorization_server_unavailable,
                                    "the authorization server has asked to be left alone for a while");
        why.retry_after = std::chrono::ceil<std::chrono::seconds>(*e.found->not_before - now_);
        end_flight(&why);
        return;
    }
    if (f.phase == flight_phase::looking_again && adopted && !held_->value.refresh_token.empty() &&
        held_->value.generation != f.replaces)
        f.at = 0; // another holder has won, with a token that can be refreshed
    next_step();
}

void credential_life::next_step() {
    auto& f = *flight_;
    while (f.at < f.steps.size() && f.steps[f.at] == recovery_step::refresh && !refreshable())
        ++f.at;
    if (f.at >= f.steps.size()) {
        const auto why = f.last;
        end_flight(&why);
        return;
    }
    f.phase = flight_phase::running;
    f.replaces = held_ ? held_->value.generation : 0;
    life::run work;
    work.work = f.id;
    work.step = f.steps[f.at];
    work.scopes = f.scopes;
    if (held_)
        work.held = held_->value;
    if (held_ && work.step == recovery_step::refresh)
        sent_[f.id] = held_->value.refresh_token;
    work.server = server_;
    work.challenged_dpop = challenged_dpop_;
    work.challenged_bearer = challenged_bearer_;
    work.approval = f.approval;
    emit(std::move(work));
}

void credential_life::handle(const life::flow_ended& e) {
    note_answer(e);
    if (auto* q = with_work(e.work); q && q->phase == question_phase::redeeming) {
        redeemed(*q, e);
        return;
    }
    for (auto& [id, q] : questions_)
        if (q.device_wait == e.work && e.work != 0) {
            device_ended(q, e);
            return;
        }
    if (!flight_ || flight_->id != e.work || flight_->phase != flight_phase::running) {
        // nobody wants it any more: what it brings home is not used
        if (e.fresh && !target_.supplied)
            give_up(*e.fresh, e.server, e.client);
        return;
    }
    if (!e.fresh) {
        step_failed(e);
        return;
    }
    auto& f = *flight_;
    auto fresh = *e.fresh;
    fresh.origin = origin_of(target_.url);
    fresh.headers = target_.headers;
    fresh.generation = next_generation();
    if (!target_.supplied)
        remember_server(fresh, e.server);
    if (target_.supplied) {
        const auto step = f.steps[f.at];
        take_into_force(std::move(fresh), true, step);
        report(life::audit::kind::recovery, std::string(to_string(step)), nullptr, f.rule, {}, f.asker);
        end_flight(nullptr);
        return;
    }
    f.fresh = std::move(fresh);
    f.client = e.client;
    // the first machine token pins its issuer too (trust was checked before it was asked for)
    f.pin = pinned_issuer_.empty();
    if (unsaved_ && unsaved_->storing)
        f.phase = flight_phase::waiting_to_store;
    else
        store_flight();
}

void credential_life::step_failed(const life::flow_ended& e) {
    auto& f = *flight_;
    const auto step = f.steps[f.at];
    f.last = e.fresh.error();
    if (f.interrupted && step == recovery_step::refresh && ends_grant(f.last)) {
        interrupted_note_ = "The refresh token was probably rotated just as an mcp-reauth process was ended, "
                            "and the new one was lost with it: sign in once.";
        f.last.message +=
            "; it was probably rotated just as an mcp-reauth process was ended, and the new one "
            "was lost with it";
        f.last.fix = "sign in once";
    }
    report(life::audit::kind::recovery, std::string(to_string(step)), &f.last, f.rule, {}, f.asker);
    prompt_login_ = prompt_login_ || (step == recovery_step::refresh && wants_login(f.last));
    if (f.last.transient) {
        const auto why = f.last;
        end_flight(&why);
        return;
    }
    ++f.at;
    // invalid_grant ends it (RFC 6749 section 5.2); a refresh token of a dead client is dead too: the login
    // registers anew
    const bool still_held =
        held_ && held_->value.generation == f.replaces; // what was sent is what it concerns
    if (step == recovery_step::refresh && still_held && (e.client_unknown || ends_grant(f.last)))
        held_->refresh_dead = true;
    else if (step == recovery_step::refresh && still_held)
        held_->refresh_again = now_ + refresh_pause;
    if (step == recovery_step::refresh && refuses_refresh(f.last)) {
        // another holder may have won, whatever the lock said
        f.phase = flight_phase::looking_again;
        emit(life::look{f.id, held_ ? held_->value.issuer : pinned_issuer_});
        return;
    }
    next_step();
}

/// Durable before anyone uses it, and before the lock is given back.
void credential_life::store_flight() {
    if ((held_ ? held_->value.generation : 0) != flight_->replaces) {
        // a person has signed in meanwhile: what was renewed is of no use
        give_up(*std::exchange(flight_->fresh, {}), {}, flight_->client);
        end_flight(nullptr);
        return;
    }
    flight_->phase = flight_phase::storing;
    flight_->fresh->generation = next_generation();
    emit(life::store{flight_->id, *flight_->fresh, vault_generation_, flight_->pin});
}

void credential_life::handle(const life::stored& e) {
    if (flight_ && flight_->id == e.work && flight_->phase == flight_phase::storing) {
        flight_stored(e);
    } else if (unsaved_ && unsaved_->storing == e.work) {
        unsaved_stored(e);
    } else if (auto* q = with_work(e.work); q && q->phase == question_phase::storing) {
        login_stored(*q, e);
    } else if (auto undo = void_stores_.find(e.work); undo != void_stores_.end()) {
        if (e.is == life::store_result::saved) {
            vault_generation_ = std::max(vault_generation_, undo->second.unwanted.generation) + 1;
            emit(undo->second);
        }
        void_stores_.erase(undo);
    }
}

void credential_life::flight_stored(const life::stored& e) {
    auto& f = *flight_;
    const auto step = f.steps[f.at];
    auto fresh = *f.fresh;
    const bool ours = e.found.value && held_ && e.found.value->access_token == held_->value.access_token;
    if (e.is == life::store_result::newer && (ours || !overtakes(e.found))) {
        vault_generation_ = std::max(vault_generation_, e.found.generation); // our own, done after all
        store_flight();
        return;
    }
    if (e.is == life::store_result::newer) {
        // somebody was faster: theirs is used, ours is given back
        f.fresh.reset();
        const auto client = f.client;
        if (foreign_tombstone(e.found)) {
            vault_generation_ = e.found.generation;
            signed_out_elsewhere();
            give_up(std::move(fresh), {}, client);
            return;
        }
        adopt(e.found);
        give_up(std::move(fresh), {}, client);
        end_flight(nullptr);
        return;
    }
    const bool saved = e.is == life::store_result::saved;
    if (f.pin)
        pinned_issuer_ = fresh.issuer;
    if (saved) {
        vault_generation_ = fresh.generation;
        forget_unsaved();
    } else {
        keep_unsaved(e.why, f.lock, f.pin);
    }
    take_into_force(std::move(fresh), saved, step);
    report(life::audit::kind::recovery, std::string(to_string(step)), nullptr, f.rule, {}, f.asker);
    end_flight(nullptr);
}

} // namespace reauth
