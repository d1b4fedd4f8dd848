// Small values that a credential's life is made of. See credential_life.hpp.
#pragma once

#include "policy/life_events.hpp"

namespace reauth::life {

/// A lock at the vault, and whether what the vault holds was seen since it was won: nobody else renews
/// that.
struct held_lock {
    life::work_id id = 0; ///< 0: none
    bool looked = false;
    explicit operator bool() const noexcept { return id != 0; }
};

/// Trouble that passes, over and over: asked again less and less often.
struct transient_trouble {
    unsigned in_a_row = 0;
    failure last;
    time_point retry_at{};
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
