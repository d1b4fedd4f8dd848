// The vault can't store: the new credential is used from memory, the lock is kept so that no other process
// sends the spent refresh token, and storing is tried again with back-off.
#include "policy/life/credential_life.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::chrono::milliseconds first_store_pause{500}, longest_store_pause{30'000};

} // namespace

void credential_life::keep_unsaved(const failure& why, held_lock lock, bool pin) {
    unsaved_credential u;
    if (unsaved_) {
        u = *unsaved_;
        if (u.lock && lock && u.lock.id != lock.id)
            later(life::unlock{lock.id});
    }
    if (!u.lock)
        u.lock = lock;
    // a sign-out that the vault has not heard of keeps a lock, for the same reason
    for (auto& s : sign_outs_)
        if (!u.lock)
            u.lock = std::exchange(s.lock, {});
    u.storing = 0;
    u.pin = u.pin || pin;
    u.why = why;
    u.next = now_ + std::min<std::chrono::milliseconds>(first_store_pause * (1 << std::min(u.tries, 10u)),
                                                        longest_store_pause);
    ++u.tries;
    unsaved_ = u;
    report(life::audit::kind::storage, "store", &why);
}

/// It is stored, or replaced. Its lock goes back, unless the flight works under it.
void credential_life::forget_unsaved() {
    if (!unsaved_)
        return;
    const auto lock = unsaved_->lock;
    unsaved_.reset();
    if (!(flight_ && flight_->lock.id == lock.id))
        give_back(lock);
}

void credential_life::retry_unsaved() {
    if (!unsaved_ || unsaved_->storing || now_ < unsaved_->next || !held_)
        return;
    // a flight that is about to store replaces what would be stored here
    if (flight_ && flight_->phase == flight_phase::storing)
        return;
    if (held_->value.generation <= vault_generation_)
        renumber_held();
    unsaved_->storing = next_++;
    emit(life::store{unsaved_->storing, held_->value, vault_generation_, unsaved_->pin});
}

/// Others have stored meanwhile, for another place perhaps: what replaces theirs is numbered behind it, or
/// who reads the vault would take it for old. It is the same credential: what is known of it stays.
void credential_life::renumber_held() {
    const auto before = held_->value.generation;
    const auto now = held_->value.generation = next_generation();
    if (flight_ && flight_->replaces == before)
        flight_->replaces = now;
    if (doubted_generation_ == before)
        doubted_generation_ = now;
    for (auto& r : requests_) {
        if (r.what.sent_generation == before)
            r.what.sent_generation = now;
        if (r.what.first_generation == before)
            r.what.first_generation = now;
    }
    emit(life::publish{held_->value, renewable()});
}

void credential_life::unsaved_stored(const life::stored& e) {
    const auto lock = unsaved_->lock;
    unsaved_->storing = 0;
    const bool ours = e.found.value && e.found.value->access_token == held_->value.access_token;
    if (e.is == life::store_result::newer && !ours && !overtakes(e.found)) {
        vault_generation_ = std::max(vault_generation_, e.found.generation); // of ours, done after all
        unsaved_->next = now_;
        retry_unsaved();
        return;
    }
    if (ours)
        vault_generation_ = std::max(vault_generation_, e.found.generation);
    if (e.is == life::store_result::failed) {
        keep_unsaved(e.why, lock, unsaved_->pin);
    } else {
        const bool saved = e.is == life::store_result::saved || ours;
        forget_unsaved();
        if (saved) {
            vault_generation_ = std::max(vault_generation_, held_->value.generation);
            held_->saved = true;
            report(life::audit::kind::storage, "store", nullptr);
        } else if (!e.found.value) {
            auto unsaved = held_->value;
            const auto server = server_;
            vault_generation_ = std::max(vault_generation_, e.found.generation);
            signed_out_elsewhere();
            give_up(std::move(unsaved), server);
            return;
        } else {
            auto replaced = held_->value;
            held_->saved = true;
            if (adopt(e.found))
                give_up(std::move(replaced));
            release_served();
        }
    }
}

} // namespace reauth
