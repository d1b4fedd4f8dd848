// The names of the rules' words, and the built-in rules.
#include "policy/rules/rules.hpp"

#include "policy/rules/grant.hpp"
#include "policy/rules/match_keys.hpp"

#include "core/oauth/scope.hpp"

#include <algorithm>

namespace reauth {

std::string_view to_string(challenge_reason r) noexcept {
    switch (r) {
    case challenge_reason::unauthorized:
        return "unauthorized";
    case challenge_reason::token_expired:
        return "token_expired";
    case challenge_reason::invalid_token:
        return "invalid_token";
    case challenge_reason::insufficient_scope:
        return "insufficient_scope";
    case challenge_reason::user_authentication:
        return "user_authentication";
    }
    return "unauthorized";
}

std::string_view to_string(rule_action a) noexcept {
    switch (a) {
    case rule_action::silent:
        return "silent";
    case rule_action::confirm:
        return "confirm";
    case rule_action::interactive:
        return "interactive";
    case rule_action::deny:
        return "deny";
    case rule_action::approve:
        return "approve";
    case rule_action::pass:
        return "pass";
    }
    return "interactive";
}

std::string_view to_string(wait_mode m) noexcept {
    switch (m) {
    case wait_mode::automatic:
        return "auto";
    case wait_mode::stream:
        return "stream";
    case wait_mode::hold:
        return "hold";
    case wait_mode::elicit:
        return "elicit";
    case wait_mode::fail:
        return "fail";
    }
    return "auto";
}

std::string rule::label() const {
    if (name.empty())
        return where.empty() ? std::string("without a name") : "at " + where;
    auto text = "'" + name + "'";
    if (!where.empty())
        text += " (" + where + ")";
    return text;
}

namespace {

rule built_in(std::string name, rule_match match, rule_action action) {
    rule r;
    r.name = std::move(name);
    r.match = std::move(match);
    r.action = action;
    r.where = "built in";
    return r;
}

} // namespace

std::vector<rule> builtin_rules() {
    using enum challenge_reason;
    const auto words = [](auto... of) { return std::vector<std::string>{std::string(to_string(of))...}; };
    rule_match renewal, enterprise, machine;
    renewal.reason = words(unauthorized, token_expired, invalid_token);
    enterprise.reason = words(insufficient_scope);
    enterprise.grant = words(grant_kind::enterprise, grant_kind::token_exchange);
    machine.reason = words(insufficient_scope);
    machine.grant = words(grant_kind::client_credentials);
    std::vector<rule> rules;
    rules.push_back(
        built_in("renewals silent, a login only where one is needed", renewal, rule_action::interactive));
    rules.push_back(
        built_in("step-up through the organisation is confirmed", enterprise, rule_action::confirm));
    rules.push_back(built_in("step-up of a machine is silent", machine, rule_action::silent));
    rules.push_back(built_in("everything else asks a person", {}, rule_action::interactive));
    return rules;
}

bool approves_calls(const rule_set& rules, const rule_place& where) {
    const match_subject subject{where, {}};
    return std::any_of(rules.rules.begin(), rules.rules.end(), [&](const rule& r) {
        std::string because;
        return r.action == rule_action::approve && matches(r, subject, {match_scope::place}, because);
    });
}

bool passes_always(const rule_set& rules, const rule_place& where) {
    const match_subject subject{where, {}};
    for (const auto& r : rules.rules) {
        std::string because;
        if (r.observe || r.action == rule_action::approve ||
            !matches(r, subject, {match_scope::place}, because))
            continue;
        if (r.action != rule_action::pass)
            return false;
        if (!names(r.match, match_scope::operation) && !names(r.match, match_scope::challenge))
            return true;
    }
    return false;
}

} // namespace reauth
