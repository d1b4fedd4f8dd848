// The recovery table, row by row.
#include "policy/rules/recovery_plan.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using enum challenge_reason;
using enum grant_kind;

namespace {

recovery_facts held(grant_kind grant, challenge_reason reason, scope_set challenged = {}) {
    recovery_facts f;
    f.grant = grant;
    f.reason = reason;
    f.challenged = std::move(challenged);
    f.held = true;
    f.refresh_token = f.grant == grant_kind::authorization_code;
    f.idp_session = f.grant == grant_kind::enterprise;
    f.requested = {"read", "list"};
    f.granted = {"read", "list"};
    return f;
}

using steps = std::vector<recovery_step>;

} // namespace

TEST_CASE("401 with a refresh token: refresh, else a login") {
    for (const auto reason : {unauthorized, token_expired, invalid_token}) {
        const auto plan = plan_recovery(held(authorization_code, reason));
        CHECK(plan.silent == steps{recovery_step::refresh});
        CHECK(plan.person == recovery_step::login);
        CHECK_FALSE(plan.step_up);
        CHECK(plan.judged_as == reason);
        CHECK(plan.silent_scopes == scope_set{"read", "list"});
        CHECK(plan.added.empty());
        CHECK(plan.explanation == "renewal by refresh, else login");
    }
}

TEST_CASE("401 without a refresh token: a login") {
    auto f = held(authorization_code, token_expired);
    f.refresh_token = false;
    const auto plan = plan_recovery(f);
    CHECK(plan.silent.empty());
    CHECK(plan.person == recovery_step::login);
    CHECK(plan.login_scopes == scope_set{"read", "list"});
}

TEST_CASE("401 of enterprise with an IdP session: legs 2 and 3, then the IdP's login, never the upstream's") {
    const auto plan = plan_recovery(held(enterprise, token_expired));
    CHECK(plan.silent == steps{recovery_step::enterprise_mint});
    CHECK(plan.person == recovery_step::idp_login);
    auto f = held(enterprise, token_expired);
    f.idp_session = false;
    CHECK(plan_recovery(f).silent.empty());
    CHECK(plan_recovery(f).person == recovery_step::idp_login);
}

TEST_CASE("401 of a machine: a new token, never a person") {
    const auto machine = plan_recovery(held(client_credentials, token_expired));
    CHECK(machine.silent == steps{recovery_step::client_credentials});
    CHECK_FALSE(machine.person);
    CHECK(machine.explanation == "renewal by client_credentials");
    const auto workload = plan_recovery(held(jwt_bearer, invalid_token));
    CHECK(workload.silent == steps{recovery_step::jwt_bearer});
    CHECK_FALSE(workload.person);
}

TEST_CASE("401 with a static token: it is read again, and nobody is asked") {
    const auto plan = plan_recovery(held(static_token, invalid_token));
    CHECK(plan.silent == steps{recovery_step::static_token});
    CHECK_FALSE(plan.person);
    CHECK(plan.explanation == "renewal by static_token");
}

TEST_CASE("a session at an identity provider is renewed with its refresh token, else by a login there") {
    auto facts = held(idp_session, invalid_token);
    facts.refresh_token = true;
    auto plan = plan_recovery(facts);
    CHECK(plan.silent == steps{recovery_step::refresh});
    CHECK(plan.person == recovery_step::idp_login);
    facts.idp_login = false;
    CHECK_FALSE(plan_recovery(facts).person);
}

TEST_CASE("401 with nothing held: by grant, with the first scopes") {
    recovery_facts f;
    f.challenged = {"files"};
    auto plan = plan_recovery(f);
    CHECK(plan.person == recovery_step::login);
    CHECK(plan.silent.empty());
    CHECK(plan.login_scopes == scope_set{"files"});
    CHECK(plan.added == scope_set{"files"});
    CHECK(plan.judged_as == unauthorized);
    CHECK_FALSE(plan.step_up);
    CHECK(plan.explanation == "first credential by login");
    f.grant = grant_kind::client_credentials;
    plan = plan_recovery(f);
    CHECK(plan.silent == steps{recovery_step::client_credentials});
    CHECK(plan.silent_scopes == scope_set{"files"});
    f.grant = grant_kind::enterprise;
    f.idp_session = true;
    plan = plan_recovery(f);
    CHECK(plan.silent == steps{recovery_step::enterprise_mint});
    CHECK(plan.person == recovery_step::idp_login);
}

