// Leg 1 of enterprise-managed authorization: the organisation's login and its session.
#include "idp_samples.hpp"
#include "policy/flows/device_flow.hpp"
#include "policy/flows/refresh_flow.hpp"

using namespace reauth;
using namespace reauth::test;

namespace {

result<idp_session> finish(flow_script& script, fixed_world& world, const begun_authorization& begun) {
    return script.run(finish_idp_login(world.env, begun.pending, callback_for(begun.pending),
                                       std::string(begun.browser_binding.reveal())));
}

} // namespace

TEST_CASE("the organisation's login asks for openid and offline_access, with a nonce") {
    fixed_world world;
    const auto begun = begin_idp_login(world.env, login_inputs()).value();
    const auto& p = begun.pending;
    CHECK(p.kind == authorization_kind::idp_login);
    CHECK(p.identity_provider == "acme");
    const auto query = p.location.substr(p.location.find('?') + 1);
    CHECK(form_field(query, "scope") == "openid offline_access");
    CHECK(form_field(query, "nonce") == p.nonce);
    CHECK(p.nonce.size() == 43);
    CHECK(form_field(query, "code_challenge_method") == "S256");
    CHECK(form_field(query, "resource") == "(none)");
    CHECK(pending_from_json(pending_to_json(p))->kind == authorization_kind::idp_login);
}

TEST_CASE("an IdP that cannot take a login is told apart by its name") {
    fixed_world world;
    auto in = login_inputs();
    in.server.authorization_endpoint = "";
    CHECK(contains(begin_idp_login(world.env, in).error().message, "identity provider acme: "));
    in = login_inputs();
    in.server.code_challenge_methods_supported.reset();
    CHECK(begin_idp_login(world.env, in).has_value());
    in.allow_missing_pkce = false;
    CHECK(contains(begin_idp_login(world.env, in).error().message, "identity provider acme: "));
}

TEST_CASE("a login becomes a session after its ID token was checked") {
    fixed_world world;
    flow_script script;
    const auto begun = begin_idp_login(world.env, login_inputs()).value();
    script.on(idp_jwks, 503, "").on(idp_jwks, 200, keys()).on(idp_token, 200, login_answer(begun.pending));
    const auto r = finish(script, world, begun);
    REQUIRE(r.has_value());
    CHECK(r->issuer == idp);
    CHECK(r->subject == "ada");
    CHECK(r->identity_provider == "acme");
    CHECK(r->client_id == "idp-client");
    CHECK(r->refresh_token.reveal() == "idp-rt-s3cr3t");
    CHECK(r->expires_at == noon + std::chrono::hours(1));
    CHECK_FALSE(r->supplied);
    CHECK(form_field(script.body(), "code_verifier") == begun.pending.verifier.reveal());
}

TEST_CASE("an ID token with a wrong nonce, issuer, audience, age or signature is refused") {
    fixed_world world;
    const auto begun = begin_idp_login(world.env, login_inputs()).value();
    for (const auto& wrong : {json{{"nonce", "x"}}, json{{"iss", "https://evil.example"}},
                              json{{"aud", "client-1"}}, json{{"exp", 1}}}) {
        flow_script script;
        script.on(idp_jwks, 200, keys()).on(idp_token, 200, login_answer(begun.pending, wrong));
        const auto r = finish(script, world, begun);
        REQUIRE_FALSE(r.has_value());
        CHECK(r.error().code == fault::reauth_failed);
        require_sane(r.error());
    }
    flow_script forged;
    forged.on(idp_jwks, 200, json{{"keys", {public_jwk(generate_ec_jwk().value()).value()}}}.dump())
        .on(idp_token, 200, login_answer(begun.pending));
    CHECK(finish(forged, world, begun).error().code == fault::reauth_failed);
    flow_script none;
    none.on(idp_jwks, 200, keys()).on(idp_token, 200, good_token);
    CHECK(contains(finish(none, world, begun).error().message, "no ID token"));
}

