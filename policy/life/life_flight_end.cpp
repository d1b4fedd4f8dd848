// How silent work ends: shared by everybody who joined, or dropped because nobody may want it any more.
#include "policy/life/credential_life.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::chrono::seconds longest_transient_pause{30};

} // namespace

/// Unless something waits to be stored: as long as it does, nobody else may send what the vault still holds.
void credential_life::give_back(held_lock lock) {
    if (!lock)
        return;
    if (unsaved_ && (!unsaved_->lock || unsaved_->lock.id == lock.id)) {
        lock.looked = lock.looked || unsaved_->lock.looked;
        unsaved_->lock = lock;
    } else {
        later(life::unlock{lock.id});
    }
}

void credential_life::note_transient(const failure& why) {
    transient_.last = why;
    transient_.asked_to_wait = why.retry_after.has_value();
    if (++transient_.in_a_row > 1)
        transient_.retry_at =
            now_ + std::min(std::chrono::seconds(1u << std::min(transient_.in_a_row - 2, 5u)),
                            longest_transient_pause);
    if (why.retry_after)
        transient_.retry_at = std::max(transient_.retry_at, now_ + *why.retry_after);
}

/// why null: it worked. Who joined is considered again: with the new credential, or with why there is none.
void credential_life::end_flight(const failure* why) {
    const auto f = std::move(*flight_);
    std::optional<failure> trouble = why ? std::optional<failure>(*why) : std::nullopt;
    flight_.reset();
    give_back(f.lock);
    if (!trouble)
        transient_ = {};
    else if (trouble->transient)
        note_transient(*trouble);
    if (trouble && trouble->transient && transient_.asked_to_wait)
        trouble = transient_.told_at(now_);
    for (auto& r : requests_)
        if (r.on == waits::flight && r.work == f.id) {
            r.on = waits::nothing;
            if (trouble && r.wanted == f.scopes)
                r.silent_failure = trouble;
        }
    if (!f.approval.empty())
        confirmed_flight_ended(f.approval, trouble ? &*trouble : nullptr);
    if (!trouble)
        release_served();
}

/// Its refresh was sent: whatever comes back, the token that was sent is not sent again.
bool credential_life::spends_refresh_token(const silent_flight& f) const {
    const bool sent = f.phase == flight_phase::running || f.phase == flight_phase::waiting_to_store ||
                      f.phase == flight_phase::storing;
    return sent && f.at < f.steps.size() && f.steps[f.at] == recovery_step::refresh;
}

/// What the vault shall hold again after an undone store. What it never held is not shown to other processes
/// that way: they would renew it while we do.
std::optional<credential> credential_life::to_put_back() const {
    return held_ && held_->saved ? std::optional<credential>(held_->value) : std::nullopt;
}

/// It is not wanted any more. What it brings home later is undone, since its number is forgotten.
void credential_life::drop_flight(bool held_stays) {
    if (!flight_)
        return;
    const auto f = std::move(*flight_);
    const bool spent = spends_refresh_token(f);
    flight_.reset();
    give_back(f.lock);
    if (spent && held_ && held_stays) {
        held_->refresh_dead = true;
        emit(life::publish{held_->value, renewable()});
    }
    if (f.fresh) {
        give_up(*f.fresh, {}, f.client);
        if (f.phase == flight_phase::storing) {
            life::undo_store undo{*f.fresh, to_put_back()};
            if (spent && undo.previous)
                undo.previous->refresh_token = secret();
            void_stores_.emplace(f.id, std::move(undo));
        }
    }
    for (auto& r : requests_)
        if (r.on == waits::flight && r.work == f.id)
            r.on = waits::nothing;
}

} // namespace reauth
