// What is in force: taken, renumbered, dropped.
#include "policy/life/credential_state.hpp"

#include <algorithm>

namespace reauth {

bool credential_state::renewable() const {
    return refreshable() || (held_ && obtains_by_itself(desk_.whose().grant));
}

bool credential_state::refreshable() const {
    return held_ && !held_->value.refresh_token.empty() && !held_->refresh_dead &&
           desk_.now() >= held_->refresh_again && !spent_.contains(held_->value);
}

std::optional<recovery_step> credential_state::obtained_by() const {
    return held_ ? held_->obtained_by : std::nullopt;
}

std::uint64_t credential_state::next_generation() const noexcept {
    return std::max(vault_.generation(), generation()) + 1;
}

bool credential_state::newer_than_held(std::uint64_t generation) const noexcept {
    return !held_ || generation > held_->value.generation;
}

bool credential_state::overtakes(const life::stored_state& state) const {
    if (!state.value)
        return vault_.foreign_tombstone(state);
    return newer_than_held(state.generation) && !spent_.contains(*state.value);
}

std::optional<credential> credential_state::to_put_back() const {
    return held_ && held_->saved ? std::optional<credential>(held_->value) : std::nullopt;
}

void credential_state::take_into_force(credential c, bool saved, std::optional<recovery_step> how) {
    if (!c.account.empty() || !c.subject.empty())
        last_account_ = {c.subject, c.account};
    held_ = holding{std::move(c), saved, false, {}, how};
    note_.clear();
    publish();
}

void credential_state::drop() {
    if (!held_)
        return;
    // whoever still waits was refused with a lower number than the next credential will have
    vault_.seen(held_->value.generation);
    held_.reset();
    publish();
}

void credential_state::end_refresh() noexcept {
    if (held_)
        held_->refresh_dead = true;
}

void credential_state::pause_refresh(std::chrono::seconds pause) {
    if (held_)
        held_->refresh_again = desk_.now() + pause;
}

void credential_state::mark_saved() noexcept {
    if (held_)
        held_->saved = true;
}

std::uint64_t credential_state::renumber() {
    return held_->value.generation = next_generation();
}

void credential_state::publish() {
    life::publish now;
    if (held_)
        now.held = held_->value;
    now.renewable = held_ && renewable();
    desk_.emit(std::move(now));
}

void credential_state::begin_epoch() {
    ++epoch_;
    drop();
    vault_.pin({});
}

void credential_state::report(life::audit line) {
    if (held_ && !line.why)
        line.scopes = held_->value.granted;
    desk_.emit(std::move(line));
}

} // namespace reauth
