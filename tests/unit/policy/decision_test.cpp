// Which rule decides about which challenge.
#include "policy/rules/match_keys.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

namespace {

rule make(rule_action action, rule_match match = {}, std::string name = {}) {
    rule r;
    r.name = std::move(name);
    r.match = std::move(match);
    r.action = action;
    r.where = "policy.yaml:3";
    return r;
}

challenge_facts facts(scope_set added = {}) {
    challenge_facts f;
    f.upstream = "acme-files";
    f.operations = {{"tools/call", "read_file"}};
    f.reason = challenge_reason::insufficient_scope;
    f.added = std::move(added);
    f.grant = grant_kind::authorization_code;
    return f;
}

rule_set with_builtin(std::vector<rule> rules) {
    rule_set set{std::move(rules)};
    for (auto& r : builtin_rules())
        set.rules.push_back(std::move(r));
    return set;
}

rule_match scopes(std::vector<std::string> globs) {
    rule_match m;
    m.scopes = std::move(globs);
    return m;
}

} // namespace

TEST_CASE("the first matching rule decides") {
    rule_match other;
    other.upstream = {"other"};
    const rule_set rules{
        {make(rule_action::deny, other), make(rule_action::confirm, {}, "mine"), make(rule_action::deny)}};
    const auto d = decide(rules, facts());
    CHECK(d.action == rule_action::confirm);
    CHECK(d.matched.name == "mine");
    CHECK(d.explanation ==
          "rule 'mine' (policy.yaml:3) says confirm for insufficient_scope of upstream acme-files");
}

TEST_CASE("without any rule a person is asked") {
    const auto d = decide({}, facts());
    CHECK(d.action == rule_action::interactive);
    CHECK_FALSE(d.explanation.empty());
}

TEST_CASE("every match key can exclude a rule") {
    const auto decided = [](rule_match m) {
        return decide(rule_set{{make(rule_action::deny, std::move(m))}}, facts({"files:read"})).action;
    };
    rule_match m;
    CHECK(decided(m) == rule_action::deny);
    m.upstream = {"gh", "acme-*"};
    CHECK(decided(m) == rule_action::deny);
    m.upstream = {"gh"};
    CHECK(decided(m) == rule_action::interactive);
    m = {};
    m.principal = {"loc?l"};
    CHECK(decided(m) == rule_action::deny);
    m.principal = {"ada"};
    CHECK(decided(m) == rule_action::interactive);
    m = {};
    m.group = {"staff"};
    CHECK(decided(m) == rule_action::interactive); // in no group
    m = {};
    m.method = {"tools/*"};
    CHECK(decided(m) == rule_action::deny);
    m.method = {"prompts/get"};
    CHECK(decided(m) == rule_action::interactive);
    m = {};
    m.tool = {"read_*"};
    CHECK(decided(m) == rule_action::deny);
    m.tool = {"write_*"};
    CHECK(decided(m) == rule_action::interactive);
    m = {};
    m.reason = {"unauthorized", "insufficient_scope"};
    CHECK(decided(m) == rule_action::deny);
    m.reason = {"token_expired"};
    CHECK(decided(m) == rule_action::interactive);
    m = {};
    m.grant = {"authorization_code"};
    CHECK(decided(m) == rule_action::deny);
    m.grant = {"enterprise"};
    CHECK(decided(m) == rule_action::interactive);
    CHECK(decided(scopes({"*:read"})) == rule_action::deny);
    CHECK(decided(scopes({"*:write"})) == rule_action::interactive);
}

TEST_CASE("a rule about groups is about whoever is in one of them") {
    rule_match m;
    m.group = {"mcp-*", "ops"};
    const rule_set rules{{make(rule_action::deny, m)}};
    const auto decided = [&](std::vector<std::string> groups) {
        auto f = facts({"files:read"});
        f.groups = std::move(groups);
        return decide(rules, f).action;
    };
    CHECK(decided({}) == rule_action::interactive);
    CHECK(decided({"staff", "mcp-admins"}) == rule_action::deny);
    CHECK(decided({"staff", "xmcp-admins"}) == rule_action::interactive);
    m = {};
    m.group = {"ops"};
    const rule_set passing{{make(rule_action::pass, m)}};
    CHECK(passes_always(passing, {"gh", "x/ada", {"ops"}}));
    CHECK_FALSE(passes_always(passing, {"gh", "x/ada", {}}));
}

TEST_CASE("deny, confirm, interactive and pass match on any added scope") {
    for (const auto action : {rule_action::deny, rule_action::confirm, rule_action::pass}) {
        const rule_set rules{{make(action, scopes({"admin:*"}))}};
        CHECK(decide(rules, facts({"files:read", "admin:users"})).action == action);
        CHECK(decide(rules, facts({"files:read"})).action == rule_action::interactive);
        CHECK(decide(rules, facts()).action == rule_action::interactive);
    }
    const rule_set rules{
        {make(rule_action::interactive, scopes({"admin:*"}), "asked"), make(rule_action::silent)}};
    CHECK(decide(rules, facts({"files:read", "admin:users"})).matched.name == "asked");
    CHECK(decide(rules, facts({"files:read"})).action == rule_action::silent);
}

