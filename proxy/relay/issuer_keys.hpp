// The keys that an issuer signs with, as workers have them, and how they are asked for.
#pragma once

#include "core/base/failure.hpp"
#include "proxy/net/wakeup.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace reauth {

/// A key set (RFC 7517) as it was fetched; immutable.
struct issuer_keys {
    /// An issuer takes keys away that it does not trust any more: older sets are read again before they are
    /// used.
    static constexpr std::chrono::minutes last{10};

    std::string jwks;
    std::chrono::steady_clock::time_point fetched_at;
};
using keys_ptr = std::shared_ptr<const issuer_keys>;

/// Where an issuer's keys are: its own name, or a URL that the configuration gives.
struct issuer_place {
    std::string issuer, jwks_uri, ca_file;
    friend auto operator<=>(const issuer_place&, const issuer_place&) = default;
};

/// Somebody waits for keys that are newer than `seen`. The fields below are the waiter's thread's.
class keys_wanted : public std::enable_shared_from_this<keys_wanted> {
public:
    keys_wanted(event_loop& loop, wakeup& waker, issuer_place from, keys_ptr seen_so_far)
        : where(std::move(from)), seen(std::move(seen_so_far)), loop_(loop), waker_(&waker) {}

    const issuer_place where;
    const keys_ptr seen; ///< null: none

    bool over = false;
    /// What there is now: newer ones, the same, or none; why there are no newer ones.
    keys_ptr found;
    std::optional<failure> why;

    /// Nobody waits any more.
    void abandon() noexcept { waker_ = nullptr; }
    /// From any thread.
    void finish(keys_ptr keys, std::optional<failure> trouble) {
        loop_.post([self = shared_from_this(), k = std::move(keys), t = std::move(trouble)]() mutable {
            self->found = std::move(k);
            self->why = std::move(t);
            self->over = true;
            if (self->waker_)
                self->waker_->notify();
        });
    }

private:
    event_loop& loop_;
    wakeup* waker_;
};

} // namespace reauth
