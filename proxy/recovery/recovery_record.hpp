// The one point through which every recovery, decision, sign-in and sign-out passes: counted, remembered,
// logged.
#pragma once

#include "policy/life/life_actions.hpp"
#include "proxy/recovery/recorder.hpp"
#include "proxy/recovery/recovery_stats.hpp"

#include <map>
#include <optional>
#include <string>

namespace reauth {

/// Counters for /metrics and tests; control thread.
struct recovery_counters {
    std::uint64_t refreshes = 0, refresh_failures = 0, machine_tokens = 0, mints = 0, logins = 0,
                  step_ups = 0, approvals = 0, denials = 0, joined = 0, identities_ended = 0;
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
    std::string grant{}; ///< of the upstream; empty: it belongs to none
};

/// Control thread only.
class recovery_record {
public:
    explicit recovery_record(recorder& kept) : kept_(kept) {}
    recorder& kept() noexcept { return kept_; }

    /// `took`: a recovery's time, or a person's; negative: not known. Holds no secret by type.
    /// `into`: the timeline that it belongs to.
    void write(const audit_subject& who, const life::audit& line, const timeline_ptr& into,
               last_outcome& last, std::chrono::milliseconds took = std::chrono::milliseconds(-1));
    /// What belongs to no episode of a life.
    void write_alone(const audit_subject& who, const life::audit& line);
    /// Rules with `observe: true` would have decided.
    void observed(const std::vector<rule>& rules);
    /// … a call, which was sent.
    void observed_call(const recorded_judgement& what);
    const std::map<std::string, std::uint64_t>& observations() const noexcept { return observed_; }
    /// A silent step begins.
    void began(recovery_step step, bool session);
    void joined() noexcept { ++counters_.joined; }
    void announced() noexcept { ++counters_.approvals; }

    const recovery_counters& counters() const noexcept { return counters_; }
    recovery_stats& stats() noexcept { return stats_; }
    const recovery_stats& stats() const noexcept { return stats_; }

private:
    void count(const life::audit& line);
    recorder& kept_;
    recovery_counters counters_;
    recovery_stats stats_;
    std::map<std::string, std::uint64_t> observed_; ///< by the rule's name
    std::map<std::string, time_point> noted_calls_; ///< when one of the kind was noted last
};

} // namespace reauth
