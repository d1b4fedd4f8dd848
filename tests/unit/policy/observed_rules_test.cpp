// Rules that are only watched, and judgements that are asked again of another policy.
#include "policy/rules/match_keys.hpp"
#include "policy/rules/recorded_judgement.hpp"

#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;

namespace {

rule named(std::string name, rule_action action, bool observe = false) {
    rule r;
    r.name = std::move(name);
    r.action = action;
    r.observe = observe;
    return r;
}

rule for_tool(std::string name, std::string tool, bool observe = false) {
    auto r = named(std::move(name), rule_action::approve, observe);
    r.match.tool = {std::move(tool)};
    return r;
}

judgement_facts refreshable() {
    judgement_facts f;
    f.recovery.held = f.recovery.refresh_token = true;
    f.recovery.reason = challenge_reason::invalid_token;
    f.recovery.requested = f.recovery.granted = scope_set::parse("a b");
    f.request.upstream = "up";
    f.request.principal = "ada";
    f.request.groups = {"admins"};
    f.request.operations = {{"tools/call", "echo"}};
    return f;
}

} // namespace

TEST_CASE("observe: the rule is named, and the next one decides") {
    rule_set rules{{named("no more", rule_action::deny, true), named("quietly", rule_action::silent)}};
    challenge_facts f;
    f.upstream = "up";
    const auto d = decide(rules, f);
    CHECK(d.matched.name == "quietly");
    CHECK(d.action == rule_action::silent);
    REQUIRE(d.observed.size() == 1);
    CHECK(d.observed[0].name == "no more");
}

TEST_CASE("observe: what a rule behind the one that decides would say is not asked") {
    rule_set rules{{named("quietly", rule_action::silent), named("no more", rule_action::deny, true)}};
    CHECK(decide(rules, {}).observed.empty());
}

TEST_CASE("observe: of a batch each operation's rules are named, whichever decides") {
    auto watched = named("no echo", rule_action::deny, true);
    watched.match.tool = {"echo"};
    rule_set rules{{watched, named("quietly", rule_action::silent)}};
    challenge_facts f;
    f.operations = {{"tools/call", "other"}, {"tools/call", "echo"}};
    CHECK(decide(rules, f).observed.size() == 1);
}

TEST_CASE("observe: a call that a watched rule wants approved is sent, and its body is read for that") {
    rule_set rules{{for_tool("ask", "delete_*", true)}};
    const rule_place where{"up", "ada", {}};
    const auto found = rule_for_call(rules, where, {{"tools/call", "delete_all"}});
    CHECK_FALSE(found.matched);
    REQUIRE(found.observed.size() == 1);
    CHECK(found.observed[0]->name == "ask");
    CHECK(approves_calls(rules, where));
    CHECK(rule_for_call(rules, where, {{"tools/call", "read"}}).observed.empty());
}

TEST_CASE("observe: a watched pass lets nothing through, and is written back as YAML") {
    auto pass = named("theirs", rule_action::pass, true);
    rule_set rules{{pass, named("quietly", rule_action::silent)}};
    CHECK_FALSE(passes_always(rules, {"up", "ada", {}}));
    CHECK(to_yaml(pass) == "{name: theirs, action: pass, observe: true}");
}

TEST_CASE("a recorded judgement comes back as it was, and judges the same") {
    rule_set rules{{named("watch", rule_action::deny, true)}};
    for (auto& r : builtin_rules())
        rules.rules.push_back(r);
    auto f = refreshable();
    f.recovery.challenged = scope_set::parse("a");
    f.recovery.configured = scope_set::parse("a b");
    f.in_session = true;
    const auto before = recorded(f, judge(rules, f));
    CHECK(before.outcome == "silent");
    CHECK(before.observed == std::vector<std::string>{"watch: deny"});
    const auto read = judgement_from_json(judgement_json(before));
    REQUIRE(read);
    CHECK(judgement_json(*read) == judgement_json(before));
    CHECK(judged_again(rules, *read, f.recovery.configured, f.recovery.grant).outcome == "silent");
    CHECK_FALSE(judgement_from_json(nlohmann::json::object()));
    CHECK_FALSE(judgement_from_json(nlohmann::json("text")));
}

TEST_CASE("a recorded judgement before another policy ends as that policy says") {
    rule_set now{builtin_rules()};
    const auto f = refreshable();
    const auto before = recorded(f, judge(now, f));
    rule_set strict{{named("no more", rule_action::deny)}};
    const auto after = judged_again(strict, before, f.recovery.configured, f.recovery.grant);
    CHECK(after.outcome == "denied_by_policy");
    CHECK(after.rule == "no more");
    rule_set asking{{named("ask", rule_action::confirm)}};
    CHECK(judged_again(asking, before, {}, f.recovery.grant).outcome == "asks for confirmation");
}

TEST_CASE("a recorded step-up that a person had remembered is still remembered") {
    auto f = refreshable();
    f.recovery.grant = grant_kind::client_credentials;
    f.recovery.reason = challenge_reason::insufficient_scope;
    f.recovery.challenged = scope_set::parse("c");
    f.remembered = std::make_shared<const std::vector<remembered_rule>>(
        1, remembered_rule{"1", "ada", "up", scope_set::parse("c"), {}});
    rule_set rules{{named("ask", rule_action::confirm)}};
    const auto before = recorded(f, judge(rules, f));
    CHECK(before.outcome == "silent");
    const auto read = judgement_from_json(judgement_json(before));
    REQUIRE(read);
    CHECK(judged_again(rules, *read, {}, grant_kind::client_credentials).outcome == "silent");
}

TEST_CASE("a recorded call before another policy: approved, or sent") {
    rule_set rules{{for_tool("ask", "delete_*")}};
    challenge_facts call;
    call.upstream = "up";
    call.principal = "ada";
    call.operations = {{"tools/call", "delete_all"}};
    const rule_place where{"up", "ada", call.groups};
    const auto before = recorded_call(call, rule_for_call(rules, where, call.operations));
    CHECK(before.outcome == "approve");
    CHECK(before.rule == "ask");
    const auto read = judgement_from_json(judgement_json(before));
    REQUIRE(read);
    CHECK(judged_again({}, *read, {}, grant_kind::authorization_code).outcome == "sent");
    CHECK(judged_again(rules, *read, {}, grant_kind::authorization_code).outcome == "approve");
}
