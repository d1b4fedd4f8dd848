// Ends: sign-out here or elsewhere, a changed or removed upstream. Each begins a new epoch: what older work
// brings home is revoked, not used.
#include "policy/life/credential_life.hpp"

#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::chrono::seconds erase_pause{1}, longest_erase_pause{30};

} // namespace

/// Everything under way is void; nothing is held any more.
void credential_life::begin_epoch() {
    ++epoch_;
    drop_flight(false);
    forget_unsaved();
    if (discovery_)
        works_.erase(std::exchange(discovery_, 0));
    if (look_)
        works_.erase(std::exchange(look_, 0));
    drop_held();
    pinned_issuer_.clear();
    server_.reset();
    discovered_at_ = {};
    discovered_from_.clear();
    doubted_generation_ = 0;
    finals_ = {};
    transient_ = {};
}

void credential_life::end_questions(approval_status status, const std::string& outcome, const failure& why) {
    std::vector<std::string> open;
    for (const auto& [id, q] : questions_)
        open.push_back(id);
    for (const auto& id : open)
        end_question(id, status, outcome, why);
}

void credential_life::handle(const life::sign_out_asked& e) {
    if (target_.supplied) {
        const failure no =
            failure::permanent(fault::invalid_configuration,
                               "the token of " + target_.upstream + " comes from the configuration",
                               "there is nothing to sign out of: remove it there");
        emit(life::answer_sign_out{e.caller, no});
        return;
    }
    sign_out s;
    s.caller = e.caller;
    s.issuer = held_                               ? held_->value.issuer
               : pinned_issuer_.empty() && server_ ? server_->issuer()
                                                   : pinned_issuer_;
    const failure over = failure::permanent(fault::approval_denied, "somebody signed out meanwhile");
    // gone here first: whatever the vault or the provider says, the next request asks a person
    s.revoke = next_++;
    works_[s.revoke] = work_kind::revoke;
    emit(life::revoke{s.revoke, held_ ? held_->value : credential(), server_, {}, true});
    all_ends_ = true;
    end_questions(approval_status::signed_out, "Signed out.", over);
    take_locks(s);
    begin_epoch();
    all_ends_ = false;
    signed_out_at_ = ++vault_generation_;
    s.tombstone = signed_out_at_;
    bury(std::move(s));
    judge_anew();
}

/// Locks that are held for what ends now.
void credential_life::take_locks(sign_out& s) {
    if (unsaved_)
        s.lock = std::exchange(unsaved_->lock, {});
    if (flight_ && flight_->lock) {
        const auto lock = std::exchange(flight_->lock, {});
        if (s.lock && s.lock.id != lock.id)
            later(life::unlock{lock.id});
        s.lock = lock;
    }
}

/// The vault learns that nothing of before counts, now or as soon as it can be written.
void credential_life::bury(sign_out s) {
    s.erase = next_++;
    works_[s.erase] = work_kind::erase;
    emit(life::erase{s.erase, s.issuer, s.tombstone, s.caller != 0, s.only_until});
    sign_outs_.push_back(std::move(s));
}

/// Who waited is judged as if it had just come, and nothing of before is put back into the vault.
void credential_life::judge_anew() {
    for (auto& [work, undo] : void_stores_)
        undo.previous.reset();
    session_wanted_ = false;
    session_approval_.clear();
    for (auto& r : requests_) {
        r.silent_failure.reset();
        r.discovered = r.looked = false;
        if (r.on != waits::anything)
            r.on = waits::nothing;
    }
}

void credential_life::handle(const life::erased& e) {
    works_.erase(e.work);
    if (e.done)
        vault_generation_ = std::max(vault_generation_, *e.done);
    for (auto& s : sign_outs_)
        if (s.erase == e.work) {
            s.erase = 0;
            if (e.done && !s.only_until) // also what others had stored before it
                signed_out_at_ = std::max(signed_out_at_, *e.done);
            if (e.done && s.lock)
                later(life::unlock{std::exchange(s.lock, {}).id});
            if (!e.done) {
                const auto pause = std::min<std::chrono::seconds>(erase_pause * (1 << std::min(s.tries, 10u)),
                                                                  longest_erase_pause);
                ++s.tries;
                s.erase_again = now_ + pause;
                if (!s.trouble || s.trouble->code == fault::vault_unavailable) {
                    s.trouble = e.done.error();
                    s.trouble->message =
                        "signed out here, but the vault does not know it yet (it is tried again): " +
                        s.trouble->message;
                }
            }
        }
    answer_sign_outs();
}

