// Kept, tried again, met by what others have stored.
#include "policy/life/store_retry.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::chrono::milliseconds first_store_pause{500}, longest_store_pause{30'000};

} // namespace

void store_retry::keep(const failure& why, life::held_lock lock, bool pin) {
    unsaved u = unsaved_.value_or(unsaved());
    if (u.lock && lock && u.lock.id != lock.id)
        desk_.later(life::unlock{lock.id});
    if (!u.lock)
        u.lock = lock;
    u.storing = 0;
    u.pin = u.pin || pin;
    u.next = desk_.now() + std::min<std::chrono::milliseconds>(
                               first_store_pause * (1 << std::min(u.tries, 10u)), longest_store_pause);
    ++u.tries;
    unsaved_ = u;
    life::audit line;
    line.how = life::happening::store;
    line.why = why;
    state_.report(std::move(line));
}

life::held_lock store_retry::forget() noexcept {
    const auto lock = this->lock();
    unsaved_.reset();
    return lock;
}

void store_retry::give_back(life::held_lock lock) {
    if (!lock)
        return;
    // as long as it waits, nobody else may send what the vault still holds
    if (unsaved_ && (!unsaved_->lock || unsaved_->lock.id == lock.id)) {
        lock.looked = lock.looked || unsaved_->lock.looked;
        unsaved_->lock = lock;
    } else {
        desk_.later(life::unlock{lock.id});
    }
}

void store_retry::time_passed(bool rival) {
    if (!unsaved_ || unsaved_->storing || desk_.now() < unsaved_->next || !state_.held() || rival)
        return;
    if (state_.generation() <= state_.vault().generation()) {
        // others have stored meanwhile, for another place perhaps: what replaces theirs is numbered behind
        // it, or who reads the vault would take it for old
        const auto before = state_.generation();
        board_.renumbered(before, state_.renumber());
        state_.publish();
    }
    unsaved_->storing = desk_.number();
    desk_.emit(life::store{unsaved_->storing, *state_.held(), state_.vault().generation(), unsaved_->pin});
}

bool store_retry::on(const life::stored& e, life::server_ptr server) {
    if (!unsaved_ || unsaved_->storing != e.work)
        return false;
    unsaved_->storing = 0;
    const bool ours = e.found.value && e.found.value->access_token == state_.held()->access_token;
    if (e.is == life::store_result::newer && !ours && !state_.overtakes(e.found)) {
        state_.vault().seen(e.found.generation); // of ours, done after all
        unsaved_->next = desk_.now();
        time_passed(false);
        return true;
    }
    if (ours)
        state_.vault().seen(e.found.generation);
    if (e.is == life::store_result::failed) {
        board_.keep_unsaved(e.why, unsaved_->lock, unsaved_->pin);
        return true;
    }
    board_.forget_unsaved();
    if (e.is == life::store_result::saved || ours) {
        state_.vault().seen(state_.generation());
        state_.mark_saved();
        life::audit line;
        line.how = life::happening::store;
        state_.report(std::move(line));
    } else {
        met_newer(e.found, std::move(server));
    }
    return true;
}

/// Theirs counts.
void store_retry::met_newer(const life::stored_state& found, life::server_ptr server) {
    auto ours = *state_.held();
    if (!found.value) {
        state_.vault().seen(found.generation);
        board_.signed_out_elsewhere();
        board_.give_up(std::move(ours), std::move(server));
        return;
    }
    state_.mark_saved();
    if (board_.adopt(found))
        board_.give_up(std::move(ours));
    board_.release_served();
}

void void_stores::put_back_nothing() {
    for (auto& [work, undo] : running_)
        undo.previous.reset();
}

void void_stores::on(const life::stored& e) {
    auto undo = running_.extract(e.work);
    if (undo.empty() || e.is != life::store_result::saved)
        return;
    state_.vault().seen(undo.mapped().unwanted.generation);
    state_.vault().seen(state_.vault().generation() + 1);
    desk_.emit(std::move(undo.mapped()));
}

} // namespace reauth
