// Tokens that callers show us, and the digest that a known one is found by.
#include "core/crypto/jose.hpp"
#include "core/crypto/keyed_digest.hpp"
#include "core/json/json_fields.hpp"
#include "core/oauth/caller_token.hpp"
#include "core/text/encoding.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/core/fixed.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using namespace reauth::test;
using nlohmann::json;
using std::chrono::seconds;

namespace {

std::int64_t at(seconds from_now) {
    return (now + from_now).time_since_epoch() / seconds(1);
}

/// An issuer, and what its tokens say unless a test says otherwise.
struct issuer {
    secret key = generate_ec_jwk().value();
    std::string jwks = keys_of(key, "k1");
    caller_expectation expected;
    json header{{"typ", "at+jwt"}, {"kid", "k1"}};
    json claims{{"iss", "https://idp.acme.example"},
                {"aud", "https://mcp.acme.example"},
                {"sub", "ada"},
                {"exp", at(seconds(60))},
                {"iat", at(seconds(-1))},
                {"scope", "mcp openid"}};

    issuer() {
        expected.issuer = "https://idp.acme.example";
        expected.audience = {"https://mcp.acme.example", "mcp"};
        expected.algorithms = {"RS256", "ES256", "EdDSA"};
        expected.now = now;
    }
    static std::string keys_of(const secret& key, const std::string& kid) {
        auto one = public_jwk(key).value();
        one["kid"] = kid;
        return json{{"keys", json::array({one})}}.dump();
    }
    std::string token() const { return sign_jwt(key, "ES256", header, claims).value(); }
    std::string verdict() const { return verdict_of(token()); }
    std::string verdict_of(const std::string& token) const {
        const auto checked = check_caller_token(token, jwks, expected);
        return checked.why ? std::string(to_string(*checked.why)) : "good";
    }
    caller_claims read() const { return check_caller_token(token(), jwks, expected).claims; }
    std::string with(const char* name, json value) const {
        auto other = *this;
        if (value.is_null())
            other.claims.erase(name);
        else
            other.claims[name] = std::move(value);
        return other.verdict();
    }
    std::string typed(json typ) const {
        auto other = *this;
        other.header["typ"] = std::move(typ);
        return other.verdict();
    }
};

} // namespace

TEST_CASE("a caller's token is taken if issuer, audience, time and signature are right") {
    const issuer idp;
    CHECK(idp.verdict() == "good");
    const auto claims = idp.read();
    CHECK(claims.subject == "ada");
    CHECK(claims.expires_at == now + seconds(60));
    CHECK_FALSE(claims.id_token);
    CHECK(idp.with("aud", json::array({"other", "mcp"})) == "good");
    CHECK(idp.with("aud", "https://mcp.acme.example/") == "good"); // the same origin, as URL parsers write it
    CHECK(idp.with("aud", "https://mcp.acme.example/x") == "audience");
    CHECK(idp.with("aud", "mcp/") == "audience");
    CHECK(idp.with("aud", "other") == "audience");
    CHECK(idp.with("aud", nullptr) == "audience");
    CHECK(idp.with("iss", "https://idp.acme.example/") == "issuer");
    CHECK(idp.with("iss", nullptr) == "issuer");
}

TEST_CASE("a caller's token is good within its time, give or take the leeway") {
    const issuer idp;
    CHECK(idp.with("exp", at(seconds(-29))) == "good");
    CHECK(idp.with("exp", at(seconds(-30))) == "expired");
    CHECK(idp.with("exp", nullptr) == "expired");
    CHECK(idp.with("exp", json::object()) == "expired");
    CHECK(idp.with("nbf", at(seconds(30))) == "good");
    CHECK(idp.with("nbf", at(seconds(31))) == "early");
    CHECK(idp.with("iat", at(seconds(31))) == "early");
}

TEST_CASE("a JWT of another kind is no caller's token, whoever signed it") {
    const issuer idp;
    for (const auto* good : {"at+jwt", "application/at+jwt", "AT+JWT", "JWT"})
        CHECK(idp.typed(good) == "good");
    for (const auto* other : {"oauth-id-jag+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt",
                              "application/jwt+x", "token-introspection+jwt", "rt+jwt"}) {
        INFO(other);
        CHECK(idp.typed(other) == "type");
    }
    CHECK(idp.typed(json::array({"at+jwt"})) == "type");
    CHECK(idp.with("events", json::object()) == "type");
    for (const auto* own : {"Refresh", "Offline", "Logout"})
        CHECK(idp.with("typ", own) == "type");
    CHECK(idp.with("typ", "Bearer") == "good");
}

