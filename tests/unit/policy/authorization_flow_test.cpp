// The authorization code grant, with a scripted server.
#include "policy/flows/authorization_flow.hpp"

#include "core/crypto/jose.hpp"
#include "core/crypto/pkce.hpp"
#include "policy/flows/registration_flow.hpp"
#include "samples.hpp"

using namespace reauth;
using namespace reauth::test;

namespace {

authorization_inputs upstream_login() {
    authorization_inputs in;
    in.upstream = "gh";
    in.approval_id = "a1";
    in.server = sample_server();
    in.client = sample_client();
    in.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
    in.resource = "https://mcp.example";
    in.scopes = {"read", "list"};
    return in;
}

std::string query_value(const std::string& url, std::string_view name) {
    return form_field(url.substr(url.find('?') + 1), name);
}

result<credential> finish(flow_script& script, fixed_world& world, const begun_authorization& begun,
                          const authorization_callback& callback) {
    return script.run(finish_authorization(world.env, begun.pending, callback,
                                           std::string(begun.browser_binding.reveal())));
}

} // namespace

TEST_CASE("an authorization URL carries state, PKCE, resource and scopes") {
    fixed_world world;
    const auto begun = begin_authorization(world.env, upstream_login()).value();
    const auto& p = begun.pending;
    CHECK(p.location.starts_with("https://as.example/authorize?"));
    CHECK(query_value(p.location, "response_type") == "code");
    CHECK(query_value(p.location, "client_id") == "client-1");
    CHECK(query_value(p.location, "state") == p.state.reveal());
    CHECK(query_value(p.location, "code_challenge") == pkce_challenge(p.verifier));
    CHECK(query_value(p.location, "code_challenge_method") == "S256");
    CHECK(query_value(p.location, "resource") == "https://mcp.example");
    CHECK(query_value(p.location, "scope") == "read list");
    CHECK(query_value(p.location, "redirect_uri") == "http://127.0.0.1:8971/oauth/callback");
    CHECK(query_value(p.location, "nonce") == "(none)");
    CHECK(p.expires_at == noon + std::chrono::minutes(15));
    CHECK(p.state.size() == 43);
    CHECK(p.approval_id == "a1");
    CHECK(p.kind == authorization_kind::login);
}

TEST_CASE("every authorization has its own state, verifier and browser binding") {
    fixed_world world;
    const auto a = begin_authorization(world.env, upstream_login()).value();
    const auto b = begin_authorization(world.env, upstream_login()).value();
    CHECK_FALSE(a.pending.state == b.pending.state);
    CHECK_FALSE(a.pending.verifier == b.pending.verifier);
    CHECK_FALSE(a.browser_binding == b.browser_binding);
    CHECK_FALSE(a.pending.state == a.pending.verifier);
}

TEST_CASE("offline_access is asked for only if the authorization server lists it") {
    fixed_world world;
    auto in = upstream_login();
    in.server.scopes_supported = scope_set{"offline_access", "read"};
    CHECK(begin_authorization(world.env, in)->pending.scopes == scope_set{"read", "list", "offline_access"});
    in.scopes = {};
    const auto begun = begin_authorization(world.env, in).value();
    CHECK(query_value(begun.pending.location, "scope") == "(none)");
    CHECK(begin_authorization(world.env, upstream_login())->pending.scopes == scope_set{"read", "list"});
}

TEST_CASE("a server whose metadata lists no S256 is refused, unless overridden") {
    fixed_world world;
    auto in = upstream_login();
    in.server.code_challenge_methods_supported.reset();
    const auto r = begin_authorization(world.env, in);
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == fault::discovery_failed);
    in.allow_missing_pkce = true;
    CHECK(query_value(begin_authorization(world.env, in)->pending.location, "code_challenge_method") ==
          "S256");
    in.allow_missing_pkce = false;
    in.server.from_document = false;
    CHECK(query_value(begin_authorization(world.env, in)->pending.location, "code_challenge_method") ==
          "S256");
}

TEST_CASE("an authorization endpoint must be there and be http(s)") {
    fixed_world world;
    auto in = upstream_login();
    in.server.authorization_endpoint = "";
    CHECK(begin_authorization(world.env, in).error().code == fault::discovery_failed);
    for (const auto* bad : {"javascript:alert(1)", "file:///bin/sh", "http://plain.example/authorize"}) {
        in.server.authorization_endpoint = bad;
        CHECK_FALSE(begin_authorization(world.env, in).has_value());
    }
}

