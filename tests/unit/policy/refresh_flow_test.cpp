// Silent renewal, with a scripted server.
#include "policy/flows/refresh_flow.hpp"

#include "core/crypto/jose.hpp"
#include "core/oauth/credential_json.hpp"
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

TEST_CASE(
    "a server that refuses one form of scope on refresh is asked in the other, and that is remembered") {
    fixed_world world;
    for (const char* refusal :
         {R"({"error":"invalid_scope"})", R"({"error":"invalid_request"})",
          R"({"error":"invalid_grant","error_description":"AADSTS70011: The provided value is not valid"})",
          R"({"error":"unsupported","error_description":"scope parameter not supported"})"}) {
        INFO(refusal);
        flow_script script;
        script.on(token_endpoint, 400, refusal).on(token_endpoint, 200, good_token);
        auto in = inputs();
        const auto r = script.run(refresh_credential(world.env, in));
        REQUIRE(r.has_value());
        CHECK(form_field(script.body(0), "scope") == "read list");
        CHECK(form_field(script.body(1), "scope") == "(none)");
        CHECK(form_field(script.body(1), "refresh_token") == "rt-s3cr3t");
        in.held = credential_from_json(credential_to_json(*r)).value();
        flow_script next;
        next.on(token_endpoint, 200, good_token);
        REQUIRE(next.run(refresh_credential(world.env, in)).has_value());
        CHECK(form_field(next.body(), "scope") == "(none)");
        flow_script turned;
        turned
            .on(token_endpoint, 400,
                R"({"error":"invalid_request","error_description":"AADSTS90014: missing"})")
            .on(token_endpoint, 200, good_token);
        const auto back = turned.run(refresh_credential(world.env, in));
        REQUIRE(back.has_value());
        CHECK(form_field(turned.body(1), "scope") == "read list");
        CHECK(back->refresh_with_scope == true);
    }
    flow_script both;
    both.on(token_endpoint, 400, R"({"error":"invalid_scope"})");
    CHECK(both.run(refresh_credential(world.env, inputs())).error().oauth_error == "invalid_scope");
    CHECK(both.requests.size() == 2);
}

TEST_CASE("a refresh begins without scope where less was granted, and with the requested set where it has "
          "other names") {
    fixed_world world;
    const auto sent = [&](scope_set granted) {
        flow_script script;
        script.on(token_endpoint, 200, good_token);
        auto in = inputs();
        in.held.granted = std::move(granted);
        REQUIRE(script.run(refresh_credential(world.env, in)).has_value());
        return form_field(script.body(), "scope");
    };
    CHECK(sent({"read"}) == "(none)");
    CHECK(sent({"api://x/read", "api://x/list"}) == "read list");
    CHECK(sent({"read", "list", "more"}) == "read list");
    CHECK(sent({}) == "read list");
    // a server that refuses the absence (Entra's AADSTS90014) gets the requested set, and that is remembered
    flow_script script;
    script.on(token_endpoint, 400, "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS90014\"}")
        .on(token_endpoint, 200, good_token);
    auto in = inputs();
    in.held.granted = {"read"};
    const auto r = script.run(refresh_credential(world.env, in));
    REQUIRE(r.has_value());
    CHECK(form_field(script.body(), "scope") == "read list");
    CHECK(r->refresh_with_scope == true);
}

TEST_CASE("a token endpoint that is gone is looked up once more, at the issuer") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 404, "");
    script.on("https://as.example/.well-known/oauth-authorization-server", 200,
              R"({"issuer":"https://as.example","token_endpoint":"https://as.example/v2/token"})");
    script.on("https://as.example/v2/token", 200, good_token);
    CHECK(script.run(refresh_credential(world.env, inputs())).has_value());
    flow_script same;
    same.on(token_endpoint, 404, "");
    const auto r = same.run(refresh_credential(world.env, inputs())).error();
    CHECK(refuses_refresh(r));
    CHECK_FALSE(ends_grant(r));
}

TEST_CASE("a refusal without an OAuth error refuses the refresh, trouble does not") {
    fixed_world world;
    const auto outcome = [&](unsigned status, const char* body) {
        flow_script script;
        script.on(token_endpoint, status, body);
        return script.run(refresh_credential(world.env, inputs())).error();
    };
    for (const unsigned status : {400u, 403u, 410u, 422u})
        for (const char* body : {"", "<html>", "{}", R"({"error":{"message":"x"}})"})
            CHECK(refuses_refresh(outcome(status, body)));
    for (const unsigned status : {408u, 425u, 429u, 500u, 503u})
        CHECK_FALSE(refuses_refresh(outcome(status, "")));
    CHECK(ends_grant(outcome(400, R"({"error_code":"refresh_token_not_found"})")));
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