TEST_CASE("a login works with a clock that is five minutes off") {
    for (const auto off : {std::chrono::minutes(-5), std::chrono::minutes(5)}) {
        fixed_world world;
        world.time = noon + off;
        flow_script script;
        const auto begun = begin_idp_login(world.env, login_inputs()).value();
        script.on(idp_jwks, 200, keys()).on(idp_token, 200, login_answer(begun.pending));
        CHECK(finish(script, world, begun).has_value());
    }
}

TEST_CASE("a device login at the organisation becomes a session after its ID token was checked") {
    fixed_world world;
    authorization_inputs in;
    in.server = sample_server(idp);
    in.server.device_authorization_endpoint = idp + "/device";
    in.client = login_inputs().client;
    in.scopes = {"openid", "offline_access"};
    flow_script script;
    script.on(
        idp + "/device", 200,
        json{{"device_code", "dc-s3cr3t"}, {"user_code", "AB-12"}, {"verification_uri", idp + "/d"}}.dump());
    auto pending = script.run(begin_device_login(world.env, in)).value().pending;
    CHECK(form_field(script.body(), "scope") == "openid offline_access");
    pending.identity_provider = "acme";
    pending = pending_from_json(pending_to_json(pending)).value();
    const auto brought = [&](const std::string& token) {
        token_response response;
        response.access_token = secret("at-s3cr3t");
        response.refresh_token = secret("idp-rt-s3cr3t");
        response.id_token = secret(token);
        flow_script keys_only;
        keys_only.on(idp_jwks, 200, keys());
        return keys_only.run(device_session(world.env, pending, response));
    };
    const auto s = brought(id_token());
    REQUIRE(s.has_value());
    CHECK(s->subject == "ada");
    CHECK(s->refresh_token.reveal() == "idp-rt-s3cr3t");
    CHECK_FALSE(brought(id_token({{"aud", "somebody"}})).has_value());
    CHECK(contains(brought("").error().message, "identity provider acme"));
}

TEST_CASE("nothing is sent for a forged callback of the organisation's login") {
    fixed_world world;
    flow_script script;
    const auto begun = begin_idp_login(world.env, login_inputs()).value();
    auto c = callback_for(begun.pending);
    c.state = "forged";
    const auto r = script.run(
        finish_idp_login(world.env, begun.pending, c, std::string(begun.browser_binding.reveal())));
    CHECK_FALSE(r.has_value());
    CHECK(script.requests.empty());
}

TEST_CASE("an IdP without keys cannot be checked, and the code is not spent on it") {
    fixed_world world;
    auto in = login_inputs();
    in.server.jwks_uri = "";
    flow_script script;
    CHECK(finish(script, world, begin_idp_login(world.env, in).value()).error().code ==
          fault::discovery_failed);
    CHECK(finish(script, world, begin_idp_login(world.env, login_inputs()).value()).error().code ==
          fault::discovery_failed);
    CHECK(script.urls() == std::vector<std::string>{idp_jwks});
    flow_script down;
    down.on(idp_jwks, no_answer());
    CHECK(finish(down, world, begin_idp_login(world.env, login_inputs()).value()).error().transient);
    CHECK(down.requests.size() == 4);
}

TEST_CASE("a session knows what it can do") {
    auto s = session();
    CHECK(state_of(s, noon) == session_state::ready);
    CHECK(state_of(s, s.expires_at - std::chrono::seconds(60)) == session_state::renew_first);
    s.refresh_token = secret();
    CHECK(state_of(s, s.expires_at) == session_state::gone);
    s.id_token = secret();
    CHECK(state_of(s, noon) == session_state::gone);
}

TEST_CASE("a session survives a restart") {
    auto s = session();
    s.supplied = true;
    const auto text = session_to_json(s);
    const auto back = session_from_json(text).value();
    CHECK(session_to_json(back) == text);
    CHECK(back.expires_at == s.expires_at);
    for (const auto* bad : {"", "[]", "{}", R"({"issuer":1})"})
        CHECK(session_from_json(secret(bad)).error().code == fault::vault_unavailable);
}

