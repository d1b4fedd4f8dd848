// Memories that stop loops: final answers, a person's denials, attempts of one request.
#pragma once

#include "core/base/failure.hpp"
#include "core/oauth/credential.hpp"
#include "policy/rules/rules.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace reauth {

/// What a final answer is remembered for.
struct final_key {
    std::string principal;
    std::string upstream;
    std::string operation; ///< method and tool
    std::string scopes;    ///< of the challenge, as they came

    friend auto operator<=>(const final_key&, const final_key&) = default;
};

/// A final answer, as it was given.
struct final_answer {
    failure why;
    challenge_reason reason = challenge_reason::unauthorized;
};

/// Remembers for one minute that asking for scopes did not or would not help.
class final_memory {
public:
    static constexpr std::chrono::seconds keeps{60};
    static constexpr std::size_t capacity = 1024; ///< an upstream may invent scopes; the oldest are forgotten

    void remember(const final_key& key, final_answer what, time_point now);
    /// What was answered, while it is final.
    std::optional<final_answer> find(const final_key& key, time_point now) const;
    /// Forgets all of one upstream: a new login may change everything.
    void forget(const std::string& principal, const std::string& upstream);
    std::size_t size() const noexcept { return entries_.size(); }
    /// Something is final now.
    bool holds_at(time_point now) const;

private:
    struct entry {
        time_point until;
        final_answer what;
    };
    void drop_expired(time_point now);
    std::map<final_key, entry> entries_;
};

/// Denials of one credential's approvals. After the first the next request may ask again at once; from the
/// second in a row the pause doubles: 30 s, 1 min, 2 min … 1 h.
class denial_backoff {
public:
    static constexpr std::chrono::seconds first_pause{30};
    static constexpr std::chrono::seconds longest_pause{3600};

    void denied(time_point now);
    /// A person approved: all is forgiven.
    void approved() noexcept;
    /// Nothing: a person may be asked. Else when that is so again.
    std::optional<time_point> quiet_until(time_point now) const;
    /// Denied within the last minute: a GET stream starts no approval then.
    bool denied_recently(time_point now) const;
    unsigned in_a_row() const noexcept { return in_a_row_; }

private:
    unsigned in_a_row_ = 0;
    std::optional<time_point> last_;
};

/// Recoveries of one request (`limits.attempts`).
class attempt_counter {
public:
    explicit attempt_counter(unsigned limit = 3) : limit_(limit) {}
    /// Takes one attempt; false: none is left.
    bool take() noexcept;
    unsigned left() const noexcept { return limit_ - used_; }
    unsigned used() const noexcept { return used_; }

private:
    unsigned limit_;
    unsigned used_ = 0;
};

} // namespace reauth
