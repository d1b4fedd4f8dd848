// One look at all of them, when the earliest may be due.
#include "proxy/net/deadline.hpp"

#include <algorithm>

namespace reauth {

void deadline_service::add(deadline& d) noexcept {
    d.next_ = first_;
    if (first_)
        first_->previous_ = &d;
    first_ = &d;
}

void deadline_service::remove(deadline& d) noexcept {
    if (cursor_ == &d)
        cursor_ = d.next_;
    if (d.previous_)
        d.previous_->next_ = d.next_;
    else
        first_ = d.next_;
    if (d.next_)
        d.next_->previous_ = d.previous_;
}

int deadline_service::wait() const noexcept {
    if (next_ == steady_clock::time_point::max())
        return -1;
    const auto at = std::max(next_, looked_ + tick);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at - now_).count();
    constexpr std::chrono::milliseconds::rep longest = 3'600'000;
    return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left, 0, longest));
}

void deadline_service::turn(steady_clock::time_point now) {
    now_ = now;
    if (now < next_ || now < looked_ + tick)
        return;
    looked_ = now;
    next_ = steady_clock::time_point::max();
    for (auto* d = first_; d; d = cursor_) {
        cursor_ = d->next_; // a callback may remove any deadline, also the next one
        if (d->at_ <= now) {
            d->clear();
            d->f_(d->argument_);
        } else {
            expect(d->at_);
        }
    }
    cursor_ = nullptr;
}

} // namespace reauth
