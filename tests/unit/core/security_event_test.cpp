// What an identity provider says of somebody who is gone: logout tokens and security events.
#include "core/crypto/jose.hpp"
#include "core/oauth/security_event.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/core/fixed.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using namespace reauth::test;
using nlohmann::json;
using std::chrono::seconds;

namespace {

constexpr const char* logout_uri = "http://schemas.openid.net/event/backchannel-logout";
const std::string caep_uri = "https://schemas.openid.net/secevent/caep/event-type/";
const std::string ssf_uri = "https://schemas.openid.net/secevent/ssf/event-type/";

const std::chrono::milliseconds whole{999}; // an event is over at the end of its second

std::int64_t seconds_from_now(seconds s) {
    return (now + s).time_since_epoch() / seconds(1);
}

/// A provider, and one kind of token of it.
struct teller {
    bool logout;
    secret key = generate_ec_jwk().value();
    std::string jwks = json{{"keys", json::array({public_jwk(key).value()})}}.dump();
    event_expectation expected;
    json header, claims;

    explicit teller(bool of_logout) : logout(of_logout) {
        expected.issuer = "https://idp.acme.example";
        expected.audience = {"mcp-reauth"};
        expected.now = now;
        header = {{"typ", logout ? "logout+jwt" : "secevent+jwt"}};
        claims = {{"iss", "https://idp.acme.example"},
                  {"aud", "mcp-reauth"},
                  {"iat", seconds_from_now(seconds(-1))},
                  {"jti", "e1"}};
        if (logout) {
            claims["exp"] = seconds_from_now(seconds(120));
            claims["sub"] = "ada";
            claims["sid"] = "s1";
            claims["events"] = {{logout_uri, json::object()}};
        } else {
            claims["sub_id"] = {{"format", "iss_sub"}, {"iss", "https://idp.acme.example"}, {"sub", "ada"}};
            claims["events"] = {{caep_uri + "session-revoked", json::object()}};
        }
    }
    checked_event read(const std::string& token) const {
        return logout ? check_logout_token(token, jwks, expected)
                      : check_security_event(token, jwks, expected);
    }
    checked_event read() const { return read(sign_jwt(key, "ES256", header, claims).value()); }
    std::string verdict() const {
        const auto said = read();
        return said.why ? std::string(to_string(*said.why)) : "good";
    }
    teller with(const char* name, json value) const {
        auto other = *this;
        if (value.is_null())
            other.claims.erase(name);
        else
            other.claims[name] = std::move(value);
        return other;
    }
    teller typed(json typ) const {
        auto other = *this;
        other.header = typ.is_null() ? json::object() : json{{"typ", std::move(typ)}};
        return other;
    }
    identity_event of(const std::string& uri, json event = json::object()) const {
        return with("events", json{{uri, std::move(event)}}).read().event;
    }
};

} // namespace

TEST_CASE("a logout token names who has signed out, by subject, session or both") {
    const teller idp(true);
    const auto said = idp.read();
    REQUIRE_FALSE(said.why);
    CHECK(said.event.change == identity_change::ended);
    CHECK(said.event.id == "e1");
    CHECK(said.event.at == now - seconds(1) + whole);
    REQUIRE(said.event.about.size() == 1);
    CHECK(said.event.about[0].subject == "ada");
    CHECK(said.event.about[0].session == "s1");
    CHECK(said.event.about[0].issuer == "https://idp.acme.example");
    CHECK(idp.with("sid", nullptr).verdict() == "good");
    CHECK(idp.with("sub", nullptr).verdict() == "good");
    CHECK(idp.with("sub", nullptr).with("sid", nullptr).verdict() == "claims");
    CHECK(idp.with("sub", 7).with("sid", nullptr).verdict() == "claims");
}

TEST_CASE("a logout token that is forged, old, for others or of another type is refused by a word") {
    const teller idp(true);
    CHECK(idp.typed("JWT").verdict() == "good"); // providers of before the final text
    CHECK(idp.typed(nullptr).verdict() == "good");
    for (const auto* other : {"secevent+jwt", "at+jwt", "oauth-id-jag+jwt", "dpop+jwt"})
        CHECK(idp.typed(other).verdict() == "type");
    CHECK(idp.typed(json::array()).verdict() == "type");
    CHECK(idp.with("nonce", "n").verdict() == "claims"); // an ID token, then
    CHECK(idp.with("events", nullptr).verdict() == "claims");
    CHECK(idp.with("events", json{{caep_uri + "session-revoked", json::object()}}).verdict() == "claims");
    CHECK(idp.with("events", json{{logout_uri, 1}}).verdict() == "claims");
    CHECK(idp.with("jti", nullptr).verdict() == "claims");
    CHECK(idp.with("jti", std::string(300, 'x')).verdict() == "claims");
    CHECK(idp.with("iat", nullptr).verdict() == "claims");
    CHECK(idp.with("iat", seconds_from_now(seconds(31))).verdict() == "early");
    CHECK(idp.with("exp", seconds_from_now(seconds(-30))).verdict() == "expired");
    CHECK(idp.with("exp", "soon").verdict() == "expired");
    CHECK(idp.with("exp", nullptr).verdict() == "good");
    CHECK(idp.with("exp", nullptr).with("iat", seconds_from_now(-oldest_security_event)).verdict() ==
          "expired");
    CHECK(idp.with("iss", "https://other.example").verdict() == "issuer");
    CHECK(idp.with("aud", "other").verdict() == "audience");
    CHECK(idp.with("aud", json::array({"other", "mcp-reauth"})).verdict() == "good");

    auto stranger = idp;
    stranger.key = generate_ec_jwk().value();
    CHECK(stranger.verdict() == "signature");
    const auto unsigned_one = idp.read("eyJhbGciOiJub25lIiwidHlwIjoibG9nb3V0K2p3dCJ9.e30.");
    CHECK(unsigned_one.why == event_fault::algorithm);
    CHECK(idp.read("").why == event_fault::malformed);
    CHECK(idp.read(std::string(64 * 1024, 'a')).why == event_fault::malformed);
    CHECK(
        check_logout_token(sign_jwt(idp.key, "ES256", idp.header, idp.claims).value(), "no set", idp.expected)
            .why == event_fault::keys);
}