TEST_CASE("configured authorize_params are added") {
    fixed_world world;
    auto in = upstream_login();
    in.authorize_params = {{"prompt", "consent"}};
    CHECK(query_value(begin_authorization(world.env, in)->pending.location, "prompt") == "consent");
}

TEST_CASE("a callback redeems its code with verifier, redirect URI and resource") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, good_token);
    const auto begun = begin_authorization(world.env, upstream_login()).value();
    const auto r = finish(script, world, begun, callback_for(begun.pending));
    REQUIRE(r.has_value());
    CHECK(form_field(script.body(), "grant_type") == "authorization_code");
    CHECK(form_field(script.body(), "code") == "code-s3cr3t");
    CHECK(form_field(script.body(), "code_verifier") == begun.pending.verifier.reveal());
    CHECK(form_field(script.body(), "redirect_uri") == "http://127.0.0.1:8971/oauth/callback");
    CHECK(form_field(script.body(), "resource") == "https://mcp.example");
    CHECK(r->issuer == "https://as.example");
    CHECK(r->resource == "https://mcp.example");
    CHECK(r->client_id == "client-1");
    CHECK(r->requested == scope_set{"read", "list"});
    CHECK(r->granted == scope_set{"read", "list"});
    CHECK(r->refresh_token.reveal() == "rt-s3cr3t-2");
}

TEST_CASE("what was granted is stored, not what was asked") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, R"({"access_token":"at-s3cr3t","token_type":"Bearer","scope":"read"})");
    const auto begun = begin_authorization(world.env, upstream_login()).value();
    const auto r = finish(script, world, begun, callback_for(begun.pending));
    REQUIRE(r.has_value());
    CHECK(r->granted == scope_set{"read"});
    CHECK(r->requested == scope_set{"read", "list"});
}

TEST_CASE("a callback after a restart still completes") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, good_token);
    auto in = upstream_login();
    in.client = secret_client();
    in.dpop = true;
    auto begun = begin_authorization(world.env, in).value();
    begun.pending.identity_provider = "acme";
    const auto text = pending_to_json(begun.pending);
    const auto back = pending_from_json(text).value();
    CHECK(pending_to_json(back) == text);
    CHECK(back.verifier == begun.pending.verifier);
    CHECK(back.dpop_key == begun.pending.dpop_key);
    CHECK(back.client.identity.client_secret.reveal() == "client-s3cr3t");
    CHECK(back.expires_at == begun.pending.expires_at);
    auto restored = begun;
    restored.pending = back;
    restored.pending.dpop_key = secret();
    CHECK(finish(script, world, restored, callback_for(back)).has_value());
    CHECK(form_field(script.body(), "client_secret") == "client-s3cr3t");
}

TEST_CASE("what is no stored authorization is told so") {
    for (const auto* text : {"", "[]", "{}", "null", R"({"kind":1})"})
        CHECK(pending_from_json(secret(text)).error().code == fault::vault_unavailable);
    fixed_world world;
    auto text =
        std::string(pending_to_json(begin_authorization(world.env, upstream_login())->pending).reveal());
    const auto at = text.find("\"client\":\"");
    REQUIRE(at != std::string::npos);
    text.replace(at, 10, "\"client\":\"x");
    CHECK(pending_from_json(secret(text)).error().code == fault::vault_unavailable);
}

TEST_CASE("nothing is sent for a callback with a wrong state, issuer, browser or age") {
    fixed_world world;
    flow_script script;
    auto in = upstream_login();
    in.server.authorization_response_iss_parameter_supported = true;
    const auto begun = begin_authorization(world.env, in).value();
    auto good = callback_for(begun.pending);
    good.iss = "https://as.example";

    auto bad = good;
    bad.state = "other";
    CHECK_FALSE(finish(script, world, begun, bad).has_value());
    bad = good;
    bad.state.reset();
    CHECK_FALSE(finish(script, world, begun, bad).has_value());
    bad = good;
    bad.iss.reset();
    CHECK_FALSE(finish(script, world, begun, bad).has_value());
    bad.iss = "https://as.example/";
    CHECK_FALSE(finish(script, world, begun, bad).has_value());
    bad = good;
    bad.code.reset();
    CHECK_FALSE(finish(script, world, begun, bad).has_value());

    auto r = script.run(finish_authorization(world.env, begun.pending, good, std::string("another browser")));
    REQUIRE_FALSE(r.has_value());
    CHECK(contains(r.error().message, "another browser"));
    CHECK_FALSE(script.run(finish_authorization(world.env, begun.pending, good, std::nullopt)).has_value());
    CHECK_FALSE(script.run(finish_authorization(world.env, begun.pending, good, std::string())).has_value());
    world.time = begun.pending.expires_at;
    r = finish(script, world, begun, good);
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == fault::approval_timeout);
    CHECK(script.requests.empty());
}

