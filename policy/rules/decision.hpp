// What the policy says about one challenge: the first matching rule, for every operation of the request.
#pragma once

#include "policy/rules/grant.hpp"
#include "policy/rules/rules.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// One JSON-RPC message of the challenged request. `tool` is empty where the method names none.
struct operation {
    std::string method;
    std::string tool;
};

/// What is known about a challenge when the policy judges it.
struct challenge_facts {
    std::string upstream;
    std::string principal = "local";
    std::vector<std::string> groups;   ///< of the caller
    std::vector<operation> operations; ///< a batch has several; empty: no JSON-RPC request (a GET stream)
    /// As judged by plan_recovery(): a 401 that wants more than what is stored is insufficient_scope.
    challenge_reason reason = challenge_reason::unauthorized;
    scope_set added;                                   ///< the scopes that would be added
    grant_kind grant = grant_kind::authorization_code; ///< the upstream's
};

/// The policy's answer.
struct decision {
    rule_action action = rule_action::interactive;
    rule matched;                 ///< the rule that decided
    wait_settings wait;           ///< how the client waits for a person
    std::string explanation;      ///< one sentence: which rule, and why it matched
    std::vector<rule> observed{}; ///< before it: those that would have decided (`observe: true`)
};

/// A rule, and the operation that it names.
struct rule_for_one {
    const rule* matched = nullptr;
    std::size_t operation = 0;           ///< its place among those that were asked about
    std::vector<const rule*> observed{}; ///< those that would have wanted it (`observe: true`)
};
/// The rule that wants a person to approve a body of these operations before it is sent; null: none does.
/// Among the rules that name tool or method, and nothing of a challenge, the first that matches an operation
/// decides about it: one with another action lets it pass (`deny` is about challenges, and is passed over).
rule_for_one rule_for_call(const rule_set& rules, const rule_place& where,
                           const std::vector<operation>& operations);

/// Judges a challenge. Of several operations the strictest answer holds (deny, then confirm, interactive,
/// silent; pass only if all pass). Without any matching rule the answer is `interactive`.
decision decide(const rule_set& rules, const challenge_facts& facts);

} // namespace reauth
