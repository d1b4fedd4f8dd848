// What a caller has shown, exchanged for what a server takes; and the keys that it is verified with.
#include "policy/flows/enterprise_flow.hpp"
#include "policy/flows/exchange_flow.hpp"
#include "policy/flows/key_lookup_flow.hpp"
#include "policy/rules/judgement.hpp"
#include "samples.hpp"

using namespace reauth;
using namespace reauth::test;
using std::chrono::seconds;

namespace {

const std::string exchanged =
    R"({"access_token":"at-s3cr3t","issued_token_type":"urn:ietf:params:oauth:token-type:access_token",)"
    R"("token_type":"Bearer","expires_in":3600})";

exchange_inputs of_ada(const fixed_world& world, seconds left = seconds(600)) {
    exchange_inputs in;
    in.trust = {"files", "https://mcp.example/mcp", "https://as.example", "the caller's token"};
    in.server = sample_server();
    in.client = secret_client();
    in.caller = {secret("caller-s3cr3t"), false, world.env.now() + left};
    in.exchange.requested_token_type.clear();
    in.exchange.audience = "files";
    in.exchange.resource = "https://mcp.example/mcp";
    in.exchange.scope = {"read"};
    in.retry = retry_schedule::never();
    return in;
}

recovery_facts exchanging(bool login, challenge_reason reason = challenge_reason::token_expired) {
    recovery_facts f;
    f.grant = grant_kind::token_exchange;
    f.reason = reason;
    f.held = true;
    f.requested = f.granted = {"read"};
    f.exchange_login = login;
    return f;
}

judgement judged(recovery_facts recovery, const std::string& oauth_error) {
    judgement_facts f;
    f.recovery = std::move(recovery);
    f.request.upstream = "files";
    f.request.operations = {{"tools/call", "t"}};
    f.silent_failure = failure::permanent(fault::reauth_failed, "refused").with_oauth_error(oauth_error);
    return judge(rule_set{builtin_rules()}, f);
}

} // namespace

TEST_CASE("a caller's token is exchanged with all that the configuration says, and what came ends with it") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, exchanged);
    auto in = of_ada(world);
    in.exchange.actor_token = secret("actor-s3cr3t");
    in.issuer = "https://other.example";
    const auto made = script.run(exchange_token(world.env, in));
    REQUIRE(made.has_value());
    CHECK(form_field(script.body(), "grant_type") == "urn:ietf:params:oauth:grant-type:token-exchange");
    CHECK(form_field(script.body(), "subject_token") == "caller-s3cr3t");
    CHECK(form_field(script.body(), "subject_token_type") == "urn:ietf:params:oauth:token-type:access_token");
    CHECK(form_field(script.body(), "actor_token") == "actor-s3cr3t");
    CHECK(form_field(script.body(), "actor_token_type") == "urn:ietf:params:oauth:token-type:jwt");
    CHECK(form_field(script.body(), "audience") == "files");
    CHECK(form_field(script.body(), "scope") == "read");
    CHECK(form_field(script.body(), "requested_token_type") == "(none)");
    CHECK(made->issuer == "https://other.example");
    CHECK(made->expires_at == in.caller.until);
    CHECK(made->refresh_token.empty());
    flow_script shorter;
    shorter.on(token_endpoint, 200, exchanged);
    in = of_ada(world, seconds(7200));
    in.caller.id_token = true;
    CHECK(shorter.run(exchange_token(world.env, in))->expires_at == world.env.now() + seconds(3600));
    CHECK(form_field(shorter.body(), "subject_token_type") == "urn:ietf:params:oauth:token-type:id_token");
    CHECK(form_field(shorter.body(), "actor_token") == "(none)");
}

TEST_CASE("an exchange keeps the word of its refusal, and takes nothing but a token that can be sent") {
    fixed_world world;
    for (const auto* word : {"interaction_required", "consent_required", "invalid_target", "invalid_grant"}) {
        flow_script script;
        script.on(token_endpoint, 400, R"({"error":")" + std::string(word) + R"("})");
        CHECK(script.run(exchange_token(world.env, of_ada(world))).error().oauth_error == word);
    }
    flow_script assertion;
    assertion.on(token_endpoint, 200, R"({"access_token":"x","issued_token_type":"y","token_type":"N_A"})");
    CHECK_FALSE(assertion.run(exchange_token(world.env, of_ada(world))).has_value());
    flow_script silent;
    CHECK_FALSE(silent.run(exchange_token(world.env, of_ada(world, seconds(0)))).has_value());
    CHECK(silent.requests.empty());
}

TEST_CASE("a caller's token goes to no issuer that the configuration does not name") {
    fixed_world world;
    flow_script script;
    auto in = of_ada(world);
    in.trust.configured_issuer.clear();
    CHECK(script.run(exchange_token(world.env, in)).error().code == fault::issuer_not_pinned);
    in.trust.configured_issuer = "https://idp.example";
    CHECK(script.run(exchange_token(world.env, in)).error().code == fault::issuer_not_pinned);
    CHECK(script.requests.empty());
}

