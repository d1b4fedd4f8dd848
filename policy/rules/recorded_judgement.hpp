// A judgement as it is kept, so that another policy can be asked about the same later.
#pragma once

#include "policy/rules/judgement.hpp"

#include <nlohmann/json_fwd.hpp>

namespace reauth {

/// What came of a challenge, or of a call before it was sent, in one word: "silent", "asks a person",
/// "asks for confirmation", "approve", "passes", "waits", "sent", or a fault's word.
std::string outcome_word(const judgement& j);

struct recorded_judgement {
    bool call =
        false; ///< a call before it was sent: `request` has its operations, and nothing was challenged
    judgement_facts facts;
    std::string outcome;               ///< outcome_word()
    std::string rule;                  ///< that decided
    std::vector<std::string> observed; ///< rules with `observe: true` that would have: "NAME: ACTION"
};

/// Of a challenge.
recorded_judgement recorded(const judgement_facts& facts, const judgement& j);
/// Of a call that `found` wants approved, or would.
recorded_judgement recorded_call(challenge_facts request, const rule_for_one& found);
/// The same facts before other rules. `scopes`, `grant`: of the upstream as it is configured now.
recorded_judgement judged_again(const rule_set& rules, recorded_judgement before,
                                const std::optional<scope_set>& scopes, grant_kind grant);

nlohmann::json judgement_json(const recorded_judgement& r);
/// Nothing: it is not what judgement_json() wrote.
std::optional<recorded_judgement> judgement_from_json(const nlohmann::json& in);

} // namespace reauth
