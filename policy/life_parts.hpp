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

} // namespace reauth::life
