// Silent renewal, with a scripted server.
#include "policy/refresh_flow.hpp"

#include "core/jose.hpp"
#include "samples.hpp"

using namespace reauth;
using namespace reauth::test;

namespace {

refresh_inputs inputs() {
    refresh_inputs in;
    in.server = sample_server();
    in.client = sample_client();
    in.held.refresh_token = secret("rt-s3cr3t");
    in.held.access_token = secret("old-s3cr3t");
    in.held.requested = {"read", "list"};
    in.held.granted = {"list", "read"};
    in.held.issuer = "https://as.example";
    in.held.resource = "https://mcp.example/mcp";
    in.held.client_id = "client-1";
    return in;
}

} // namespace

TEST_CASE("a refresh sends resource and the stored scopes, and makes a new credential") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, good_token);
    const auto r = script.run(refresh_credential(world.env, inputs()));
    REQUIRE(r.has_value());
    CHECK(form_field(script.body(), "grant_type") == "refresh_token");
    CHECK(form_field(script.body(), "refresh_token") == "rt-s3cr3t");
    CHECK(form_field(script.body(), "resource") == "https://mcp.example/mcp");
    CHECK(form_field(script.body(), "scope") == "read list");
    CHECK(form_field(script.body(), "client_id") == "client-1");
    CHECK(r->access_token.reveal() == "at-s3cr3t");
    CHECK(r->refresh_token.reveal() == "rt-s3cr3t-2");
    CHECK(r->expires_at == noon + std::chrono::hours(1));
    CHECK(r->requested == scope_set{"read", "list"});
    CHECK(r->resource == "https://mcp.example/mcp");
}

TEST_CASE("a refresh keeps the old refresh token and scope where the answer has none") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, R"({"access_token":"at-s3cr3t","token_type":"bearer"})");
    auto in = inputs();
    in.held.granted = {"read"};
    const auto r = script.run(refresh_credential(world.env, in));
    REQUIRE(r.has_value());
    CHECK(r->refresh_token.reveal() == "rt-s3cr3t");
    CHECK(r->granted == scope_set{"read"});
    CHECK(r->requested == scope_set{"read", "list"});
}

TEST_CASE("a refresh never asks for more than was granted") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, good_token);
    auto in = inputs();
    in.held.granted = {"read"};
    REQUIRE(script.run(refresh_credential(world.env, in)).has_value());
    CHECK(form_field(script.body(), "scope") == "(none)");
    in.held.granted = {};
    REQUIRE(script.run(refresh_credential(world.env, in)).has_value());
    CHECK(form_field(script.body(), "scope") == "read list");
}

TEST_CASE("form-encoded answers and errors with status 200 are read") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, "access_token=at-s3cr3t&token_type=bearer&expires_in=60",
              {{"Content-Type", "application/x-www-form-urlencoded"}});
    const auto r = script.run(refresh_credential(world.env, inputs()));
    REQUIRE(r.has_value());
    CHECK(r->expires_at == noon + std::chrono::minutes(1));
    flow_script refused;
    refused.on(token_endpoint, 200, R"({"error":"invalid_grant"})");
    const auto no = refused.run(refresh_credential(world.env, inputs()));
    REQUIRE_FALSE(no.has_value());
    CHECK(ends_grant(no.error()));
}

TEST_CASE("invalid_grant ends the grant, invalid_client and 503 do not") {
    fixed_world world;
    const auto outcome = [&](unsigned status, const char* body) {
        flow_script script;
        script.on(token_endpoint, status, body);
        return script.run(refresh_credential(world.env, inputs())).error();
    };
    CHECK(ends_grant(outcome(400, R"({"error":"invalid_grant"})")));
    CHECK(outcome(400, R"({"error":"invalid_grant"})").code == fault::reauth_failed);
    CHECK_FALSE(ends_grant(outcome(401, R"({"error":"invalid_client"})")));
    CHECK(outcome(401, R"({"error":"invalid_client"})").oauth_error == "invalid_client");
    CHECK_FALSE(ends_grant(outcome(503, "")));
    CHECK(outcome(503, "").transient);
}

TEST_CASE("a refresh survives two 503 answers") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 503, "").on(token_endpoint, 503, "").on(token_endpoint, 200, good_token);
    CHECK(script.run(refresh_credential(world.env, inputs())).has_value());
    CHECK(script.requests.size() == 3);
}

TEST_CASE("a refresh token goes only to its own issuer, with a client of that issuer") {
    fixed_world world;
    flow_script script;
    auto in = inputs();
    in.held.issuer = "https://old.example";
    CHECK(script.run(refresh_credential(world.env, in)).error().code == fault::issuer_changed);
    in = inputs();
    in.client.issuer = "https://old.example";
    CHECK(script.run(refresh_credential(world.env, in)).error().code == fault::issuer_changed);
    in = inputs();
    in.held.refresh_token = secret();
    CHECK(script.run(refresh_credential(world.env, in)).error().code == fault::reauth_failed);
    CHECK(script.requests.empty());
    in = inputs();
    in.client.issuer = "https://old.example";
    in.client.origin = client_origin::metadata_document;
    script.on(token_endpoint, 200, good_token);
    CHECK(script.run(refresh_credential(world.env, in)).has_value());
}

TEST_CASE("a DPoP credential is renewed with its own key and the server's nonce") {
    fixed_world world;
    flow_script script;
    auto in = inputs();
    in.held.dpop_key = generate_ec_jwk().value();
    in.held.token_type = "DPoP";
    script.on(token_endpoint, 400, R"({"error":"use_dpop_nonce"})", {{"DPoP-Nonce", "n"}})
        .on(token_endpoint, 200, R"({"access_token":"at-s3cr3t","token_type":"DPoP"})");
    const auto r = script.run(refresh_credential(world.env, in));
    REQUIRE(r.has_value());
    CHECK(r->token_type == "DPoP");
    CHECK(r->dpop_key == in.held.dpop_key);
    CHECK(header_of(script.requests[1], "DPoP"));
}

TEST_CASE("a refresh fails sanely at every step") {
    fixed_world world;
    fail_at_every_step(
        [&](flow_script& script) {
            script.on(token_endpoint, 503, "").on(token_endpoint, 200, good_token);
            return failure_of(script.run(refresh_credential(world.env, inputs())));
        },
        [](std::size_t) { return false; });
    abandon_at_every_step<result<credential>>([&] { return refresh_credential(world.env, inputs()); },
                                              [](flow_script&) {});
}