TEST_CASE("legs 2 and 3 may begin with what the caller has shown: no session is needed, and none ends") {
    fixed_world world;
    const auto idp = sample_server("https://idp.example");
    enterprise_inputs in;
    in.trust = {"files", "https://mcp.example/mcp", "https://as.example", "the organisation's assertion"};
    in.idp = idp;
    in.idp_client = secret_client("https://idp.example").identity;
    in.subject = exchange_subject::caller;
    in.caller = {secret("caller-s3cr3t"), true, world.env.now() + seconds(30)};
    in.server = sample_server();
    in.client = secret_client();
    in.scopes = {"read"};
    in.retry = retry_schedule::never();
    flow_script script;
    script.on(
        idp.token_endpoint, 200,
        R"({"access_token":"jag","issued_token_type":"urn:ietf:params:oauth:token-type:id-jag","token_type":"N_A"})");
    script.on(token_endpoint, 200, good_token);
    const auto made = script.run(mint_credential(world.env, in));
    REQUIRE(made.outcome.has_value());
    CHECK(form_field(script.body(0), "subject_token") == "caller-s3cr3t");
    CHECK(form_field(script.body(0), "subject_token_type") == "urn:ietf:params:oauth:token-type:id_token");
    CHECK(form_field(script.body(0), "requested_token_type") == "urn:ietf:params:oauth:token-type:id-jag");
    CHECK(made.outcome->expires_at == in.caller.until);
    flow_script refused;
    refused.on(idp.token_endpoint, 400, R"({"error":"invalid_grant"})");
    CHECK_FALSE(refused.run(mint_credential(world.env, in)).session_gone);
}

TEST_CASE("an exchange is silent; a person's login follows only where `fallback` says so") {
    auto plan = plan_recovery(exchanging(false));
    CHECK(plan.silent == std::vector{recovery_step::token_exchange});
    CHECK_FALSE(plan.person);
    plan = plan_recovery(exchanging(true));
    CHECK(plan.person == recovery_step::login);
    auto f = exchanging(true);
    f.refresh_token = true; // of a login
    CHECK(plan_recovery(f).silent == std::vector{recovery_step::refresh, recovery_step::token_exchange});
    f.reason = challenge_reason::insufficient_scope;
    f.challenged = {"write"};
    plan = plan_recovery(f);
    CHECK(plan.silent == std::vector{recovery_step::token_exchange});
    CHECK(plan.silent_scopes == scope_set{"read", "write"});
    CHECK(plan_recovery(exchanging(false, challenge_reason::user_authentication)).final);
    CHECK(plan_recovery(exchanging(true, challenge_reason::user_authentication)).person ==
          recovery_step::login);
}

TEST_CASE("a refused exchange asks a person only for what a person can help") {
    for (const auto* word :
         {"interaction_required", "consent_required", "login_required", "invalid_target"}) {
        INFO(word);
        CHECK(judged(exchanging(true), word).move == next_move::ask);
        CHECK(judged(exchanging(false), word).move == next_move::answer);
    }
    for (const auto* word : {"invalid_grant", "unauthorized_client", "invalid_scope", ""})
        CHECK(judged(exchanging(true), word).move == next_move::answer);
}

TEST_CASE("an issuer's keys are where it says, and are a key set") {
    fixed_world world;
    const std::string metadata = "https://idp.example/.well-known/openid-configuration";
    const std::string jwks = R"({"keys":[{"kty":"EC"}]})";
    const auto found = [&](const std::string& body, unsigned status = 200) {
        flow_script script;
        script.on("https://keys.example/k", status, body);
        return script.run(look_up_keys("https://idp.example", "https://keys.example/k"));
    };
    CHECK(found(jwks).value() == jwks);
    CHECK(found(R"({"keys":[]})").error().transient);
    CHECK(found(R"({"keys":{}})").error().transient);
    CHECK(found("<html>").error().transient);
    CHECK(found(jwks, 500).error().transient);
    CHECK(found(R"({"keys":[")" + std::string(300'000, 'x') + "\"]}").error().transient);
    flow_script discovered;
    discovered.on("https://idp.example/.well-known/oauth-authorization-server", 404, "");
    discovered.on(metadata, 200, R"({"issuer":"https://idp.example","jwks_uri":"https://idp.example/jwks"})");
    discovered.on("https://idp.example/jwks", 200, jwks);
    CHECK(discovered.run(look_up_keys("https://idp.example", "")).value() == jwks);
    flow_script another;
    another.on("https://idp.example/.well-known/oauth-authorization-server", 404, "");
    another.on(metadata, 200, R"({"issuer":"https://evil.example","jwks_uri":"https://evil.example/jwks"})");
    CHECK_FALSE(another.run(look_up_keys("https://idp.example", "")).has_value());
}
