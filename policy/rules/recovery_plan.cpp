// The table's rows in order, and the scopes of each.
#include "policy/rules/recovery_plan.hpp"

#include <algorithm>

namespace reauth {

std::string_view to_string(recovery_step r) noexcept {
    switch (r) {
    case recovery_step::refresh:
        return "refresh";
    case recovery_step::client_credentials:
        return "client_credentials";
    case recovery_step::jwt_bearer:
        return "jwt_bearer";
    case recovery_step::token_exchange:
        return "token_exchange";
    case recovery_step::enterprise_mint:
        return "enterprise_mint";
    case recovery_step::static_token:
        return "static_token";
    case recovery_step::login:
        return "login";
    case recovery_step::idp_login:
        return "idp_login";
    }
    return "login";
}

std::optional<challenge_reason> reason_for(challenge_kind kind) noexcept {
    switch (kind) {
    case challenge_kind::unauthorized:
        return challenge_reason::unauthorized;
    case challenge_kind::token_expired:
        return challenge_reason::token_expired;
    case challenge_kind::invalid_token:
        return challenge_reason::invalid_token;
    case challenge_kind::insufficient_scope:
        return challenge_reason::insufficient_scope;
    case challenge_kind::user_authentication:
        return challenge_reason::user_authentication;
    case challenge_kind::not_a_challenge:
    case challenge_kind::dpop_nonce:
        break;
    }
    return std::nullopt;
}

scope_set first_scopes(const std::optional<scope_set>& configured, const scope_set& challenged,
                       const scope_set& supported) {
    if (configured)
        return *configured;
    return challenged.empty() ? supported : challenged;
}

namespace {

/// RFC 9470: nothing silent brings a person back to the provider; where a person was there for it, what their
/// session is good for is minted anew.
std::vector<recovery_step> steps_for_a_person(const recovery_facts& f) {
    const bool exchange_with_login = f.grant == grant_kind::token_exchange && f.exchange_login;
    if (f.grant == grant_kind::authorization_code || exchange_with_login)
        return {recovery_step::login};
    if (f.grant == grant_kind::enterprise && f.signed_in_anew && f.idp_session)
        return {recovery_step::enterprise_mint};
    if ((f.grant == grant_kind::enterprise || f.grant == grant_kind::idp_session) && f.idp_login)
        return {recovery_step::idp_login};
    return {};
}

std::vector<recovery_step> steps_for(const recovery_facts& f, bool step_up) {
    if (f.reason == challenge_reason::user_authentication)
        return steps_for_a_person(f);
    if (f.grant == grant_kind::authorization_code) {
        // A refresh cannot add scope (RFC 6749 §6), so a step-up begins with the person.
        if (f.refresh_token && !step_up)
            return {recovery_step::refresh, recovery_step::login};
        return {recovery_step::login};
    }
    if (f.grant == grant_kind::enterprise) {
        std::vector<recovery_step> steps;
        if (f.idp_session)
            steps.push_back(recovery_step::enterprise_mint);
        if (f.idp_login)
            steps.push_back(recovery_step::idp_login);
        return steps;
    }
    if (f.grant == grant_kind::token_exchange) {
        std::vector<recovery_step> steps;
        if (f.refresh_token && !step_up) // what a login has brought
            steps.push_back(recovery_step::refresh);
        steps.push_back(recovery_step::token_exchange);
        if (f.exchange_login)
            steps.push_back(recovery_step::login);
        return steps;
    }
    if (f.grant == grant_kind::client_credentials)
        return {recovery_step::client_credentials};
    if (f.grant == grant_kind::jwt_bearer && !step_up)
        return {recovery_step::jwt_bearer};
    if (f.grant == grant_kind::static_token && !step_up)
        return {recovery_step::static_token};
    if (f.grant == grant_kind::idp_session) {
        std::vector<recovery_step> steps;
        if (f.refresh_token)
            steps.push_back(recovery_step::refresh);
        if (f.idp_login)
            steps.push_back(recovery_step::idp_login);
        return steps;
    }
    return {};
}

void climb(recovery_plan& plan, const recovery_facts& f) {
    for (const auto r : steps_for(f, plan.step_up)) {
        // The order of the enumerators within one grant is the order of its steps_for.
        if (f.just_obtained_by && !plan.step_up && !f.signed_in_anew && r <= *f.just_obtained_by)
            continue;
        if (needs_person(r))
            plan.person = r;
        else
            plan.silent.push_back(r);
    }
}

void choose_scopes(recovery_plan& plan, const recovery_facts& f, const scope_set& stored) {
    const bool forbidden = f.reason == challenge_reason::insufficient_scope;
    if (!f.held) {
        plan.login_scopes = first_scopes(f.configured, f.challenged, f.supported);
        if (forbidden)
            plan.login_scopes = plan.login_scopes.united_with(f.challenged);
        plan.silent_scopes = plan.login_scopes;
        plan.added = plan.login_scopes;
        return;
    }
    if (f.reason == challenge_reason::user_authentication) {
        plan.silent_scopes = plan.login_scopes = f.requested.united_with(f.challenged);
        plan.added = plan.login_scopes.without(stored);
        return;
    }
    if (!plan.step_up) {
        plan.silent_scopes = f.requested;
        plan.login_scopes = f.configured ? *f.configured : f.challenged;
        if (plan.login_scopes.empty())
            plan.login_scopes = f.requested;
        return;
    }
    plan.silent_scopes = f.requested.united_with(f.challenged);
    if (forbidden)
        plan.login_scopes = plan.silent_scopes;
    else
        plan.login_scopes = f.configured ? f.configured->united_with(f.challenged) : f.challenged;
    const bool by_machine = !plan.person || !plan.silent.empty();
    plan.added = (by_machine ? plan.silent_scopes : plan.login_scopes).without(stored);
}

std::string explain(const recovery_plan& plan, const recovery_facts& f) {
    if (plan.final && plan.step_up)
        return std::string(to_string(f.grant)) + " cannot ask for more scope";
    if (plan.final && f.reason == challenge_reason::insufficient_scope && !f.granted.empty() &&
        !f.granted.covers(f.challenged))
        return "it needs " + f.challenged.without(f.granted).to_string() +
               ", which was requested but not granted, so asking again would not help";
    if (plan.last_try)
        return "the upstream asks for nothing beyond what was already requested; its token is renewed once";
    if (plan.final && f.reason == challenge_reason::insufficient_scope)
        return "the upstream asks for nothing beyond what was already requested, so asking again would not "
               "help";
    if (f.reason == challenge_reason::user_authentication) {
        if (plan.final && f.just_obtained_by)
            return "the upstream wants a sign-in of another kind than the one that was just made";
        if (plan.final)
            return "the upstream wants a person to sign in anew, and grant " +
                   std::string(to_string(f.grant)) + " has none";
        return plan.person ? "a fresh sign-in by " + std::string(to_string(*plan.person))
                           : "renewal for the person who has just signed in";
    }
    if (plan.final && f.just_obtained_by)
        return "the upstream refuses a token that was just obtained by " +
               std::string(to_string(*f.just_obtained_by)) +
               (f.audience.empty() ? std::string()
                                   : ", which is for " + f.audience + ": compare `resource` with it");
    if (plan.final)
        return "nothing can be renewed with grant " + std::string(to_string(f.grant));
    std::string text = plan.step_up ? "step-up by " : "renewal by ";
    if (!f.held)
        text = "first credential by ";
    for (const auto r : plan.silent)
        text += std::string(to_string(r)) + ", else ";
    if (plan.person)
        return text + std::string(to_string(*plan.person));
    return text.substr(0, text.size() - std::string_view(", else ").size());
}

} // namespace

recovery_plan plan_recovery(const recovery_facts& f) {
    recovery_plan plan;
    const bool forbidden = f.reason == challenge_reason::insufficient_scope;
    const auto stored = f.requested.united_with(f.granted);
    // Where nothing was requested and the server said nothing, what is held is unknown and cannot be called
    // less.
    const bool known = !stored.empty();
    const bool wants_more = f.held && (known || forbidden) && !stored.covers(f.challenged);
    plan.step_up = wants_more;
    plan.judged_as = wants_more || forbidden ? challenge_reason::insufficient_scope : f.reason;
    const bool nothing_new = forbidden && f.held && f.requested.covers(f.challenged);
    // its token may simply be dead: as a 401, once
    const bool all_granted = f.granted.empty() || f.granted.covers(f.challenged);
    if (nothing_new && all_granted && !f.just_obtained_by)
        climb(plan, f);
    plan.person = nothing_new ? std::nullopt : plan.person;
    if (nothing_new && !plan.silent.empty()) {
        plan.last_try = true;
        plan.judged_as = challenge_reason::invalid_token;
    } else if (nothing_new) {
        plan.final = true;
    } else {
        plan.step_up = wants_more || (forbidden && f.held);
        climb(plan, f);
        plan.final = plan.hopeless();
    }
    choose_scopes(plan, f, stored);
    if (plan.last_try)
        plan.added = {};
    plan.explanation = explain(plan, f);
    return plan;
}

} // namespace reauth