TEST_CASE("first scopes: configured, else challenged, else supported, else none") {
    CHECK(first_scopes(scope_set{"c"}, {"x"}, {"s"}) == scope_set{"c"});
    CHECK(first_scopes(scope_set{}, {"x"}, {"s"}).empty());
    CHECK(first_scopes({}, {"x"}, {"s"}) == scope_set{"x"});
    CHECK(first_scopes({}, {}, {"s"}) == scope_set{"s"});
    CHECK(first_scopes({}, {}, {}).empty());
}

TEST_CASE("a renewal asks for exactly the stored set, whatever the challenge repeats of it") {
    const auto plan = plan_recovery(held(client_credentials, invalid_token, {"read"}));
    CHECK_FALSE(plan.step_up);
    CHECK(plan.silent_scopes == scope_set{"read", "list"});
}

TEST_CASE("a login after a 401 replaces the set") {
    auto f = held(authorization_code, invalid_token, {"read"});
    CHECK(plan_recovery(f).login_scopes == scope_set{"read"});
    f.configured = scope_set{"configured"};
    CHECK(plan_recovery(f).login_scopes == scope_set{"configured"});
}

TEST_CASE("a 401 that wants more than what is stored is a step-up and judged as one") {
    auto f = held(authorization_code, invalid_token, {"read", "admin"});
    auto plan = plan_recovery(f);
    CHECK(plan.step_up);
    CHECK(plan.judged_as == insufficient_scope);
    CHECK(plan.silent.empty());
    CHECK(plan.person == recovery_step::login);
    CHECK(plan.login_scopes == scope_set{"read", "admin"});
    CHECK(plan.added == scope_set{"admin"});
    CHECK(plan.explanation == "step-up by login");
    f.configured = scope_set{"configured"};
    CHECK(plan_recovery(f).login_scopes == scope_set{"configured", "read", "admin"});
    f = held(client_credentials, unauthorized, {"admin"});
    plan = plan_recovery(f);
    CHECK(plan.silent_scopes == scope_set{"read", "list", "admin"});
    CHECK(plan.added == scope_set{"admin"});
}

TEST_CASE("where the stored set is unknown a 401 stays a renewal") {
    auto f = held(authorization_code, invalid_token, {"read"});
    f.requested = {};
    f.granted = {};
    const auto plan = plan_recovery(f);
    CHECK_FALSE(plan.step_up);
    CHECK(plan.silent == steps{recovery_step::refresh});
    CHECK(plan.silent_scopes.empty());
}

TEST_CASE("what was granted beyond the request counts as stored") {
    auto f = held(authorization_code, invalid_token, {"extra"});
    f.granted = {"read", "list", "extra"};
    CHECK_FALSE(plan_recovery(f).step_up);
}

TEST_CASE("403 insufficient_scope: a login with the union, never a refresh") {
    const auto plan = plan_recovery(held(authorization_code, insufficient_scope, {"write"}));
    CHECK(plan.step_up);
    CHECK(plan.silent.empty());
    CHECK(plan.person == recovery_step::login);
    CHECK(plan.login_scopes == scope_set{"read", "list", "write"});
    CHECK(plan.added == scope_set{"write"});
}

TEST_CASE("403 insufficient_scope keeps the union also where scopes are configured") {
    auto f = held(authorization_code, insufficient_scope, {"write"});
    f.configured = scope_set{"read"};
    CHECK(plan_recovery(f).login_scopes == scope_set{"read", "list", "write"});
}

TEST_CASE("403 insufficient_scope of enterprise and machines: a new token with the union") {
    auto plan = plan_recovery(held(enterprise, insufficient_scope, {"write"}));
    CHECK(plan.silent == steps{recovery_step::enterprise_mint});
    CHECK(plan.person == recovery_step::idp_login);
    CHECK(plan.silent_scopes == scope_set{"read", "list", "write"});
    CHECK(plan.added == scope_set{"write"});
    plan = plan_recovery(held(client_credentials, insufficient_scope, {"write"}));
    CHECK(plan.silent == steps{recovery_step::client_credentials});
    CHECK_FALSE(plan.person);
    CHECK(plan.silent_scopes == scope_set{"read", "list", "write"});
}

TEST_CASE("403 insufficient_scope of a workload or a static token is final") {
    for (const auto grant : {jwt_bearer, static_token}) {
        const auto plan = plan_recovery(held(grant, insufficient_scope, {"write"}));
        CHECK(plan.final);
        CHECK(plan.hopeless());
        CHECK(plan.explanation == std::string(to_string(grant)) + " cannot ask for more scope");
    }
}

