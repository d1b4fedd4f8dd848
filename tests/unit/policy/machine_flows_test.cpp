// client_credentials, jwt_bearer and revocation.
#include "core/crypto/jose.hpp"
#include "policy/flows/client_credentials_flow.hpp"
#include "policy/flows/jwt_bearer_flow.hpp"
#include "policy/flows/revocation_flow.hpp"
#include "samples.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using namespace reauth::test;

namespace {

const std::string revoke_url = "https://as.example/revoke";

client_credentials_inputs machine() {
    client_credentials_inputs in;
    in.trust = {"ci", "https://mcp.example/mcp", "https://as.example", "the client secret"};
    in.server = sample_server();
    in.client = secret_client();
    in.scopes = {"read", "write"};
    in.resource = "https://mcp.example";
    return in;
}

jwt_bearer_inputs workload() {
    jwt_bearer_inputs in;
    in.trust = {"ci", "https://mcp.example/mcp", "https://as.example", "the workload assertion"};
    in.server = sample_server();
    in.client = sample_client();
    in.assertion = secret("assertion-s3cr3t");
    in.scopes = {"read"};
    in.resource = "https://mcp.example";
    return in;
}

revocation_inputs held() {
    revocation_inputs in;
    in.server = sample_server();
    in.client = sample_client();
    in.held.issuer = "https://as.example";
    in.held.access_token = secret("at-s3cr3t");
    in.held.refresh_token = secret("rt-s3cr3t");
    return in;
}

} // namespace

TEST_CASE("a machine asks with its secret, scopes and resource") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, good_token);
    const auto r = script.run(obtain_machine_credential(world.env, machine()));
    REQUIRE(r.has_value());
    CHECK(form_field(script.body(), "grant_type") == "client_credentials");
    CHECK(form_field(script.body(), "client_secret") == "client-s3cr3t");
    CHECK(form_field(script.body(), "scope") == "read write");
    CHECK(form_field(script.body(), "resource") == "https://mcp.example");
    CHECK(r->requested == scope_set{"read", "write"});
    CHECK(r->refresh_token.empty());
    CHECK(r->issuer == "https://as.example");
}

TEST_CASE("a machine may authenticate with a header or with a signed assertion") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 503, "").on(token_endpoint, 200, good_token);
    auto in = machine();
    in.client.identity.method = client_auth_method::client_secret_basic;
    REQUIRE(script.run(obtain_machine_credential(world.env, in)).has_value());
    CHECK(script.requests.back().authorization.reveal().starts_with("Basic "));
    flow_script signed_;
    signed_.on(token_endpoint, 503, "").on(token_endpoint, 200, good_token);
    in.client.identity.method = client_auth_method::private_key_jwt;
    in.client.identity.private_key = generate_ec_jwk().value();
    REQUIRE(signed_.run(obtain_machine_credential(world.env, in)).has_value());
    const auto claims = [&](std::size_t i) {
        return decode_jwt_claims(form_field(signed_.body(i), "client_assertion")).value();
    };
    CHECK(claims(0)["aud"] == "https://as.example");
    CHECK(claims(0)["jti"] != claims(1)["jti"]);
}

TEST_CASE("no secret and no assertion goes to an issuer that the operator has not named") {
    fixed_world world;
    flow_script script;
    auto m = machine();
    m.trust.configured_issuer = "";
    CHECK(script.run(obtain_machine_credential(world.env, m)).error().code == fault::issuer_not_pinned);
    auto w = workload();
    w.trust.configured_issuer = "https://other.example";
    const auto r = script.run(obtain_workload_credential(world.env, w));
    CHECK(r.error().code == fault::issuer_not_pinned);
    CHECK(contains(r.error().message, "the workload assertion"));
    CHECK(script.requests.empty());
}

TEST_CASE("a machine's refusal names the cause") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 401, R"({"error":"invalid_client","error_description":"secret has expired"})");
    const auto r = script.run(obtain_machine_credential(world.env, machine()));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().oauth_error == "invalid_client");
    CHECK(contains(r.error().message, "secret has expired"));
}

TEST_CASE("a machine's DPoP key is kept over its tokens") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, R"({"access_token":"at-s3cr3t","token_type":"DPoP"})");
    auto in = machine();
    in.dpop = true;
    const auto first = script.run(obtain_machine_credential(world.env, in));
    REQUIRE(first.has_value());
    CHECK_FALSE(first->dpop_key.empty());
    in.dpop_key = first->dpop_key;
    CHECK(script.run(obtain_machine_credential(world.env, in))->dpop_key == first->dpop_key);
    in.dpop_key = secret("broken");
    CHECK_FALSE(script.run(obtain_machine_credential(world.env, in)).has_value());
}

TEST_CASE("a workload presents its assertion once and never falls back") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, good_token);
    const auto r = script.run(obtain_workload_credential(world.env, workload()));
    REQUIRE(r.has_value());
    CHECK(form_field(script.body(), "grant_type") == std::string(grant_jwt_bearer));
    CHECK(form_field(script.body(), "assertion") == "assertion-s3cr3t");
    for (const unsigned status : {503u, 429u, 400u}) {
        flow_script down;
        down.on(token_endpoint, status, "");
        CHECK_FALSE(down.run(obtain_workload_credential(world.env, workload())).has_value());
        CHECK(down.requests.size() == 1);
        CHECK(down.pauses.empty());
    }
}

