// The tick.
#include "proxy/net/deadline.hpp"

namespace reauth {

deadline::deadline(deadline_service& service, void (*f)(void*), void* argument)
    : service_(service), f_(f), argument_(argument) {
    service_.add(*this);
}

deadline::~deadline() {
    service_.remove(*this);
}

void deadline_service::add(deadline& d) {
    d.next_ = first_;
    if (first_)
        first_->previous_ = &d;
    first_ = &d;
    arm();
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

void deadline_service::stop() {
    stopped_ = true;
    timer_.cancel();
}

void deadline_service::arm() {
    if (armed_ || stopped_)
        return;
    armed_ = true;
    timer_.expires_after(tick_);
    timer_.async_wait([this](error_code ec) {
        armed_ = false;
        if (!ec)
            run();
    });
}

void deadline_service::run() {
    auto now = steady_clock::now();
    for (auto* d = first_; d; d = cursor_) {
        cursor_ = d->next_; // a callback may remove any deadline, also the next one
        if (d->at_ <= now) {
            d->clear();
            d->f_(d->argument_);
        }
    }
    cursor_ = nullptr;
    if (first_)
        arm();
}

} // namespace reauth
