// Which rule decides: the first whose keys all match.
#include "policy/rules/match_keys.hpp"

#include <algorithm>
#include <optional>

namespace reauth {
namespace {

int strictness(rule_action a) noexcept {
    switch (a) {
    case rule_action::deny:
        return 4;
    case rule_action::confirm:
        return 3;
    case rule_action::interactive:
        return 2;
    case rule_action::silent:
        return 1;
    case rule_action::approve:
    case rule_action::pass:
        break;
    }
    return 0;
}

std::string explain(const rule& r, const challenge_facts& facts, const operation& op,
                    const std::string& because) {
    std::string text = "rule " + r.label() + " says " + std::string(to_string(r.action)) + " for " +
                       std::string(to_string(facts.reason)) + " of upstream " + facts.upstream;
    if (!op.method.empty() && names(r.match, match_scope::operation))
        text += ", " + op.method + (op.tool.empty() ? "" : " " + op.tool);
    if (!because.empty())
        text += ": " + because;
    return text;
}

decision decide_one(const rule_set& rules, const challenge_facts& facts, const operation& op) {
    const match_subject subject{{facts.upstream, facts.principal, facts.groups}, op, &facts};
    decision found;
    for (const auto& r : rules.rules) {
        std::string because;
        if (r.action == rule_action::approve ||
            !matches(r, subject, {match_scope::place, match_scope::operation, match_scope::challenge},
                     because))
            continue;
        if (r.observe) {
            found.observed.push_back(r);
            continue;
        }
        found.action = r.action;
        found.matched = r;
        found.wait = r.wait;
        found.explanation = explain(r, facts, op, because);
        return found;
    }
    found.explanation = "no rule matches, so a person is asked where one is needed";
    return found;
}

} // namespace

rule_for_one rule_for_call(const rule_set& rules, const rule_place& where,
                           const std::vector<operation>& operations) {
    rule_for_one none;
    for (std::size_t i = 0; i < operations.size(); ++i)
        for (const auto& r : rules.rules) {
            // a response does nothing; and what names no operation speaks of challenges alone
            if (operations[i].method.empty() || !names(r.match, match_scope::operation) ||
                names(r.match, match_scope::challenge) || r.action == rule_action::deny)
                continue;
            std::string because;
            if (!matches(r, {where, operations[i]}, {match_scope::place, match_scope::operation}, because))
                continue;
            if (r.observe) {
                if (r.action == rule_action::approve)
                    none.observed.push_back(&r);
                continue;
            }
            if (r.action == rule_action::approve)
                return {&r, i, std::move(none.observed)};
            break; // an earlier rule for this very call wants no approval
        }
    return none;
}

decision decide(const rule_set& rules, const challenge_facts& facts) {
    if (facts.operations.empty())
        return decide_one(rules, facts, {});
    auto strictest = decide_one(rules, facts, facts.operations.front());
    for (auto op = facts.operations.begin() + 1; op != facts.operations.end(); ++op) {
        auto next = decide_one(rules, facts, *op);
        auto observed = std::move(strictest.observed);
        observed.insert(observed.end(), next.observed.begin(), next.observed.end());
        if (strictness(next.action) > strictness(strictest.action))
            strictest = std::move(next);
        strictest.observed = std::move(observed);
    }
    return strictest;
}

} // namespace reauth