TEST_CASE("an empty assertion is a configuration error") {
    fixed_world world;
    flow_script script;
    auto in = workload();
    in.assertion = secret();
    CHECK(script.run(obtain_workload_credential(world.env, in)).error().code == fault::invalid_configuration);
    CHECK(script.requests.empty());
}

TEST_CASE("logout revokes the refresh token first, then the access token") {
    fixed_world world;
    flow_script script;
    script.on(revoke_url, 200, "");
    const auto done = script.run(revoke_credential(world.env, held()));
    CHECK(done.revoked == 2);
    CHECK(done.left.empty());
    CHECK_FALSE(done.trouble);
    REQUIRE(script.requests.size() == 2);
    CHECK(form_field(script.body(0), "token") == "rt-s3cr3t");
    CHECK(form_field(script.body(0), "token_type_hint") == "refresh_token");
    CHECK(form_field(script.body(1), "token") == "at-s3cr3t");
}

TEST_CASE("without a revocation endpoint, or at another issuer, what lives on is told") {
    fixed_world world;
    flow_script script;
    auto in = held();
    in.server.revocation_endpoint = "";
    in.held.expires_at = world.env.now() + std::chrono::minutes(5);
    auto done = script.run(revoke_credential(world.env, in));
    REQUIRE(done.left.size() == 2);
    CHECK(done.left[0].token == "refresh_token");
    CHECK_FALSE(done.left[0].until);
    CHECK(done.left[0].because == "https://as.example names no revocation endpoint");
    CHECK(done.left[1].until == in.held.expires_at);
    in.held.expires_at = world.env.now();
    done = script.run(revoke_credential(world.env, in));
    CHECK(done.left.size() == 1); // the access token has ended by itself
    in = held();
    in.held.issuer = "https://old.example";
    CHECK(script.run(revoke_credential(world.env, in)).revoked == 0);
    in = held();
    in.held.access_token = secret();
    in.held.refresh_token = secret();
    CHECK(script.run(revoke_credential(world.env, in)).left.empty());
    CHECK(script.requests.empty());
}

TEST_CASE("an access token that can't be revoked is told with the time of its end") {
    fixed_world world;
    flow_script script;
    script.on(revoke_url, 200, "").on(revoke_url, 400, R"({"error":"unsupported_token_type"})");
    auto in = held();
    in.held.expires_at = world.env.now() + std::chrono::minutes(5);
    const auto done = script.run(revoke_credential(world.env, in));
    CHECK(done.revoked == 1);
    CHECK_FALSE(done.trouble);
    REQUIRE(done.left.size() == 1);
    CHECK(done.left[0].until == in.held.expires_at);
}

TEST_CASE("a revocation that failed says which token may live on, and the other is still tried") {
    fixed_world world;
    flow_script script;
    script.on(revoke_url, no_answer()).on(revoke_url, 200, "");
    auto r = script.run(revoke_credential(world.env, held()));
    REQUIRE(r.trouble);
    CHECK(contains(r.trouble->message, "the refresh token was not revoked"));
    CHECK(r.trouble->transient);
    CHECK(script.requests.size() == 2);
    flow_script refused;
    refused.on(revoke_url, 200, "").on(revoke_url, 400, "{}");
    r = refused.run(revoke_credential(world.env, held()));
    REQUIRE(r.trouble);
    CHECK(contains(r.trouble->message, "the access token was not revoked"));
    CHECK_FALSE(r.trouble->transient);
    auto in = held();
    in.client.identity.method = client_auth_method::private_key_jwt;
    in.client.identity.private_key = secret("broken s3cr3t");
    r = refused.run(revoke_credential(world.env, in));
    REQUIRE(r.trouble);
    require_sane(*r.trouble);
}

TEST_CASE("a token that the server does not know is none to revoke, however it says so") {
    fixed_world world;
    const auto told = [&](const std::string& word, bool replaced) {
        flow_script script;
        script.on(revoke_url, 400, R"({"error":")" + word + R"("})");
        auto in = held();
        in.replaced = replaced;
        in.held.access_token = {};
        return script.run(revoke_credential(world.env, in)).trouble;
    };
    for (const bool replaced : {false, true}) {
        CHECK_FALSE(told("invalid_token", replaced));
        CHECK_FALSE(told("invalid_grant", replaced));
        CHECK(told("invalid_client", replaced));
    }
    // "token not found" of better-auth: of one that was replaced nothing else is to be expected
    CHECK_FALSE(told("invalid_request", true));
    const auto doubtful = told("invalid_request", false);
    REQUIRE(doubtful);
    CHECK(contains(doubtful->message, "400 (invalid_request)"));
}

TEST_CASE("machine, workload and revocation fail sanely at every step") {
    fixed_world world;
    const auto never = [](std::size_t) { return false; };
    fail_at_every_step(
        [&](flow_script& script) {
            script.on(token_endpoint, 200, good_token);
            return failure_of(script.run(obtain_machine_credential(world.env, machine())));
        },
        never);
    fail_at_every_step(
        [&](flow_script& script) {
            script.on(token_endpoint, 200, good_token);
            return failure_of(script.run(obtain_workload_credential(world.env, workload())));
        },
        never);
    fail_at_every_step(
        [&](flow_script& script) {
            script.on(revoke_url, 200, "");
            return script.run(revoke_credential(world.env, held())).trouble;
        },
        [](std::size_t) { return true; });
}