TEST_CASE("a 403 that asks for nothing new is renewed silently once: its token may simply be dead") {
    for (const auto grant : {authorization_code, client_credentials, enterprise})
        for (const auto& challenged : {scope_set{}, scope_set{"read"}}) {
            auto f = held(grant, insufficient_scope, challenged);
            f.granted = f.requested;
            const auto plan = plan_recovery(f);
            CHECK(plan.last_try);
            CHECK_FALSE(plan.final);
            CHECK_FALSE(plan.step_up);
            CHECK(plan.silent.size() == 1);
            CHECK_FALSE(plan.person);
            CHECK(plan.silent_scopes == f.requested);
            CHECK(plan.added.empty());
            CHECK(plan.judged_as == invalid_token);
            f.just_obtained_by = plan.silent.front();
            CHECK(plan_recovery(f).final);
        }
    auto bare = held(authorization_code, insufficient_scope, {"read"});
    bare.granted = bare.requested;
    bare.refresh_token = false;
    CHECK(plan_recovery(bare).final);
}

TEST_CASE("a 403 for what was requested and not granted is final") {
    for (const auto& challenged : {scope_set{"read"}, scope_set{"list", "read"}}) {
        auto f = held(authorization_code, insufficient_scope, challenged);
        f.granted = {"list"};
        const auto plan = plan_recovery(f);
        CHECK(plan.final);
        CHECK(plan.hopeless());
        CHECK(plan.judged_as == insufficient_scope);
        CHECK(plan.added.empty());
    }
}

TEST_CASE("a step-up that was granted and did not help is final") {
    auto f = held(enterprise, insufficient_scope, {"write"});
    f.requested = {"read", "list", "write"};
    f.granted = f.requested;
    f.just_obtained_by = recovery_step::enterprise_mint;
    CHECK(plan_recovery(f).final);
}

TEST_CASE("403 insufficient_scope with nothing held is a first login with the challenge's scopes in it") {
    recovery_facts f;
    f.reason = insufficient_scope;
    f.challenged = {"write"};
    f.configured = scope_set{"read"};
    const auto plan = plan_recovery(f);
    CHECK(plan.person == recovery_step::login);
    CHECK(plan.login_scopes == scope_set{"read", "write"});
    CHECK(plan.judged_as == insufficient_scope);
    CHECK_FALSE(plan.final);
}

TEST_CASE("a token that was just obtained goes to the next step") {
    auto f = held(authorization_code, invalid_token);
    f.just_obtained_by = recovery_step::refresh;
    auto plan = plan_recovery(f);
    CHECK(plan.silent.empty());
    CHECK(plan.person == recovery_step::login);
    f.just_obtained_by = recovery_step::login;
    plan = plan_recovery(f);
    CHECK(plan.final);
    CHECK(plan.explanation == "the upstream refuses a token that was just obtained by login");
    f = held(enterprise, invalid_token);
    f.just_obtained_by = recovery_step::enterprise_mint;
    plan = plan_recovery(f);
    CHECK(plan.silent.empty());
    CHECK(plan.person == recovery_step::idp_login);
    f.just_obtained_by = recovery_step::idp_login;
    CHECK(plan_recovery(f).final);
    f = held(client_credentials, invalid_token);
    f.just_obtained_by = recovery_step::client_credentials;
    CHECK(plan_recovery(f).final);
}

TEST_CASE("a just obtained token may still be stepped up") {
    auto f = held(authorization_code, insufficient_scope, {"write"});
    f.just_obtained_by = recovery_step::login;
    const auto plan = plan_recovery(f);
    CHECK(plan.person == recovery_step::login);
    CHECK_FALSE(plan.final);
}

TEST_CASE("every step has a word and knows whether it needs a person") {
    CHECK(to_string(recovery_step::refresh) == "refresh");
    CHECK(to_string(recovery_step::client_credentials) == "client_credentials");
    CHECK(to_string(recovery_step::jwt_bearer) == "jwt_bearer");
    CHECK(to_string(recovery_step::enterprise_mint) == "enterprise_mint");
    CHECK(to_string(recovery_step::login) == "login");
    CHECK(to_string(recovery_step::idp_login) == "idp_login");
    CHECK(needs_person(recovery_step::login));
    CHECK(needs_person(recovery_step::idp_login));
    CHECK_FALSE(needs_person(recovery_step::refresh));
}

TEST_CASE("every challenge that asks for recovery has a reason") {
    CHECK(reason_for(challenge_kind::unauthorized) == unauthorized);
    CHECK(reason_for(challenge_kind::token_expired) == token_expired);
    CHECK(reason_for(challenge_kind::invalid_token) == invalid_token);
    CHECK(reason_for(challenge_kind::insufficient_scope) == insufficient_scope);
    CHECK_FALSE(reason_for(challenge_kind::not_a_challenge));
    CHECK_FALSE(reason_for(challenge_kind::dpop_nonce));
}