TEST_CASE("silent matches only if scopes are added and all are named") {
    const rule_set rules{{make(rule_action::silent, scopes({"*:read", "list"}))}};
    CHECK(decide(rules, facts({"files:read", "list"})).action == rule_action::silent);
    CHECK(decide(rules, facts({"files:read", "admin:users"})).action == rule_action::interactive);
    CHECK(decide(rules, facts()).action == rule_action::interactive);
}

TEST_CASE("a silent rule without scopes does not look at them") {
    const rule_set rules{{make(rule_action::silent)}};
    CHECK(decide(rules, facts()).action == rule_action::silent);
    CHECK(decide(rules, facts({"admin:users"})).action == rule_action::silent);
}

TEST_CASE("an explanation names the scope or tool that mattered") {
    const rule_set deny{{make(rule_action::deny, scopes({"admin:*"}), "no admin")}};
    CHECK(decide(deny, facts({"a", "admin:x"})).explanation ==
          "rule 'no admin' (policy.yaml:3) says deny for insufficient_scope of upstream acme-files: it names "
          "the added scope "
          "admin:x");
    const rule_set silent{{make(rule_action::silent, scopes({"*"}))}};
    CHECK(decide(silent, facts({"a", "b"})).explanation ==
          "rule at policy.yaml:3 says silent for insufficient_scope of upstream acme-files: every added "
          "scope (a b) is named "
          "by it");
    rule_match tool;
    tool.tool = {"read_file"};
    CHECK(decide(rule_set{{make(rule_action::deny, tool)}}, facts()).explanation ==
          "rule at policy.yaml:3 says deny for insufficient_scope of upstream acme-files, tools/call "
          "read_file");
    rule_match method;
    method.method = {"ping"};
    auto ping = facts();
    ping.operations = {{"ping", ""}};
    CHECK(decide(rule_set{{make(rule_action::deny, method)}}, ping).explanation ==
          "rule at policy.yaml:3 says deny for insufficient_scope of upstream acme-files, ping");
    rule nameless;
    CHECK(nameless.label() == "without a name");
    nameless.name = "n";
    CHECK(nameless.label() == "'n'");
}

TEST_CASE("of a batch the strictest member decides") {
    const auto by_tool = [](std::string tool, rule_action action) {
        rule_match m;
        m.tool = {std::move(tool)};
        return make(action, m);
    };
    const rule_set rules{{by_tool("d", rule_action::deny), by_tool("c", rule_action::confirm),
                          by_tool("i", rule_action::interactive), by_tool("s", rule_action::silent),
                          by_tool("p", rule_action::pass)}};
    const auto batch = [&](std::vector<std::string> tools) {
        auto f = facts();
        f.operations.clear();
        for (auto& t : tools)
            f.operations.push_back({"tools/call", t});
        return decide(rules, f).action;
    };
    CHECK(batch({"s", "d", "c"}) == rule_action::deny);
    CHECK(batch({"i", "c", "s"}) == rule_action::confirm);
    CHECK(batch({"s", "i"}) == rule_action::interactive);
    CHECK(batch({"p", "s"}) == rule_action::silent);
    CHECK(batch({"p", "p"}) == rule_action::pass);
    CHECK(batch({"p", "unknown"}) == rule_action::interactive);
}

TEST_CASE("a request without operations matches no tool rule") {
    rule_match m;
    m.tool = {"read_*"};
    auto f = facts();
    f.operations.clear();
    CHECK(decide(rule_set{{make(rule_action::deny, m)}}, f).action == rule_action::interactive);
    CHECK(decide(rule_set{{make(rule_action::deny)}}, f).action == rule_action::deny);
}

TEST_CASE("the wait settings are those of the rule that decided") {
    auto r = make(rule_action::confirm);
    r.wait.mode = wait_mode::hold;
    CHECK(decide(rule_set{{r}}, facts()).wait.mode == wait_mode::hold);
}

TEST_CASE("built in: a renewal of any grant is silent where it can be") {
    for (const auto reason :
         {challenge_reason::unauthorized, challenge_reason::token_expired, challenge_reason::invalid_token}) {
        auto f = facts();
        f.reason = reason;
        f.grant = grant_kind::enterprise;
        CHECK(decide(with_builtin({}), f).action == rule_action::interactive);
    }
}

TEST_CASE("built in: step-up is confirmed for enterprise, silent for machines, asked for else") {
    auto f = facts({"x"});
    CHECK(decide(with_builtin({}), f).action == rule_action::interactive);
    f.grant = grant_kind::enterprise;
    CHECK(decide(with_builtin({}), f).action == rule_action::confirm);
    f.grant = grant_kind::client_credentials;
    CHECK(decide(with_builtin({}), f).action == rule_action::silent);
}

