// The one point through which every recovery, decision, sign-in and sign-out passes: counted, remembered,
// logged.
#pragma once

#include "policy/life/life_actions.hpp"
#include "proxy/approval/history.hpp"

#include <optional>
#include <string>

namespace reauth {

/// Counters for /metrics and tests; control thread.
struct recovery_counters {
    std::uint64_t refreshes = 0, refresh_failures = 0, machine_tokens = 0, mints = 0, logins = 0,
                  step_ups = 0, approvals = 0, denials = 0, joined = 0, unsaved = 0;
};

/// The last thing that happened to a credential, for `status`.
struct last_outcome {
    std::optional<time_point> at;
    std::string what, code, detail; ///< "refresh", "ok" or a fault's word, one sentence
};

/// Whose line it is.
struct audit_subject {
    std::string principal, upstream;
    std::string subject; ///< whom the ID token names; empty: not known
    bool session = false;
};

/// The same for the history.
history_entry history_of(const audit_subject& who, const life::audit& line, time_point now);

/// Writes one line and keeps count. Holds no secret by type.
void write_audit(const audit_subject& who, const life::audit& line, time_point now,
                 recovery_counters& counters, last_outcome& last);

} // namespace reauth