TEST_CASE("forged tokens of callers are refused, each with one word") {
    const issuer idp;
    const auto good = idp.token();
    const auto dot = good.rfind('.');
    CHECK(idp.verdict_of(good.substr(0, dot)) == "malformed");
    CHECK(idp.verdict_of(good.substr(0, dot + 1)) == "signature");
    CHECK(idp.verdict_of("") == "malformed");
    CHECK(idp.verdict_of("a.b.c") == "malformed");
    CHECK(idp.verdict_of(good + "." + good) == "malformed");
    CHECK(idp.verdict_of(std::string(64 * 1024, 'x')) == "malformed");
    const auto unsigned_one = base64url_encode(R"({"alg":"none","typ":"at+jwt"})") + "." +
                              base64url_encode(idp.claims.dump()) + ".";
    CHECK(idp.verdict_of(unsigned_one) == "algorithm");
    // signed with the public key as if it were a shared secret
    const auto confused = base64url_encode(R"({"alg":"HS256","typ":"at+jwt","kid":"k1"})") + "." +
                          base64url_encode(idp.claims.dump()) + ".c2ln";
    CHECK(idp.verdict_of(confused) == "algorithm");
    auto other = idp;
    other.key = generate_ec_jwk().value();
    CHECK(idp.verdict_of(other.token()) == "signature");
    other.header["kid"] = "k2";
    CHECK(idp.verdict_of(other.token()) == "key");
    other = idp;
    other.expected.algorithms = {"RS256"};
    CHECK(other.verdict() == "algorithm");
    other = idp;
    other.jwks = "[]";
    CHECK(other.verdict() == "keys");
    other = idp;
    other.header["crit"] = json::array({"exp"});
    CHECK(other.verdict() == "malformed");
}

TEST_CASE("the principal is a claim of one's choice, and text") {
    issuer idp;
    CHECK(idp.with("sub", nullptr) == "principal");
    CHECK(idp.with("sub", 7) == "principal");
    CHECK(idp.with("sub", "") == "principal");
    CHECK(idp.with("sub", std::string(256, 'x')) == "principal");
    CHECK(idp.with("sub", std::string(255, 'x')) == "good");
    idp.expected.principal = "user.mail";
    CHECK(idp.verdict() == "principal");
    idp.claims["user"] = {{"mail", "ada@acme.example"}};
    CHECK(idp.read().subject == "ada@acme.example");
}

TEST_CASE("groups are a list or one text, here or within an object") {
    issuer idp;
    CHECK(idp.read().groups.empty());
    idp.claims["groups"] = json::array({"b", "a", 1, "b", json::array({"c"})});
    CHECK(idp.read().groups == std::vector<std::string>{"a", "b"});
    idp.claims["groups"] = "only";
    CHECK(idp.read().groups == std::vector<std::string>{"only"});
    idp.expected.groups = "realm_access.roles";
    idp.claims["realm_access"] = {{"roles", json::array({"admin"})}};
    CHECK(idp.read().groups == std::vector<std::string>{"admin"});
    idp.claims["realm_access.roles"] = "as it is called";
    CHECK(idp.read().groups == std::vector<std::string>{"as it is called"});
}

TEST_CASE("scopes that are demanded have to be in the token, in whichever way it writes them") {
    issuer idp;
    idp.expected.scopes = scope_set{"mcp"};
    CHECK(idp.verdict() == "good");
    CHECK(idp.with("scope", "openid") == "scope");
    idp.claims.erase("scope");
    CHECK(idp.with("scp", json::array({"x", "mcp"})) == "good");
    CHECK(idp.with("scp", "x mcp") == "good");
    CHECK(idp.with("scp", nullptr) == "scope");
}

TEST_CASE("an ID token is told from an access token") {
    issuer idp;
    idp.claims["nonce"] = "n";
    CHECK_FALSE(idp.read().id_token);
    idp.header["typ"] = "JWT";
    CHECK_FALSE(idp.read().id_token); // it has scopes
    idp.claims.erase("scope");
    CHECK(idp.read().id_token);
    for (const auto& [name, value] :
         {std::pair{"typ", "Bearer"}, {"gty", "client-credentials"}, {"cid", "c"}}) {
        auto other = idp;
        other.claims[name] = value;
        CHECK_FALSE(other.read().id_token); // Keycloak's, Auth0's, Okta's
    }
    idp.claims["typ"] = "ID";
    idp.claims.erase("nonce");
    CHECK(idp.read().id_token);
}

TEST_CASE("a digest is the same for the same text alone, and with another key another one") {
    std::string fixed;
    for (int i = 0; i < 20'000; ++i)
        fixed += static_cast<char>(i * 7 + i / 256);
    const keyed_digest one([&](std::size_t n) { return fixed.substr(0, n); });
    const keyed_digest other([&](std::size_t n) { return fixed.substr(1, n); });
    const std::string text(1000, 'x');
    CHECK(one.of(text) == one.of(std::string(text)));
    CHECK_FALSE(one.of(text) == other.of(text));
    for (std::size_t n : {1u, 15u, 16u, 17u, 999u}) {
        auto changed = text;
        changed[n] = 'y';
        CHECK_FALSE(one.of(changed) == one.of(text));
        CHECK_FALSE(one.of(text.substr(0, n)) == one.of(text.substr(0, n) + std::string(1, '\0')));
    }
    CHECK(one.of("") == one.of(""));
    CHECK(one.of(std::string(keyed_digest::most, 'z')) == one.of(std::string(keyed_digest::most, 'z')));
}
