// Identities that end: told by the provider, an operator or another process; tokens, rows and lives of before
// count no more.
#include "core/crypto/jose.hpp"
#include "tests/support/text.hpp"
#include "tests/unit/recovery/recovery_world.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const std::string idp = "https://idp.example";
const std::string caep_events = "https://schemas.openid.net/secevent/caep/event-type/";

/// Two people of a company, each with a credential in the vault; a provider that tells of them.
struct company_world : recovery_world {
    secret key = generate_ec_jwk().value();
    unsigned told = 0;
    struct to_worker {
        std::string principal;
        std::uint64_t key;
        time_point at;
    };
    std::vector<to_worker> workers_heard;
    std::vector<std::string> workers_know; ///< by another name than `sub`

    explicit company_world(const std::string& signals = "signals: {token: transmitter-1234567}",
                           const std::string& claim = "sub")
        : recovery_world(
              "url: \"" + mcp_url + "\"",
              "client_auth: {name: acme, jwt: {issuer: \"" + idp + "\", audience: gate, principal: " + claim +
                  "}}\n"
                  "identity_providers: {acme: {issuer: \"" +
                  idp + "\", client: {id: gate}, logout: {back_channel: true}, " + signals + "}}\n") {
        network.on(idp + "/.well-known/openid-configuration", 200,
                   R"({"issuer":"https://idp.example","jwks_uri":"https://idp.example/jwks",)"
                   R"("token_endpoint":"https://idp.example/token"})");
        network.on(idp + "/jwks", 200, json{{"keys", json::array({public_jwk(key).value()})}}.dump());
    }
    void begin() {
        start();
        manager->identities().on_end([this](const identity_end& what, auto found) {
            workers_heard.push_back({what.principal, what.key, what.at});
            if (what.key == identity_key(identity_kind::subject, idp, "ada"))
                found(workers_know);
        });
    }
    void hold(const std::string& principal) {
        credential c;
        c.access_token = secret("access-of-" + principal);
        c.refresh_token = secret("refresh-of-" + principal);
        c.issuer = "https://as.example";
        c.resource = mcp_url;
        c.origin = "https://mcp.example";
        c.client_id = "client-1";
        c.obtained_at = now - 1h;
        c.expires_at = now + 1h;
        c.generation = 1;
        REQUIRE(store.store_credential(principal, "up", c, 0).has_value());
        REQUIRE(store.pin_issuer(principal, "up", c.issuer).has_value());
        registered_client client;
        client.identity.id = "client-1";
        client.issuer = "https://as.example";
        client.origin = client_origin::dynamic;
        client.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
        REQUIRE(store.store_registration("up", client).has_value());
    }
    bool holds_still(const std::string& principal) {
        return store.find_credential(principal, "up", "https://as.example")->value.has_value();
    }
    std::int64_t seconds_at(std::chrono::seconds s) const {
        return (now + s).time_since_epoch() / std::chrono::seconds(1);
    }
    std::string logout_of(const std::string& sub, json more = json::object()) {
        json claims{{"iss", idp},
                    {"aud", "gate"},
                    {"iat", seconds_at(0s)},
                    {"exp", seconds_at(120s)},
                    {"jti", "l" + std::to_string(++told)},
                    {"events", {{"http://schemas.openid.net/event/backchannel-logout", json::object()}}}};
        if (!sub.empty())
            claims["sub"] = sub;
        claims.update(more);
        return sign_jwt(key, "ES256", {{"typ", "logout+jwt"}}, claims).value();
    }
    std::string event_of(const std::string& name, json subject, json event = json::object(),
                         json more = json::object()) {
        json claims{
            {"iss", idp},
            {"aud", "gate"},
            {"iat", seconds_at(0s)},
            {"jti", "e" + std::to_string(++told)},
            {"sub_id", std::move(subject)},
            {"events", {{name.find(':') == name.npos ? caep_events + name : name, std::move(event)}}}};
        claims.update(more);
        return sign_jwt(key, "ES256", {{"typ", "secevent+jwt"}}, claims).value();
    }
    static json person(const std::string& sub) { return {{"format", "iss_sub"}, {"iss", idp}, {"sub", sub}}; }
    signal_answer log_out(const std::string& token) {
        return wait(manager->people().logout_token("acme", token), "the answer to a logout token");
    }
    signal_answer signal(const std::string& token, const std::string& bearer = "transmitter-1234567") {
        return wait(manager->people().security_event("acme", bearer, token), "the answer to an event");
    }
};

} // namespace

