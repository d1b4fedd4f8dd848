// Matches a challenge's facts against the rules, key by key.
#include "policy/decision.hpp"

#include <algorithm>
#include <optional>

namespace reauth {
namespace {

bool any_glob(const std::vector<std::string>& globs, std::string_view text) {
    return globs.empty() ||
           std::any_of(globs.begin(), globs.end(), [&](const auto& g) { return glob_match(g, text); });
}

/// Whether a scope is named by the rule; with `because` the scope that did it.
bool scopes_match(const rule& r, const scope_set& added, std::string& because) {
    if (r.match.scopes.empty())
        return true;
    const auto named = [&](const std::string& scope) { return any_glob(r.match.scopes, scope); };
    if (r.action == rule_action::silent) {
        if (added.empty() || !std::all_of(added.begin(), added.end(), named))
            return false;
        because = "every added scope (" + added.to_string() + ") is named by it";
        return true;
    }
    const auto hit = std::find_if(added.begin(), added.end(), named);
    if (hit == added.end())
        return false;
    because = "it names the added scope " + *hit;
    return true;
}

bool matches(const rule& r, const challenge_facts& facts, const operation& op, std::string& because) {
    const auto& m = r.match;
    if (!any_glob(m.upstream, facts.upstream) || !any_glob(m.principal, facts.principal) ||
        !any_glob(m.grant, facts.grant))
        return false;
    if (!any_glob(m.method, op.method) || !any_glob(m.tool, op.tool))
        return false;
    if (!m.reason.empty() && std::find(m.reason.begin(), m.reason.end(), facts.reason) == m.reason.end())
        return false;
    return scopes_match(r, facts.added, because);
}

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
    if (!op.method.empty() && (!r.match.method.empty() || !r.match.tool.empty()))
        text += ", " + op.method + (op.tool.empty() ? "" : " " + op.tool);
    if (!because.empty())
        text += ": " + because;
    return text;
}

decision decide_one(const rule_set& rules, const challenge_facts& facts, const operation& op) {
    for (const auto& r : rules.rules) {
        std::string because;
        if (r.action != rule_action::approve && matches(r, facts, op, because))
            return {r.action, r, r.wait, explain(r, facts, op, because)};
    }
    decision none;
    none.explanation = "no rule matches, so a person is asked where one is needed";
    return none;
}

} // namespace

const rule* rule_for_call(const rule_set& rules, std::string_view upstream, std::string_view principal,
                          const std::vector<operation>& operations) {
    for (const auto& op : operations)
        for (const auto& r : rules.rules) {
            const auto& m = r.match;
            // what names neither speaks of challenges alone
            if ((m.tool.empty() && m.method.empty()) || !m.reason.empty() || !m.scopes.empty() ||
                !m.grant.empty() || r.action == rule_action::deny)
                continue;
            if (!any_glob(m.upstream, upstream) || !any_glob(m.principal, principal) ||
                !any_glob(m.method, op.method) || !any_glob(m.tool, op.tool))
                continue;
            if (r.action == rule_action::approve)
                return &r;
            break; // an earlier rule for this very call wants no approval
        }
    return nullptr;
}

decision decide(const rule_set& rules, const challenge_facts& facts) {
    if (facts.operations.empty())
        return decide_one(rules, facts, {});
    auto strictest = decide_one(rules, facts, facts.operations.front());
    for (auto op = facts.operations.begin() + 1; op != facts.operations.end(); ++op) {
        auto next = decide_one(rules, facts, *op);
        if (strictness(next.action) > strictness(strictest.action))
            strictest = std::move(next);
    }
    return strictest;
}

} // namespace reauth
