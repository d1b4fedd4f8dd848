// The judgement of a challenge: recovery table, policy rules and memories in one pure function. The life of a
// credential acts on it, `explain` prints it.
#pragma once

#include "core/base/failure.hpp"
#include "policy/rules/decision.hpp"
#include "policy/rules/denial.hpp"
#include "policy/rules/recovery_plan.hpp"
#include "policy/rules/remembered_rule.hpp"

#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// How far a request may go to get its credential.
enum class person_use {
    may_ask,    ///< an approval may be opened for it
    only_waits, ///< it waits for somebody else's approval, but opens none (a GET stream)
    never,      ///< nobody is asked and nobody is waited for (renewal ahead of time)
};

/// All that a judgement depends on.
struct judgement_facts {
    recovery_facts recovery; ///< what is held, what was challenged
    challenge_facts request; ///< who asks for what; `reason` and `added` are filled in from the plan
    person_use person = person_use::may_ask;
    bool notice_only = false; ///< our own notice of expiry: no answer of the upstream is behind it
    bool agreed = false;      ///< a person has just signed in at the IdP for this: no second confirmation

    remembered_rules remembered; ///< what people have said once for all
    bool in_session = false;     ///< the request carried Mcp-Session-Id

    std::optional<final_answer> known_final; ///< a final answer to the same operation, less than a minute old
    std::optional<failure> silent_failure;   ///< the silent steps were tried for it, and failed with this
    bool denied_meanwhile = false;           ///< a person denied the same scopes while it was under way
    bool denied_recently = false;            ///< a person denied something within the last minute
    std::optional<std::chrono::seconds> quiet_for; ///< after denials in a row: how long nobody is asked
};

/// What happens next.
enum class next_move {
    answer, ///< the client gets `why`
    relay,  ///< policy `pass`: the upstream's challenge is the client's business
    silent, ///< run plan.silent for plan.silent_scopes
    ask,    ///< a person: confirms plan.silent (`confirm_first`), or does plan.person
    wait,   ///< for whatever credential comes, without asking for one
};

struct judgement {
    next_move move = next_move::answer;
    recovery_plan plan;
    decision rule;
    bool confirm_first = false; ///< ask: the silent steps follow a person's approval
    bool final = false;         ///< answer: the same holds for a minute
    failure why;                ///< answer
    challenge_facts facts;      ///< as the rules saw them

    /// Of the rule that decided, as audit and messages call it.
    std::string rule_name() const;
};

/// Judges. The same facts always give the same answer (docs/architecture.md, the recovery table).
judgement judge(const rule_set& rules, const judgement_facts& facts);

} // namespace reauth