TEST_CASE("a logout token ends one person's identity: rows, tokens, workers; nobody else's") {
    company_world w;
    w.hold("acme/ada");
    w.hold("acme/ben");
    w.begin();
    const auto said = w.log_out(w.logout_of("ada"));
    CHECK(said.status == 200);
    CHECK_FALSE(w.holds_still("acme/ada"));
    CHECK(w.holds_still("acme/ben"));
    CHECK(has(w.network.last_body(revocation_url), "access-of-acme%2Fada"));
    CHECK(w.network.asked(revocation_url) == 2);
    REQUIRE(w.workers_heard.size() == 2); // by our name, and by the provider's
    CHECK(w.workers_heard[0].principal == "acme/ada");
    CHECK(w.workers_heard[1].key == identity_key(identity_kind::subject, idp, "ada"));
    const auto& past = w.manager->past();
    CHECK(std::any_of(past.begin(), past.end(), [](const auto& e) {
        return e.how == "identity ended" && e.principal == "acme/ada" && e.detail == "back-channel logout";
    }));
}

TEST_CASE("what is held at an upstream that is not configured any more is buried, too") {
    company_world w;
    w.hold("acme/ada");
    credential old;
    old.access_token = secret("access-of-before");
    old.issuer = "https://old.example";
    old.obtained_at = w.now;
    old.generation = 3;
    REQUIRE(w.store.store_credential("acme/ada", "gone", old, 0).has_value());
    w.begin();
    CHECK(w.log_out(w.logout_of("ada")).status == 200);
    CHECK_FALSE(w.store.find_credential("acme/ada", "gone", "https://old.example")->value);
    CHECK_FALSE(w.holds_still("acme/ada"));
}

TEST_CASE("a request of theirs that is held gets identity_ended, another person's goes on waiting") {
    company_world w;
    w.begin();
    const auto ask_for = [&](const char* name) {
        recovery_ask ask;
        ask.where = {w.table, w.table->routes[0].get(), principal_id::from_outside(name)};
        ask.what.challenge.kind = challenge_kind::unauthorized;
        ask.what.challenge.bearer = true;
        ask.what.person = person_use::may_ask;
        auto held = std::make_shared<pending_recovery>(w.worker, w.waker, std::move(ask));
        w.manager->requests().ask(held);
        w.until([&] { return !held->approval_link.empty(); }, "an approval");
        return held;
    };
    const auto ada = ask_for("acme/ada"), ben = ask_for("acme/ben");
    CHECK(w.log_out(w.logout_of("ada")).status == 200);
    CHECK(w.verdict_of(ada).why.code == fault::identity_ended);
    CHECK_FALSE(ben->verdict);
    CHECK(w.book.find(ada->approval_id)->status == approval_status::signed_out);
    CHECK_FALSE(decided(w.book.find(ben->approval_id)->status));
}

TEST_CASE("a logout token counts once, however often it is sent, and a login after it stays") {
    company_world w;
    w.begin();
    const auto token = w.logout_of("ada");
    CHECK(w.log_out(token).status == 200);
    w.now += 5s;
    w.hold("acme/ada"); // signed in again
    for (int i = 0; i < 50; ++i)
        CHECK(w.log_out(token).status == 200);
    CHECK(w.holds_still("acme/ada"));
    CHECK(w.manager->identities().over({identity_key(identity_kind::principal, {}, "acme/ada")}, w.now - 6s));
    CHECK_FALSE(
        w.manager->identities().over({identity_key(identity_kind::principal, {}, "acme/ada")}, w.now));
}

