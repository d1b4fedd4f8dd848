// Table, rules and memories, in the order in which they may end a recovery.
#include "policy/rules/judgement.hpp"

namespace reauth {
namespace {

fault code_for(const challenge_facts& facts) {
    return facts.reason == challenge_reason::insufficient_scope ? fault::insufficient_scope
                                                                : fault::reauth_failed;
}

/// j, as the answer `why`.
judgement& answer_with(judgement& j, failure why) {
    j.move = next_move::answer;
    j.why = std::move(why);
    return j;
}

failure say(fault code, std::string message, std::string fix = {}, bool transient = false) {
    return {code, std::move(message), std::move(fix), {}, transient};
}

/// An exchange was refused for want of a person (RFC 8693 section 2.2.2; OpenID Connect Core
/// section 3.1.2.6), or because it does not reach the upstream.
bool person_may_help(const failure& why) {
    return why.oauth_error == "interaction_required" || why.oauth_error == "consent_required" ||
           why.oauth_error == "login_required" || why.oauth_error == "invalid_target";
}

/// A person is needed, and the rule allows one: may this request ask?
judgement& ask_person(judgement& j, const judgement_facts& f) {
    const auto& name = f.request.upstream;
    if (f.person == person_use::never)
        return answer_with(j, f.silent_failure.value_or(
                                  say(fault::reauth_failed, "upstream " + name + ": " + j.plan.explanation)));
    // who waited already when a person said no has had the answer
    if (f.denied_meanwhile)
        return answer_with(j, say(fault::approval_denied, "a person has denied this"));
    if (f.person == person_use::only_waits || (f.denied_recently && f.request.operations.empty())) {
        j.move = next_move::wait;
        return j;
    }
    if (f.quiet_for)
        return answer_with(j, say(fault::approval_denied,
                                  "a person has denied this repeatedly; it may be asked again in " +
                                      std::to_string(f.quiet_for->count()) + " s",
                                  "run `mcp-reauth login " + name + "` to sign in at once", true));
    j.move = next_move::ask;
    return j;
}

/// What the rule makes of a challenge that something can be done about.
judgement by_rule(judgement j, const judgement_facts& f) {
    const auto& name = f.request.upstream;
    if (j.rule.action == rule_action::deny)
        return answer_with(j, say(fault::denied_by_policy,
                                  "the policy denies this: rule \"" + j.rule_name() + "\"",
                                  "ask whoever runs mcp-reauth"));
    if (j.rule.action == rule_action::confirm && !j.plan.silent.empty())
        if (const auto* said = find_remembered(f.remembered, f.request.principal, name, j.plan.added)) {
            j.rule.action = rule_action::interactive; // silent, and a person only where that fails
            j.rule.matched = to_rule(*said);
        }
    const bool confirmed = j.rule.action == rule_action::confirm && !(f.agreed && !j.plan.step_up);
    if (!j.plan.silent.empty() && !confirmed && !f.silent_failure) {
        j.move = next_move::silent;
        return j;
    }
    if (f.silent_failure) {
        // trouble that passes is no reason to bother a person, and what the organisation refused it refuses
        // again
        const bool refused_by_organisation =
            f.recovery.grant == grant_kind::enterprise && f.recovery.idp_session;
        const bool refused_for_good =
            f.recovery.grant == grant_kind::token_exchange && !person_may_help(*f.silent_failure);
        if (f.silent_failure->transient || !j.plan.person || refused_by_organisation || refused_for_good ||
            j.rule.action == rule_action::silent)
            return answer_with(j, *f.silent_failure);
        return ask_person(j, f);
    }
    if (!j.plan.person && !confirmed)
        return answer_with(j, say(fault::reauth_failed, "upstream " + name + ": " + j.plan.explanation));
    if (j.rule.action == rule_action::silent) {
        auto why = say(code_for(j.facts),
                       "upstream " + name +
                           " needs a person to sign in, and the policy allows only silent recovery here",
                       "change the rule, or run `mcp-reauth login " + name + "`");
        return answer_with(j, std::move(why));
    }
    j.confirm_first = confirmed && !j.plan.silent.empty();
    return ask_person(j, f);
}

} // namespace

std::string judgement::rule_name() const {
    return rule.matched.name.empty() ? rule.matched.where : rule.matched.name;
}

judgement judge(const rule_set& rules, const judgement_facts& f) {
    judgement j;
    j.plan = plan_recovery(f.recovery);
    j.facts = f.request;
    j.facts.reason = j.plan.judged_as;
    j.facts.added = j.plan.added;
    j.facts.grant = f.recovery.grant;
    const auto& name = f.request.upstream;
    if (f.known_final && !f.notice_only) {
        j.facts.reason = f.known_final->reason;
        return answer_with(j, f.known_final->why);
    }
    // a token that is good as new and refused all the same: it is the session that is over (MCP transports,
    // session management)
    const bool refused = f.recovery.reason != challenge_reason::insufficient_scope &&
                         f.recovery.reason != challenge_reason::user_authentication;
    if (f.in_session && f.recovery.just_obtained_by && refused && !j.plan.step_up)
        return answer_with(
            j, say(fault::session_over,
                   "upstream " + name + " refuses a token that was just obtained: the session is over",
                   "begin a new session with `initialize`"));
    if (j.plan.last_try && f.silent_failure && !f.silent_failure->transient) {
        j.plan.silent.clear();
        j.plan.final = true;
        j.facts.reason = challenge_reason::insufficient_scope;
        j.plan.explanation =
            "the upstream asks for nothing beyond what was already requested, and its token can't be "
            "renewed: " +
            f.silent_failure->message;
    }
    const bool passes = j.plan.final || j.plan.hopeless();
    j.rule = decide(rules, j.facts);
    if (j.rule.action == rule_action::pass) {
        j.move = next_move::relay;
        j.why = say(fault::reauth_failed, "the policy passes this challenge to the client");
        return j;
    }
    if (passes) {
        j.final = j.plan.final;
        auto why = say(code_for(j.facts), "upstream " + name + ": " + j.plan.explanation);
        return answer_with(j, std::move(why));
    }
    return by_rule(std::move(j), f);
}

} // namespace reauth
