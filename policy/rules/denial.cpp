// The memories' sizes and back-off.
#include "policy/rules/denial.hpp"

#include <algorithm>

namespace reauth {

void final_memory::drop_expired(time_point now) {
    std::erase_if(entries_, [&](const auto& e) { return e.second.until <= now; });
}

void final_memory::remember(const final_key& key, final_answer what, time_point now) {
    drop_expired(now);
    if (entries_.size() >= capacity && !entries_.contains(key))
        entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
            return a.second.until < b.second.until;
        }));
    entries_[key] = {now + keeps, std::move(what)};
}

std::optional<final_answer> final_memory::find(const final_key& key, time_point now) const {
    const auto it = entries_.find(key);
    if (it == entries_.end() || it->second.until <= now)
        return std::nullopt;
    return it->second.what;
}

bool final_memory::holds_at(time_point now) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const auto& e) { return now < e.second.until; });
}

void final_memory::forget(const std::string& principal, const std::string& upstream) {
    std::erase_if(entries_, [&](const auto& e) {
        return e.first.principal == principal && e.first.upstream == upstream;
    });
}

void denial_backoff::denied(time_point now) {
    ++in_a_row_;
    last_ = now;
}

void denial_backoff::approved() noexcept {
    in_a_row_ = 0;
    last_.reset();
}

std::optional<time_point> denial_backoff::quiet_until(time_point now) const {
    if (in_a_row_ < 2)
        return std::nullopt;
    const auto doublings = std::min(in_a_row_ - 2, 10u);
    const auto until = *last_ + std::min(first_pause * (1u << doublings), longest_pause);
    if (until <= now)
        return std::nullopt;
    return until;
}

bool denial_backoff::denied_recently(time_point now) const {
    return last_ && now < *last_ + std::chrono::seconds(60);
}

bool attempt_counter::take() noexcept {
    if (used_ >= limit_)
        return false;
    ++used_;
    return true;
}

} // namespace reauth