TEST_CASE("what is forged, old, for others or of another type ends nobody, and only its word is told") {
    company_world w;
    w.hold("acme/ada");
    w.begin();
    const auto refused = [&](const std::string& token, const char* word) {
        const auto said = w.log_out(token);
        CHECK(said.status == 400);
        CHECK(said.error == "invalid_request");
        CHECK(has(said.description, word));
        CHECK_FALSE(has(said.description, "ada"));
    };
    refused("no token", "issuer");
    refused(std::string(100 * 1024, 'a'), "malformed");
    refused(w.logout_of("ada", {{"exp", w.seconds_at(-60s)}}), "expired");
    refused(w.logout_of("ada", {{"iat", w.seconds_at(60s)}}), "early");
    refused(w.logout_of("ada", {{"aud", "another"}}), "audience");
    refused(w.logout_of("ada", {{"nonce", "n"}}), "claims");
    refused(w.event_of("session-revoked", company_world::person("ada")), "type");
    const auto asked = w.network.asked(idp + "/jwks");
    refused(w.logout_of("ada", {{"iss", "https://other.example"}}), "issuer");
    CHECK(w.network.asked(idp + "/jwks") == asked); // nobody's keys were asked for
    const auto mine = std::exchange(w.key, generate_ec_jwk().value());
    for (int i = 0; i < 20; ++i)
        refused(w.logout_of("ada"), "signature");
    CHECK(w.network.asked(idp + "/jwks") <= asked + key_desk::burst); // within the keys' budget
    CHECK(w.holds_still("acme/ada"));
    CHECK(w.workers_heard.empty());
    CHECK(w.wait(w.manager->people().logout_token("other", "x")).status == 404);
}

TEST_CASE("an event that the vault can't keep is to be told again, and then counts") {
    company_world w;
    w.hold("acme/ada");
    w.begin();
    const auto token = w.logout_of("ada");
    w.records.writable = false;
    CHECK(w.log_out(token).status == 503);
    w.records.writable = true;
    w.now += 31s;
    CHECK(w.log_out(token).status == 200);
    CHECK_FALSE(w.holds_still("acme/ada"));
}

TEST_CASE("an event that somebody has begun to act upon is to be told again until it is done") {
    company_world w;
    w.hold("acme/ada");
    w.begin();
    const auto before = w.store.hear(idp, "l1", wall_clock::now() + 1h);
    REQUIRE((before && *before == event_hearing::first));
    const auto token = w.logout_of("ada"); // whose jti is l1
    CHECK(w.log_out(token).status == 503);
    CHECK(w.holds_still("acme/ada"));
    REQUIRE(w.store.heard(idp, "l1", wall_clock::now() + 1h).has_value());
    CHECK(w.log_out(token).status == 200);
    CHECK(w.holds_still("acme/ada")); // it was acted upon before
}

TEST_CASE("security events are pushed by whom the token names, and answered with the standard's errors") {
    company_world w;
    w.hold("acme/ada");
    w.begin();
    const auto good = w.event_of("session-revoked", company_world::person("ada"));
    CHECK(w.signal(good, "").status == 401);
    CHECK(w.signal(good, "wrong").error == "authentication_failed");
    CHECK(w.holds_still("acme/ada"));
    CHECK(w.signal(w.logout_of("ada")).error == "invalid_request");
    CHECK(w.signal(w.event_of("session-revoked", company_world::person("ada"), {}, {{"aud", "x"}})).error ==
          "invalid_audience");
    CHECK(w.signal(w.event_of("session-revoked", company_world::person("ada"), {}, {{"iss", "x"}})).error ==
          "invalid_issuer");
    const auto said = w.signal(good);
    CHECK(said.status == 202);
    CHECK(said.error.empty());
    CHECK_FALSE(w.holds_still("acme/ada"));
    CHECK(w.signal("rubbish").error == "invalid_issuer");
    const auto mine = std::exchange(w.key, generate_ec_jwk().value());
    CHECK(w.signal(w.event_of("session-revoked", company_world::person("ben"))).error == "invalid_key");
}

TEST_CASE("what changes of a person ends the identity, or only what says who they are, or nothing") {
    company_world w;
    w.hold("acme/ada");
    w.begin();
    const auto send = [&](const char* name, json event = json::object()) {
        CHECK(w.signal(w.event_of(name, company_world::person("ada"), std::move(event))).status == 202);
    };
    send("https://schemas.openid.net/secevent/ssf/event-type/verification", {{"state", "x"}});
    send("https://schemas.openid.net/secevent/ssf/event-type/stream-updated", {{"status", "paused"}});
    send("credential-change", {{"change_type", "create"}});
    send("assurance-level-change", {{"change_direction", "increase"}});
    send("device-compliance-change");
    CHECK(w.workers_heard.empty());
    send(
        "token-claims-change"); // tokens of before say what is not so any more: the login at the server stays
    CHECK_FALSE(w.workers_heard.empty());
    CHECK(w.holds_still("acme/ada"));
    send("credential-change", {{"change_type", "revoke"}});
    CHECK_FALSE(w.holds_still("acme/ada"));
    // nobody of another issuer is meant
    w.hold("acme/ben");
    CHECK(
        w.signal(w.event_of("session-revoked", {{"format", "iss_sub"}, {"iss", "https://x"}, {"sub", "ben"}}))
            .status == 202);
    CHECK(w.holds_still("acme/ben"));
}

