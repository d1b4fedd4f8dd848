// Legs 2 and 3 of enterprise-managed authorization: the two planes of a mint.
#include "idp_samples.hpp"

using namespace reauth;
using namespace reauth::test;

TEST_CASE("a mint goes through both legs, each in its own plane") {
    fixed_world world;
    flow_script script;
    script.on(idp_token, 200, good_jag).on(as_token, 200, good_token);
    const auto m = script.run(mint_credential(world.env, mint_inputs()));
    REQUIRE(m.outcome.has_value());
    REQUIRE(script.requests.size() == 2);
    const auto leg2 = script.body(0), leg3 = script.body(1);
    CHECK(script.requests[0].url == idp_token);
    CHECK(form_field(leg2, "grant_type") == std::string(grant_token_exchange));
    CHECK(form_field(leg2, "requested_token_type") == std::string(token_type_id_jag));
    CHECK(form_field(leg2, "audience") == "https://as.example");
    CHECK(form_field(leg2, "resource") == "https://mcp.example");
    CHECK(form_field(leg2, "scope") == "read");
    CHECK(form_field(leg2, "subject_token") == "idt-s3cr3t");
    CHECK(form_field(leg2, "subject_token_type") == std::string(token_type_id_token));
    CHECK(form_field(leg2, "client_id") == "idp-client");
    CHECK(form_field(leg2, "client_secret") == "idp-client-s3cr3t");
    CHECK(form_field(leg3, "grant_type") == std::string(grant_jwt_bearer));
    CHECK(form_field(leg3, "assertion") == "jag-s3cr3t");
    CHECK(form_field(leg3, "client_id") == "client-1");
    CHECK(form_field(leg3, "client_secret") == "client-s3cr3t");
    CHECK(form_field(leg3, "resource") == "https://mcp.example");
    CHECK(m.outcome->issuer == "https://as.example");
    CHECK(m.outcome->requested == scope_set{"read"});
    CHECK(m.outcome->refresh_token.empty());
    CHECK_FALSE(contains(leg2, "client-1"));
    CHECK_FALSE(contains(leg3, "idp-client"));
}

TEST_CASE("an expired ID token is replaced by the IdP refresh token, and without one the session is gone") {
    fixed_world world;
    flow_script script;
    script.on(idp_token, 200, good_jag).on(as_token, 200, good_token);
    auto in = mint_inputs();
    in.session.expires_at = noon;
    REQUIRE(script.run(mint_credential(world.env, in)).outcome.has_value());
    CHECK(form_field(script.body(0), "subject_token") == "idp-rt-s3cr3t");
    CHECK(form_field(script.body(0), "subject_token_type") == std::string(token_type_refresh_token));
    in.session.refresh_token = secret();
    auto m = script.run(mint_credential(world.env, in));
    CHECK(m.session_gone);
    CHECK(m.outcome.error().code == fault::reauth_failed);
    CHECK(contains(m.outcome.error().fix, "log in"));
    in.session.supplied = true;
    m = script.run(mint_credential(world.env, in));
    CHECK(contains(m.outcome.error().fix, "supply a fresh ID token"));
    CHECK(script.requests.size() == 2);
}

TEST_CASE("subject: refresh_token begins with the session's refresh token though its ID token is good") {
    fixed_world world;
    flow_script script;
    script.on(idp_token, 200, good_jag).on(as_token, 200, good_token);
    auto in = mint_inputs();
    in.subject = exchange_subject::refresh_token;
    in.session.refresh_token = secret("idp-refresh");
    REQUIRE(script.run(mint_credential(world.env, in)).outcome.has_value());
    CHECK(form_field(script.body(0), "subject_token_type") == std::string(token_type_refresh_token));
    CHECK(form_field(script.body(0), "subject_token") == "idp-refresh");
    // without one no login would help
    in.session.refresh_token = secret();
    const auto m = script.run(mint_credential(world.env, in));
    CHECK_FALSE(m.session_gone);
    REQUIRE(m.outcome.has_error());
    CHECK(contains(m.outcome.error().fix, "subject: session"));
}