TEST_CASE("iss is checked before an error is believed") {
    fixed_world world;
    flow_script script;
    const auto begun = begin_authorization(world.env, upstream_login()).value();
    authorization_callback c;
    c.state = std::string(begun.pending.state.reveal());
    c.error = "access_denied";
    c.error_description = "the person said no";
    c.iss = "https://evil.example";
    CHECK(finish(script, world, begun, c).error().code == fault::reauth_failed);
    c.iss.reset();
    const auto denied = finish(script, world, begun, c);
    CHECK(denied.error().code == fault::approval_denied);
    CHECK(contains(denied.error().message, "the person said no"));
}

TEST_CASE("a flow of the operator may be finished in any browser") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 200, good_token);
    auto in = upstream_login();
    in.bind_to_browser = false;
    const auto begun = begin_authorization(world.env, in).value();
    CHECK(begun.browser_binding.empty());
    CHECK(
        script.run(finish_authorization(world.env, begun.pending, callback_for(begun.pending), std::nullopt))
            .has_value());
}

TEST_CASE("a code is sent once, also after transient trouble") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 503, "").on(token_endpoint, 200, good_token);
    const auto begun = begin_authorization(world.env, upstream_login()).value();
    const auto r = finish(script, world, begun, callback_for(begun.pending));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().transient);
    CHECK(script.requests.size() == 1);
}

TEST_CASE("a forgotten dynamic client is told apart: register once more") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 401, R"({"error":"invalid_client"})");
    auto in = upstream_login();
    in.client.origin = client_origin::dynamic;
    const auto begun = begin_authorization(world.env, in).value();
    const auto r = finish(script, world, begun, callback_for(begun.pending));
    REQUIRE_FALSE(r.has_value());
    CHECK(wants_new_registration(r.error(), begun.pending.client));
}

TEST_CASE("with DPoP the code and the token are bound to a fresh key") {
    fixed_world world;
    flow_script script;
    script.on(token_endpoint, 400, R"({"error":"use_dpop_nonce"})", {{"DPoP-Nonce", "n"}})
        .on(token_endpoint, 200, R"({"access_token":"at-s3cr3t","token_type":"DPoP"})");
    auto in = upstream_login();
    in.dpop = true;
    const auto begun = begin_authorization(world.env, in).value();
    CHECK(query_value(begun.pending.location, "dpop_jkt").size() == 43);
    const auto r = finish(script, world, begun, callback_for(begun.pending));
    REQUIRE(r.has_value());
    CHECK(r->token_type == "DPoP");
    CHECK(r->dpop_key == begun.pending.dpop_key);
    CHECK(script.requests.size() == 2);
}

TEST_CASE("the vault key of a flow does not show its state") {
    CHECK(pending_key("abc") == pending_key("abc"));
    CHECK(pending_key("abc") != pending_key("abd"));
    CHECK_FALSE(contains(pending_key("abc"), "abc"));
}

TEST_CASE("an authorization fails sanely at every step") {
    fixed_world world;
    const auto begun = begin_authorization(world.env, upstream_login()).value();
    fail_at_every_step(
        [&](flow_script& script) {
            script.on(token_endpoint, 200, good_token);
            return failure_of(finish(script, world, begun, callback_for(begun.pending)));
        },
        [](std::size_t) { return false; });
}

TEST_CASE("scopes that the server does not know are refused with the line that names those it knows") {
    fixed_world world;
    auto in = upstream_login();
    in.server.scopes_supported = scope_set{"read", "write"};
    const auto begun = begin_authorization(world.env, in);
    REQUIRE(begun.has_value());
    authorization_callback c;
    c.state = std::string(begun->pending.state.reveal());
    c.error = "invalid_scope";
    flow_script script;
    const auto r = finish(script, world, *begun, c);
    REQUIRE(r.has_error());
    CHECK(contains(r.error().fix, "scopes: [read, write]"));
}
