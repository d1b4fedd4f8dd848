// What a person has said once for all takes the place of a confirmation, and of nothing else.
#include "policy/rules/judgement.hpp"
#include "policy/rules/remembered_rule.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

namespace {

remembered_rules remembered(scope_set scopes, std::string principal = "local",
                            std::string upstream = "wiki") {
    std::vector<remembered_rule> all;
    all.push_back({"0123456789abcdef", std::move(principal), std::move(upstream), std::move(scopes), {}});
    return std::make_shared<const std::vector<remembered_rule>>(std::move(all));
}

/// A machine's step-up that could go on silently, under one rule with that action.
judgement step_up(rule_action action, const remembered_rules& said) {
    rule_set rules;
    rule r;
    r.name = "the rule";
    r.action = action;
    rules.rules.push_back(r);
    judgement_facts f;
    f.recovery.grant = grant_kind::client_credentials;
    f.recovery.reason = challenge_reason::insufficient_scope;
    f.recovery.challenged = scope_set{"write"};
    f.recovery.held = true;
    f.recovery.requested = f.recovery.granted = scope_set{"read"};
    f.request.upstream = "wiki";
    f.request.operations = {{"tools/call", "publish"}};
    f.remembered = said;
    return judge(rules, f);
}

} // namespace

TEST_CASE("a remembered rule is found by principal, upstream and all of the scopes, exactly") {
    const auto rules = remembered(scope_set{"write", "files:*"});
    CHECK(find_remembered(rules, "local", "wiki", scope_set{"write"}));
    CHECK(find_remembered(rules, "local", "wiki", scope_set{"write", "files:*"}));
    CHECK_FALSE(find_remembered(rules, "local", "wiki", scope_set{"write", "admin"}));
    CHECK_FALSE(find_remembered(rules, "local", "wiki", scope_set{"files:delete"})); // no globs here
    CHECK_FALSE(find_remembered(rules, "ada", "wiki", scope_set{"write"}));
    CHECK_FALSE(find_remembered(rules, "local", "tickets", scope_set{"write"}));
    CHECK_FALSE(find_remembered(rules, "local", "wiki", scope_set{}));
    CHECK_FALSE(find_remembered(nullptr, "local", "wiki", scope_set{"write"}));
}

TEST_CASE("it takes the place of a confirmation, and names itself as the rule that decided") {
    const auto asked = step_up(rule_action::confirm, nullptr);
    CHECK(asked.move == next_move::ask);
    CHECK(asked.confirm_first);
    const auto said = step_up(rule_action::confirm, remembered(scope_set{"write"}));
    CHECK(said.move == next_move::silent);
    CHECK(said.rule_name() == "remembered 0123456789abcdef");
    CHECK(step_up(rule_action::confirm, remembered(scope_set{"read"})).move == next_move::ask);
}

TEST_CASE("what a rule of the configuration denies stays denied, whatever was remembered") {
    const auto denied = step_up(rule_action::deny, remembered(scope_set{"write"}));
    CHECK(denied.move == next_move::answer);
    CHECK(denied.why.code == fault::denied_by_policy);
}

TEST_CASE("a remembered rule is shown as the YAML that it equals") {
    const auto rules = remembered(scope_set{"write"}, "ada");
    CHECK(
        to_yaml(to_rule(rules->front())) ==
        "{name: remembered 0123456789abcdef, match: {upstream: wiki, scopes: write, principal: ada}, action: "
        "silent}");
}