TEST_CASE("invalid_grant on leg 2 means the session is gone, on leg 3 it does not") {
    fixed_world world;
    flow_script leg2;
    leg2.on(idp_token, 400, R"({"error":"invalid_grant"})");
    auto m = leg2.run(mint_credential(world.env, mint_inputs()));
    CHECK_FALSE(m.outcome.has_value());
    CHECK(m.session_gone);
    CHECK(m.worth_renewing);
    CHECK(leg2.requests.size() == 1);
    auto in = mint_inputs();
    in.session.expires_at = noon;
    CHECK_FALSE(leg2.run(mint_credential(world.env, in)).worth_renewing);
    in = mint_inputs();
    in.session.refresh_token = secret();
    CHECK_FALSE(leg2.run(mint_credential(world.env, in)).worth_renewing);
    flow_script leg3;
    leg3.on(idp_token, 200, good_jag).on(as_token, 400, R"({"error":"invalid_grant"})");
    m = leg3.run(mint_credential(world.env, mint_inputs()));
    CHECK_FALSE(m.outcome.has_value());
    CHECK_FALSE(m.session_gone);
    CHECK(contains(m.outcome.error().message, "authorization server of files"));
    CHECK(leg3.requests.size() == 2);
}

TEST_CASE("a refusal of the organisation is told in its own words and ends the mint") {
    fixed_world world;
    for (const auto* error :
         {"access_denied", "invalid_target", "insufficient_user_authentication", "interaction_required"}) {
        flow_script script;
        script.on(idp_token, 400, json{{"error", error}, {"error_description", "Ask Grace in IT"}}.dump());
        const auto m = script.run(mint_credential(world.env, mint_inputs()));
        REQUIRE_FALSE(m.outcome.has_value());
        CHECK_FALSE(m.session_gone);
        CHECK(contains(m.outcome.error().message, "identity provider acme: "));
        CHECK(contains(m.outcome.error().message, "Ask Grace in IT"));
        CHECK(m.outcome.error().oauth_error == error);
        CHECK(script.requests.size() == 1);
    }
}

TEST_CASE("an ID-JAG is redeemed once: after trouble on leg 3 a new one is asked for") {
    fixed_world world;
    flow_script script;
    script.on(idp_token, 200, good_jag).on(as_token, 503, "").on(as_token, 200, good_token);
    CHECK(script.run(mint_credential(world.env, mint_inputs())).outcome.has_value());
    CHECK(script.urls() == std::vector<std::string>{idp_token, as_token, idp_token, as_token});
    CHECK(script.pauses.size() == 1);
    flow_script down;
    down.on(idp_token, 200, good_jag).on(as_token, 503, "");
    const auto m = down.run(mint_credential(world.env, mint_inputs()));
    CHECK(m.outcome.error().transient);
    CHECK(down.requests.size() == 8);
}

TEST_CASE("an IdP that is down leaves the session and everything else as it is") {
    fixed_world world;
    flow_script script;
    script.on(idp_token, no_answer());
    const auto m = script.run(mint_credential(world.env, mint_inputs()));
    CHECK(m.outcome.error().transient);
    CHECK_FALSE(m.session_gone);
    CHECK(script.requests.size() == 4);
}

TEST_CASE("an answer that is no ID-JAG is not taken to the upstream's server") {
    fixed_world world;
    flow_script script;
    script.on(idp_token, 200, good_token);
    CHECK_FALSE(script.run(mint_credential(world.env, mint_inputs())).outcome.has_value());
    CHECK(script.requests.size() == 1);
}

TEST_CASE("the organisation's assertion goes to a trusted issuer only, checked before the IdP is asked") {
    fixed_world world;
    flow_script script;
    auto in = mint_inputs();
    in.trust.configured_issuer = "";
    const auto m = script.run(mint_credential(world.env, in));
    CHECK(m.outcome.error().code == fault::issuer_not_pinned);
    CHECK(script.requests.empty());
}

TEST_CASE("a narrower grant is stored as it is") {
    fixed_world world;
    flow_script script;
    script.on(idp_token, 200, good_jag)
        .on(as_token, 200, R"({"access_token":"at-s3cr3t","token_type":"Bearer","scope":"list"})");
    const auto m = script.run(mint_credential(world.env, mint_inputs()));
    REQUIRE(m.outcome.has_value());
    CHECK(m.outcome->granted == scope_set{"list"});
    CHECK(m.outcome->requested == scope_set{"read"});
}

TEST_CASE("a mint fails sanely at every step") {
    fixed_world world;
    const auto never = [](std::size_t) { return false; };
    fail_at_every_step(
        [&](flow_script& script) {
            script.on(idp_token, 200, good_jag).on(as_token, 200, good_token);
            return failure_of(script.run(mint_credential(world.env, mint_inputs())).outcome);
        },
        never);
    abandon_at_every_step<minted>([&] { return mint_credential(world.env, mint_inputs()); },
                                  [](flow_script&) {});
}