TEST_CASE("a security event says what changed, for whom, and when") {
    const teller idp(false);
    using is = identity_change;
    const auto plain = idp.read();
    REQUIRE_FALSE(plain.why);
    CHECK(plain.event.change == is::ended);
    CHECK(plain.event.what == "session-revoked");
    CHECK(plain.event.about[0].subject == "ada");
    CHECK(idp.of(caep_uri + "session-revoked", {{"event_timestamp", seconds_from_now(seconds(-60))}}).at ==
          now - seconds(60) + whole);
    CHECK(idp.of(caep_uri + "session-revoked", {{"event_timestamp", seconds_from_now(seconds(60))}}).at ==
          now - seconds(1) + whole);
    CHECK(idp.of(caep_uri + "token-claims-change").change == is::renewed);
    CHECK(idp.of(caep_uri + "credential-change", {{"change_type", "revoke"}}).change == is::ended);
    CHECK(idp.of(caep_uri + "credential-change", {{"change_type", "create"}}).change == is::none);
    CHECK(idp.of(caep_uri + "assurance-level-change", {{"change_direction", "decrease"}}).change ==
          is::renewed);
    CHECK(idp.of(caep_uri + "assurance-level-change", {{"change_direction", "increase"}}).change == is::none);
    CHECK(idp.of(caep_uri + "device-compliance-change").change == is::none);
    CHECK(idp.of("https://schemas.openid.net/secevent/risc/event-type/account-disabled").change == is::ended);
    CHECK(idp.of(ssf_uri + "verification").change == is::check);
    const auto paused = idp.of(ssf_uri + "stream-updated", {{"status", "paused"}});
    CHECK(paused.change == is::stream);
    CHECK(paused.what == "paused");
    const auto both = idp.with("events", {{caep_uri + "token-claims-change", json::object()},
                                          {caep_uri + "session-revoked", json::object()}});
    CHECK(both.read().event.change == is::ended);
}

TEST_CASE("a security event is about a subject in any of the formats that name a person or a session") {
    const teller idp(false);
    const auto about = [&](json subject) {
        return idp.with("sub_id", std::move(subject)).read().event.about;
    };
    const json user{{"format", "iss_sub"}, {"iss", "https://i"}, {"sub", "ada"}};
    CHECK(about({{"format", "email"}, {"email", "ada@acme.example"}})[0].email == "ada@acme.example");
    const auto both =
        about({{"format", "complex"}, {"user", user}, {"session", {{"format", "opaque"}, {"id", "s1"}}}});
    REQUIRE(both.size() == 1);
    CHECK(both[0].subject == "ada");
    CHECK(both[0].session == "s1");
    CHECK(about({{"user", user}})[0].issuer == "https://i"); // as drafts had it, without a format
    CHECK(about({{"format", "aliases"}, {"identifiers", {user, {{"format", "email"}, {"email", "a@b"}}}}})
              .size() == 2);
    CHECK(idp.with("sub_id", {{"format", "phone_number"}, {"phone_number", "+1"}}).verdict() == "claims");
    CHECK(idp.with("sub_id", nullptr).verdict() == "claims");
    // where the drafts had the subject
    const auto old =
        idp.with("sub_id", nullptr).with("events", json{{caep_uri + "session-revoked", {{"subject", user}}}});
    CHECK(old.verdict() == "good");
    CHECK(old.read().event.about[0].subject == "ada");
    json nested = user;
    for (int i = 0; i < 20; ++i)
        nested = {{"format", "aliases"}, {"identifiers", json::array({nested})}};
    CHECK(idp.with("sub_id", nested).verdict() == "claims");
}

TEST_CASE("a security event must call itself one") {
    const teller idp(false);
    CHECK(idp.typed("application/secevent+jwt").verdict() == "good");
    for (const auto* other : {"JWT", "logout+jwt", "at+jwt", ""})
        CHECK(idp.typed(other).verdict() == "type");
    CHECK(idp.typed(nullptr).verdict() == "type");
    CHECK(idp.with("aud", "other").verdict() == "audience");
    CHECK(idp.with("jti", nullptr).verdict() == "claims");
    CHECK(idp.with("events", json::object()).verdict() == "claims");
    CHECK(idp.with("events", json{{caep_uri + "session-revoked", "x"}}).verdict() == "good"); // says nothing
}
