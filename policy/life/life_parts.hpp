// Small values that a credential's life is made of. See credential_life.hpp.
#pragma once

#include "policy/life/life_events.hpp"
#include "policy/rules/recovery_plan.hpp"

#include <chrono>

namespace reauth::life {

/// A lock at the vault, and whether what the vault holds was seen since it was won: nobody else renews
/// that.
struct held_lock {
    life::work_id id = 0; ///< 0: none
    bool looked = false;
    explicit operator bool() const noexcept { return id != 0; }
};

/// The one piece of silent work that may be under way.
enum class flight_phase { locking, looking, running, looking_again, waiting_to_store, storing };
struct silent_flight {
    work_id id = 0;
    flight_phase phase = flight_phase::locking;
    held_lock lock; ///< none: not won yet
    std::vector<recovery_step> steps;
    std::size_t at = 0;
    scope_set scopes;
    std::uint64_t began_with = 0; ///< generation in force when the flight was begun: it is of no use
    std::uint64_t replaces = 0;   ///< … when the step under way was begun
    std::string rule, approval;   ///< approval: it was confirmed by a person
    std::string asker;            ///< whose request began it, as it calls itself
    std::optional<credential> fresh;
    std::optional<registered_client> client; ///< that it was issued to
    bool pin = false;
    failure last;
    bool interrupted = false; ///< another process had begun to spend the refresh token
};

/// Trouble that passes, over and over: asked again less and less often, and never before the server wants.
struct transient_trouble {
    unsigned in_a_row = 0;
    failure last;
    time_point retry_at{};
    bool asked_to_wait = false; ///< by the server (RFC 9110 §10.2.3)

    bool holds_at(time_point now) const { return now < retry_at; }
    /// What a request is told before that time.
    failure told_at(time_point now) const;
};

/// A token that was just issued and is refused: its server may not know it yet (clocks that differ,
/// replicas). The same token is sent again after pauses before anything else is tried.
class fresh_refusals {
public:
    static constexpr std::chrono::milliseconds steps[] = {
        std::chrono::milliseconds(500), std::chrono::milliseconds(1500), std::chrono::milliseconds(3500)};
    /// A token is fresh for so long.
    static constexpr std::chrono::seconds fresh_for{5};
    /// What was refused to the end is called so for this long.
    static constexpr std::chrono::seconds remembered{60};

    /// `c` was refused: when to send it again; nothing: at the end of the ladder, or no case for it.
    std::optional<time_point> again_at(const credential& c, time_point now);
    /// It was taken for some request: what is refused now is refused for another reason than its youth.
    void worked(std::uint64_t generation) noexcept { worked_ = generation; }
    /// It was refused after every pause.
    bool exhausted(std::uint64_t generation, time_point now) const;

private:
    std::uint64_t generation_ = 0, worked_ = 0; ///< 0: none
    time_point first_{};
};
struct ended_question {
    approval_status status;
    std::string outcome;
};

/// A credential in force that the vault does not hold yet.
struct unsaved_credential {
    held_lock lock;
    work_id storing = 0;
    bool pin = false;
    unsigned tries = 0;
    time_point next{};
    failure why;
};

/// A sign-out under way.
struct sign_out {
    caller_id caller = 0;
    work_id erase = 0, revoke = 0;
    std::optional<failure> trouble;
    revocation_report said;
    unsigned tries = 0;
    std::optional<time_point> erase_again;
    std::uint64_t tombstone = 0, only_until = 0;
    held_lock lock; ///< kept until the vault knows: no other process may send what is spent
    std::string issuer;
};

} // namespace reauth::life
