// Rules are shown as the YAML that they were.
#include "policy/rules/rules.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

TEST_CASE("a rule is written back as the YAML that it was") {
    rule r;
    r.name = "read is free";
    r.match.upstream = {"acme-*"};
    r.match.reason = {"insufficient_scope"};
    r.match.scopes = {"*:read", "list"};
    r.action = rule_action::silent;
    CHECK(
        to_yaml(r) ==
        R"({name: read is free, match: {upstream: "acme-*", reason: insufficient_scope, scopes: ["*:read", list]}, )"
        R"(action: silent})");
}

TEST_CASE("all match keys and wait settings are written, defaults are not") {
    rule r;
    r.match.method = {"tools/call"};
    r.match.tool = {"a", "b"};
    r.match.principal = {"ada"};
    r.match.grant = {"enterprise"};
    r.action = rule_action::confirm;
    r.wait.mode = wait_mode::hold;
    r.wait.timeout = std::chrono::minutes(5);
    r.wait.grace = std::chrono::milliseconds(1500);
    r.wait.heartbeat = std::chrono::seconds(7);
    CHECK(to_yaml(r) ==
          "{match: {method: tools/call, tool: [a, b], principal: ada, grant: enterprise}, action: confirm, "
          "wait: {mode: hold, timeout: 5m, grace: 1500ms, heartbeat: 7s}}");
    rule zero;
    zero.wait.grace = std::chrono::milliseconds(0);
    CHECK(to_yaml(zero) == "{action: interactive, wait: {grace: 0s}}");
}

TEST_CASE("names that YAML would read otherwise are quoted") {
    const auto name = [](std::string text) {
        rule r;
        r.name = std::move(text);
        r.action = rule_action::deny;
        return to_yaml(r);
    };
    CHECK(name("no") == R"({name: "no", action: deny})");
    CHECK(name("True") == R"({name: "True", action: deny})");
    CHECK(name("a: b") == R"({name: "a: b", action: deny})");
    CHECK(name("ends ") == R"({name: "ends ", action: deny})");
    CHECK(name("1st") == R"({name: "1st", action: deny})");
    CHECK(name("say \"hi\" \\ \n") == R"({name: "say \"hi\" \\ \x0a", action: deny})");
}

TEST_CASE("the whole policy is a list with where each rule comes from") {
    rule_set rules{builtin_rules()};
    rule mine;
    mine.action = rule_action::pass;
    rules.rules.insert(rules.rules.begin(), mine);
    const auto yaml = to_yaml(rules);
    CHECK(yaml.find("policy:\n  - {action: pass}\n  - {name: ") == 0);
    CHECK(yaml.find("match: {reason: [unauthorized, token_expired, invalid_token]}, action: interactive}  # "
                    "built in\n") != std::string::npos);
    CHECK(yaml.find("match: {reason: insufficient_scope, grant: [enterprise, token_exchange]}, action: "
                    "confirm}  # built in\n") != std::string::npos);
    CHECK(yaml.find("grant: client_credentials}, action: silent}  # built in\n") != std::string::npos);
}

TEST_CASE("every word of the policy has its spelling") {
    CHECK(to_string(challenge_reason::unauthorized) == "unauthorized");
    CHECK(to_string(challenge_reason::token_expired) == "token_expired");
    CHECK(to_string(challenge_reason::invalid_token) == "invalid_token");
    CHECK(to_string(challenge_reason::insufficient_scope) == "insufficient_scope");
    CHECK(to_string(rule_action::silent) == "silent");
    CHECK(to_string(rule_action::confirm) == "confirm");
    CHECK(to_string(rule_action::interactive) == "interactive");
    CHECK(to_string(rule_action::deny) == "deny");
    CHECK(to_string(rule_action::pass) == "pass");
    CHECK(to_string(wait_mode::automatic) == "auto");
    CHECK(to_string(wait_mode::stream) == "stream");
    CHECK(to_string(wait_mode::hold) == "hold");
    CHECK(to_string(wait_mode::elicit) == "elicit");
    CHECK(to_string(wait_mode::fail) == "fail");
}