TEST_CASE("who is called by another claim than `sub` is found by what their tokens said") {
    company_world w("signals: {}", "email");
    w.hold("acme/ada@acme.example");
    w.begin();
    w.workers_know = {"acme/ada@acme.example"};
    CHECK(w.log_out(w.logout_of("ada")).status == 200);
    w.until([&] { return !w.holds_still("acme/ada@acme.example"); }, "the end");
    // or by the event itself
    w.hold("acme/ben@acme.example");
    CHECK(w.wait(w.manager->people().security_event(
                     "acme", "",
                     w.event_of("session-revoked", {{"format", "email"}, {"email", "ben@acme.example"}})))
              .status == 202);
    CHECK_FALSE(w.holds_still("acme/ben@acme.example"));
}

TEST_CASE("an operator ends an identity, and what was begun is finished by the next process") {
    company_world w;
    w.hold("acme/ada");
    w.begin();
    const auto unknown = w.wait(w.manager->persons().end_identity("somebody", "operator"));
    CHECK_FALSE(unknown.has_value());
    const auto done = w.wait(w.manager->persons().end_identity("acme/ada", "operator"));
    REQUIRE(done.has_value());
    CHECK(done->revoked == 2);
    CHECK_FALSE(w.holds_still("acme/ada"));
    // a process that died over it
    w.hold("acme/ben");
    ended_identity begun{identity_kind::principal, {}, "acme/ben", w.now, "operator", false, false};
    REQUIRE(w.store.store_identity_end(begun).has_value());
    w.restart();
    w.until([&] { return !w.holds_still("acme/ben"); }, "the rest of it");
    CHECK(w.manager->identities().over({begun.key()}, w.now));
}

TEST_CASE("what another process ends is over here: held requests, workers, what the vault holds yet") {
    company_world w;
    w.records.others_may_write = true;
    w.begin();
    recovery_ask ask;
    ask.where = {w.table, w.table->routes[0].get(), principal_id::from_outside("acme/ada")};
    ask.what.challenge.kind = challenge_kind::unauthorized;
    ask.what.challenge.bearer = true;
    ask.what.person = person_use::may_ask;
    auto held = std::make_shared<pending_recovery>(w.worker, w.waker, std::move(ask));
    w.manager->requests().ask(held);
    w.until([&] { return !held->approval_link.empty(); }, "an approval");
    ended_identity e{identity_kind::principal, {}, "acme/ada", w.now, "session-revoked", false, false};
    REQUIRE(w.store.store_identity_end(e).has_value());
    w.records.tell({record_kind::identity_end, joined_key({"principal", "", "acme/ada"})});
    CHECK(w.verdict_of(held).why.code == fault::identity_ended);
    CHECK(w.workers_heard.size() == 1);
    CHECK(w.network.asked(revocation_url) == 0); // whoever ended it does that
}

TEST_CASE("events are polled, acknowledged with the next poll, and refused by their errors") {
    company_world w(
        "signals: {delivery: poll, endpoint: \"https://idp.example/poll\", token: poller-123456789}");
    w.hold("acme/ada");
    std::vector<json> polls;
    json sets;
    w.network.on("https://idp.example/poll", [&](const http_request& q) {
        polls.push_back(json::parse(q.body.reveal()));
        CHECK(q.authorization.equals("Bearer poller-123456789"));
        http_response r;
        r.status = 200;
        r.body =
            json{{"sets", std::exchange(sets, json::object())}, {"moreAvailable", polls.size() == 1}}.dump();
        return r;
    });
    sets = {{"good", w.event_of("session-revoked", company_world::person("ada"))}, {"bad", "rubbish"}};
    w.begin();
    w.until([&] { return polls.size() >= 2; }, "another poll");
    CHECK_FALSE(w.holds_still("acme/ada"));
    CHECK(polls[0]["returnImmediately"] == true);
    CHECK(polls[1]["ack"] == json::array({"good"}));
    CHECK(polls[1]["setErrs"]["bad"]["err"] == "invalid_issuer");
}
