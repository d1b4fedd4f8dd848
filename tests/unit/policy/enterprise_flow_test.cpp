// Enterprise-managed authorization: the organisation's login, its session, and the two legs of a mint.
#include "policy/enterprise_flow.hpp"

#include "core/jose.hpp"
#include "policy/refresh_flow.hpp"
#include "samples.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using namespace reauth::test;
using nlohmann::json;

namespace {

const std::string idp = "https://idp.example";
const std::string idp_token = "https://idp.example/token";
const std::string idp_jwks = "https://idp.example/jwks";
const std::string as_token = "https://as.example/token";
const char* const good_jag =
    R"({"access_token":"jag-s3cr3t","issued_token_type":"urn:ietf:params:oauth:token-type:id-jag","token_type":"N_A","expires_in":60})";

const secret& idp_key() {
    static const secret key = generate_ec_jwk().value();
    return key;
}

std::string keys() {
    return json{{"keys", {public_jwk(idp_key()).value()}}}.dump();
}

std::string id_token(json changes = json::object()) {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(noon.time_since_epoch()).count();
    json claims{{"iss", idp}, {"sub", "ada"}, {"aud", "idp-client"}, {"iat", now}, {"exp", now + 3600}};
    claims.update(changes);
    return sign_jwt(idp_key(), "ES256", json::object(), claims).value();
}

idp_login_inputs login_inputs() {
    idp_login_inputs in;
    in.identity_provider = "acme";
    in.server = sample_server(idp);
    in.client = secret_client(idp);
    in.client.identity.id = "idp-client";
    in.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
    return in;
}

idp_session session() {
    idp_session s;
    s.identity_provider = "acme";
    s.issuer = idp;
    s.subject = "ada";
    s.client_id = "idp-client";
    s.id_token = secret("idt-s3cr3t");
    s.refresh_token = secret("idp-rt-s3cr3t");
    s.obtained_at = noon;
    s.expires_at = noon + std::chrono::hours(1);
    return s;
}

enterprise_inputs mint_inputs() {
    enterprise_inputs in;
    in.trust = {"files", "https://mcp.example/mcp", "https://as.example", "the organisation's assertion"};
    in.idp = sample_server(idp);
    in.idp_client = secret_client(idp).identity;
    in.idp_client.id = "idp-client";
    in.idp_client.client_secret = secret("idp-client-s3cr3t");
    in.session = session();
    in.server = sample_server();
    in.client = secret_client();
    in.scopes = {"read"};
    in.resource = "https://mcp.example";
    return in;
}

authorization_callback callback_for(const pending_authorization& p) {
    authorization_callback c;
    c.code = "code-s3cr3t";
    c.state = std::string(p.state.reveal());
    return c;
}

std::string login_answer(const pending_authorization& p, json changes = json::object()) {
    json claims{{"nonce", p.nonce}};
    claims.update(changes);
    return json{{"access_token", "idp-at-s3cr3t"},
                {"token_type", "Bearer"},
                {"refresh_token", "idp-rt-s3cr3t"},
                {"id_token", id_token(claims)}}
        .dump();
}

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

TEST_CASE("login, renewal and mint fail sanely at every step") {
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
    fail_at_every_step(
        [&](flow_script& script) {
            script.on(idp_token, 200, good_jag).on(as_token, 200, good_token);
            return failure_of(script.run(mint_credential(world.env, mint_inputs())).outcome);
        },
        never);
    abandon_at_every_step<minted>([&] { return mint_credential(world.env, mint_inputs()); },
                                  [](flow_script&) {});
}