TEST_CASE("the file's rules come before the built-in ones") {
    auto f = facts({"x"});
    f.grant = grant_kind::client_credentials;
    const auto d = decide(with_builtin({make(rule_action::deny, scopes({"x"}), "mine")}), f);
    CHECK(d.matched.name == "mine");
}

TEST_CASE("every key of match narrows a rule, and is written, read and judged by its row") {
    for (const auto& key : match_keys()) {
        rule_match m;
        CHECK(matches_everything(m));
        (m.*key.wanted) = {"nothing-like-it"};
        CHECK_FALSE(matches_everything(m));
        CHECK(names(m, key.of));
        const auto deny = make(rule_action::deny, m);
        INFO(key.name);
        CHECK(decide(rule_set{{deny}}, facts({"x"})).explanation.starts_with("no rule matches"));
        CHECK(to_yaml(deny).find("{" + std::string(key.name) + ": nothing-like-it}") != std::string::npos);
    }
}

TEST_CASE("pass is known before the request only if nothing else can decide") {
    rule_match gh, ada, tool;
    gh.upstream = {"gh"};
    ada.upstream = {"gh"};
    ada.principal = {"ada"};
    tool.upstream = {"gh"};
    tool.tool = {"t"};
    CHECK(passes_always(rule_set{{make(rule_action::pass, gh)}}, {"gh", "local", {}}));
    CHECK_FALSE(passes_always(rule_set{{make(rule_action::pass, gh)}}, {"other", "local", {}}));
    CHECK(passes_always(rule_set{{make(rule_action::pass, ada)}}, {"gh", "ada", {}}));
    CHECK_FALSE(passes_always(rule_set{{make(rule_action::pass, ada)}}, {"gh", "local", {}}));
    CHECK_FALSE(passes_always(rule_set{{make(rule_action::deny, tool), make(rule_action::pass, gh)}},
                              {"gh", "local", {}}));
    CHECK(passes_always(rule_set{{make(rule_action::pass, tool), make(rule_action::pass, gh)}},
                        {"gh", "local", {}}));
    CHECK_FALSE(passes_always(rule_set{{make(rule_action::pass, tool)}}, {"gh", "local", {}}));
    CHECK_FALSE(passes_always(with_builtin({}), {"gh", "local", {}}));
    for (const auto& key : match_keys()) {
        rule_match m;
        (m.*key.wanted) = {"x"};
        INFO(key.name);
        CHECK_FALSE(passes_always(rule_set{{make(rule_action::pass, m)}}, {"gh", "local", {}}));
    }
}

namespace {

rule about(std::string tool, rule_action action) {
    rule r;
    r.name = tool;
    r.match.tool = {std::move(tool)};
    r.action = action;
    return r;
}

std::string approver_of(const rule_set& rules, const std::vector<operation>& operations) {
    const auto* r = rule_for_call(rules, {"files", "local", {}}, operations).matched;
    return r ? r->name : "";
}

} // namespace

TEST_CASE("the first rule that names a call decides whether it is approved before it is sent") {
    rule_set rules;
    rules.rules = {about("delete_draft", rule_action::silent), about("delete_*", rule_action::approve)};
    CHECK(approver_of(rules, {{"tools/call", "delete_repo"}}) == "delete_*");
    CHECK(approver_of(rules, {{"tools/call", "delete_draft"}}).empty());
    CHECK(approver_of(rules, {{"tools/call", "list"}}).empty());
    CHECK(approver_of(rules, {{"tools/call", "list"}, {"tools/call", "delete_repo"}}) == "delete_*");
    rules.rules[1].match.upstream = {"other"};
    CHECK(approver_of(rules, {{"tools/call", "delete_repo"}}).empty());
}

TEST_CASE("rules about challenges say nothing about calls, and the other way round") {
    rule_set rules;
    rule general;
    general.action = rule_action::silent; // whatever is challenged
    auto scoped = about("delete_*", rule_action::silent);
    scoped.match.scopes = {"write"};
    rules.rules = {general, scoped, about("delete_*", rule_action::deny),
                   about("delete_*", rule_action::approve)};
    CHECK(approver_of(rules, {{"tools/call", "delete_repo"}}) == "delete_*");
    rules.rules = {about("delete_*", rule_action::approve)};
    challenge_facts facts;
    facts.upstream = "files";
    facts.operations = {{"tools/call", "delete_repo"}};
    CHECK(decide(rules, facts).action == rule_action::interactive);
    CHECK(approves_calls(rules, {"files", "local", {}}));
    CHECK_FALSE(passes_always(rules, {"files", "local", {}}));
    rules.rules[0].match.principal = {"ada"};
    CHECK_FALSE(approves_calls(rules, {"files", "local", {}}));
}