TEST_CASE("a supplied ID token is a session without a login") {
    const auto r = session_from_id_token("acme", "idp-client", secret(id_token()), noon);
    REQUIRE(r.has_value());
    CHECK(r->supplied);
    CHECK(r->subject == "ada");
    CHECK(r->issuer == idp);
    CHECK(state_of(*r, noon) == session_state::ready);
    for (const auto& bad : {std::string("no-jwt-s3cr3t"), id_token({{"exp", 1}})}) {
        const auto no = session_from_id_token("acme", "idp-client", secret(bad), noon);
        REQUIRE_FALSE(no.has_value());
        CHECK(no.error().code == fault::invalid_configuration);
        require_sane(no.error());
    }
}

TEST_CASE("an IdP session is renewed with its refresh token") {
    fixed_world world;
    flow_script script;
    world.time = noon + std::chrono::hours(2);
    const auto renewed = id_token({{"exp", 1'800'000'000 + 3 * 3600}});
    script.on(idp_token, 200,
              json{{"access_token", "x-s3cr3t"}, {"token_type", "Bearer"}, {"id_token", renewed}}.dump());
    const idp_renewal_inputs in{sample_server(idp), secret_client(idp).identity, session(), {}};
    auto r = script.run(renew_idp_session(world.env, in));
    REQUIRE(r.has_value());
    CHECK(r->id_token.reveal() == renewed);
    CHECK(r->refresh_token.reveal() == "idp-rt-s3cr3t");
    CHECK(r->expires_at == noon + std::chrono::hours(3));
    CHECK(r->obtained_at == world.time);
    flow_script rotated;
    rotated.on(idp_token, 200, good_token);
    r = rotated.run(renew_idp_session(world.env, in));
    REQUIRE(r.has_value());
    CHECK(r->refresh_token.reveal() == "rt-s3cr3t-2");
    CHECK(r->id_token.reveal() == "idt-s3cr3t");
}

TEST_CASE("an IdP session that cannot be renewed says so") {
    fixed_world world;
    flow_script script;
    idp_renewal_inputs in{sample_server(idp), secret_client(idp).identity, session(), {}};
    in.session.refresh_token = secret();
    CHECK(script.run(renew_idp_session(world.env, in)).error().code == fault::reauth_failed);
    in.session = session();
    in.session.issuer = "https://old.example";
    CHECK(script.run(renew_idp_session(world.env, in)).error().code == fault::reauth_failed);
    CHECK(script.requests.empty());
    in.session = session();
    script.on(idp_token, 400, R"({"error":"invalid_grant"})");
    CHECK(ends_grant(script.run(renew_idp_session(world.env, in)).error()));
    for (const auto& token :
         {id_token({{"sub", "eve"}}), id_token({{"iss", "https://evil.example"}}), std::string("junk")}) {
        flow_script other;
        other.on(idp_token, 200,
                 json{{"access_token", "x"}, {"token_type", "Bearer"}, {"id_token", token}}.dump());
        CHECK_FALSE(other.run(renew_idp_session(world.env, in)).has_value());
    }
}

TEST_CASE("the login and renewal of a session fail sanely at every step") {
    fixed_world world;
    const auto never = [](std::size_t) { return false; };
    const auto begun = begin_idp_login(world.env, login_inputs()).value();
    const auto good_login = login_answer(begun.pending);
    fail_at_every_step(
        [&](flow_script& script) {
            script.on(idp_jwks, 200, keys()).on(idp_token, 200, good_login);
            return failure_of(finish(script, world, begun));
        },
        never);
    fail_at_every_step(
        [&](flow_script& script) {
            script.on(idp_token, 200, good_token);
            const idp_renewal_inputs in{sample_server(idp), secret_client(idp).identity, session(), {}};
            return failure_of(script.run(renew_idp_session(world.env, in)));
        },
        never);
}