/// Something newer than any sign-out is on its way to the vault.
bool credential_life::storing() const {
    return (flight_ && flight_->phase == flight_phase::storing) || (unsaved_ && unsaved_->storing) ||
           std::any_of(questions_.begin(), questions_.end(),
                       [](const auto& q) { return q.second.phase == question_phase::storing; });
}

/// Until the vault knows. A new login replaces what is there by itself; a tombstone that came behind it would
/// bury it, and what another process has made of it since.
void credential_life::retry_burials() {
    if (storing())
        return;
    for (auto s = sign_outs_.begin(); s != sign_outs_.end();) {
        const bool due = s->erase_again && *s->erase_again <= now_;
        // a login that could not be stored yet will replace what is there
        const bool overtaken = held_ && !s->only_until;
        if (!due || (overtaken && !held_->saved)) {
            ++s;
        } else if (overtaken) {
            if (s->lock)
                later(life::unlock{s->lock.id});
            s = sign_outs_.erase(s);
        } else {
            s->erase_again.reset();
            s->erase = next_++;
            works_[s->erase] = work_kind::erase;
            emit(life::erase{s->erase, s->issuer, s->tombstone, false, s->only_until});
            ++s;
        }
    }
}

void credential_life::handle(const life::revoked& e) {
    works_.erase(e.work);
    if (e.work == 0)
        return;
    for (auto& s : sign_outs_)
        if (s.revoke == e.work) {
            s.revoke = 0;
            if (!s.trouble)
                s.trouble = e.done.trouble;
            s.said = e.done;
        }
    answer_sign_outs();
}

void credential_life::answer_sign_outs() {
    for (auto s = sign_outs_.begin(); s != sign_outs_.end();) {
        if (s->erase || s->revoke) {
            ++s;
            continue;
        }
        if (s->caller) {
            report(life::audit::kind::sign_out, "logout", s->trouble ? &*s->trouble : nullptr);
            emit(life::answer_sign_out{s->caller, s->trouble ? result<revocation_report>(*s->trouble)
                                                             : result<revocation_report>(s->said)});
            s->caller = 0;
        }
        s = s->erase_again ? std::next(s) : sign_outs_.erase(s);
    }
}

/// Another process has signed out: nothing of before is used, here too.
void credential_life::signed_out_elsewhere() {
    const failure over = failure::permanent(fault::approval_denied, "somebody signed out meanwhile");
    all_ends_ = true;
    end_questions(approval_status::signed_out, "Signed out by another process.", over);
    // of the tombstone: what was held here unsaved had a higher number, which others may give to a login
    signed_out_at_ = std::max(signed_out_at_, vault_generation_);
    begin_epoch();
    all_ends_ = false;
    report(life::audit::kind::sign_out, "logout elsewhere", nullptr);
    judge_anew();
}

/// What waits was meant for another server, or for none any more.
void credential_life::move_away(const std::string& what) {
    const failure why = failure::passing(
        fault::reauth_failed, "upstream " + target_.upstream + " " + what + " while the request waited",
        "send it again");
    end_questions(approval_status::superseded, "The upstream " + what + ".", why);
    std::optional<sign_out> spent;
    if (held_ && (held_->refresh_dead || unsaved_ || (flight_ && spends_refresh_token(*flight_)))) {
        // what the vault holds for the old place is spent: nothing may find it there if that place comes back
        spent.emplace();
        spent->issuer = held_->value.issuer;
        spent->only_until = next_generation();
        spent->tombstone = spent->only_until + 1;
        take_locks(*spent);
        for (auto& [work, undo] : void_stores_)
            undo.previous.reset();
    }
    begin_epoch();
    if (spent)
        bury(std::move(*spent));
    session_wanted_ = false;
    session_approval_.clear();
    while (!requests_.empty())
        fail(requests_.front(), why);
}

void credential_life::handle(const life::reconfigured& e) {
    const bool moved = origin_of(e.now.url) != origin_of(target_.url) || e.now.resource != target_.resource ||
                       e.now.headers != target_.headers || e.now.grant != target_.grant ||
                       e.now.supplied != target_.supplied;
    if (moved)
        move_away("was changed");
    if (e.now.issuer != target_.issuer || e.now.server != target_.server) {
        server_.reset(); // it is looked for as the configuration has it now
        discovered_at_ = {};
    }
    target_ = e.now;
    if (held_ && !target_.supplied && !bound(held_->value))
        move_away("was changed");
}

void credential_life::handle(const life::removed&) {
    move_away("was removed");
}

} // namespace reauth
