// The keys of those who sign callers' tokens: fetched when a worker meets one that it can't verify, kept, and
// fetched again; never more often than an issuer can bear, whoever makes tokens up.
#pragma once

#include "proxy/recovery/token_source.hpp"
#include "proxy/relay/issuer_keys.hpp"

#include <map>
#include <vector>

namespace reauth {

/// want() may be called from anywhere; the rest on the control thread.
class key_desk {
public:
    using clock = std::chrono::steady_clock;
    /// Keys that are older are fetched again when they are wanted.
    static constexpr auto lifetime = issuer_keys::last;
    /// … and not used any more, where that does not work.
    static constexpr std::chrono::hours longest{24};
    /// So many fetches at once, and one more each pause.
    static constexpr unsigned burst = 3;
    static constexpr std::chrono::seconds pause{20};
    /// An issuer that gave no answer is left alone for so long.
    static constexpr std::chrono::seconds trouble_pause{2};

    key_desk(asio::io_context& control, recovery_context& context) : control_(control), context_(context) {}

    void want(std::shared_ptr<keys_wanted> wanted);
    /// The same for who is on the control thread: newer keys than `seen` (null: any), the same, or none.
    task<keys_ptr> get(issuer_place where, keys_ptr seen);
    /// Who waits is answered, and nobody waits any more.
    void stop();
    /// For tests: what time it is.
    void use_clock(std::function<clock::time_point()> now) { now_ = std::move(now); }

private:
    struct waiter {
        keys_ptr seen;
        std::function<void(keys_ptr, std::optional<failure>)> tell;
    };
    struct issuer_state {
        keys_ptr keys;
        std::vector<waiter> waiting;
        std::optional<failure> trouble;
        clock::time_point not_before{}; ///< after trouble
        clock::time_point refilled{};
        unsigned left = burst;
        bool fetching = false;
    };
    void arrive(const issuer_place& where, waiter who);
    static bool may_fetch(issuer_state& s, clock::time_point now);
    task<void> fetch(issuer_place where);
    void answer(const waiter& who, const issuer_state& s) const;
    fetch_options options_for_issuer(const issuer_place& where) const;

    asio::io_context& control_;
    recovery_context& context_;
    std::map<issuer_place, issuer_state> issuers_;
    std::function<clock::time_point()> now_ = [] { return clock::now(); };
    bool stopped_ = false;
};

} // namespace reauth
