// JWS, JWK, DPoP proofs and ID tokens.
#include "core/crypto/digest.hpp"
#include "core/crypto/jose.hpp"
#include "core/json/json_fields.hpp"
#include "core/oauth/dpop.hpp"
#include "core/oauth/id_token.hpp"
#include "core/text/encoding.hpp"
#include "tests/unit/core/fixed.hpp"
#include "tests/unit/core/printing.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>

using namespace reauth;
using namespace reauth::test;
using nlohmann::json;

namespace {

struct pkey {
    EVP_PKEY* p;
    explicit pkey(EVP_PKEY* key) : p(key) {}
    pkey(const pkey&) = delete;
    ~pkey() { EVP_PKEY_free(p); }
};

secret pem_of(EVP_PKEY* key, const char* passphrase = nullptr) {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(out, key, passphrase ? EVP_aes_128_cbc() : nullptr, passphrase,
                                  passphrase ? static_cast<int>(strlen(passphrase)) : 0, nullptr, nullptr);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    secret pem{std::string(data, static_cast<std::size_t>(size))};
    BIO_free(out);
    return pem;
}

const secret& rsa_pem() {
    static const pkey key(EVP_RSA_gen(2048));
    static const secret pem = pem_of(key.p);
    return pem;
}

const secret& ec_key() {
    static const secret key = generate_ec_jwk().value();
    return key;
}

std::string jwks_of(const secret& key, const json& more = json::object()) {
    auto jwk = public_jwk(key).value();
    jwk.update(more);
    json set;
    set["keys"] = json::array({jwk});
    return set.dump();
}

json claims_of_id_token() {
    return {{"iss", "https://idp"}, {"sub", "ada"},         {"aud", "c"},  {"exp", 1'700'000'300},
            {"iat", 1'699'999'990}, {"email", "ada@x.org"}, {"nonce", "n"}};
}

id_token_expectation expected_login() {
    id_token_expectation out;
    out.issuer = "https://idp";
    out.client_id = "c";
    out.nonce = "n";
    out.now = now;
    return out;
}

result<id_token_claims> check(const json& claims, id_token_expectation e = expected_login()) {
    return check_id_token(secret{sign_jwt(ec_key(), "ES256", json::object(), claims).value()},
                          jwks_of(ec_key()), e);
}

std::string message(const json& claims, id_token_expectation e = expected_login()) {
    const auto r = check(claims, e);
    return r ? "accepted" : r.error().message;
}

} // namespace

TEST_CASE("each algorithm signs what verifies with the public key") {
    for (const char* alg : {"ES256", "RS256", "PS256"}) {
        const auto& key = std::string_view(alg) == "ES256" ? ec_key() : rsa_pem();
        const auto jwt = sign_jwt(key, alg, {{"typ", "JWT"}}, {{"x", "é"}});
        REQUIRE(jwt);
        CHECK(decode_jwt_header(*jwt).value() == json{{"alg", alg}, {"typ", "JWT"}});
        const auto claims = verify_jwt(*jwt, jwks_of(key), {alg});
        REQUIRE(claims);
        CHECK(claims->at("x") == "é");
        CHECK_FALSE(verify_jwt(*jwt, jwks_of(generate_ec_jwk().value()), {alg}));
        CHECK_FALSE(verify_jwt(*jwt, jwks_of(key), {}));
    }
}

TEST_CASE("an ES256 signature is always 64 raw bytes") {
    for (int i = 0; i < 300; ++i) {
        const auto jwt = sign_jwt(ec_key(), "ES256", json::object(), {{"i", i}}).value();
        REQUIRE(base64url_decode(jwt.substr(jwt.rfind('.') + 1))->size() == 64);
    }
}

TEST_CASE("PEM and JWK forms of one key sign alike") {
    const pkey key(EVP_EC_gen("P-256"));
    const auto pem = pem_of(key.p);
    const auto jwk = private_jwk(pem);
    REQUIRE(jwk);
    CHECK(public_jwk(pem).value() == public_jwk(*jwk).value());
    CHECK(verify_jwt(sign_jwt(pem, "ES256", json::object(), {{"a", 1}}).value(), jwks_of(*jwk), {"ES256"}));
    CHECK(private_jwk(*jwk)->equals(jwk->reveal()));
}

TEST_CASE("keys that cannot be used are refused without a prompt and without their content") {
    const pkey p384(EVP_EC_gen("P-384"));
    const pkey small(EVP_RSA_gen(1024));
    const pkey ed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    const pkey ec(EVP_EC_gen("P-256"));
    for (const secret& bad :
         {pem_of(p384.p), pem_of(small.p), pem_of(ed.p), pem_of(ec.p, "pass"), secret{}, secret{"hunter2"},
          secret{"{hunter2"}, secret{R"({"kty":"EC"})"}, secret{R"({"d":"hunter2"})"}}) {
        const auto r = private_jwk(bad);
        REQUIRE_FALSE(r);
        CHECK(r.error().code == fault::invalid_configuration);
        CHECK_THAT(r.error().describe(), !Catch::Contains("hunter2"));
        CHECK_FALSE(public_jwk(bad));
        CHECK_FALSE(sign_jwt(bad, "ES256", json::object(), json::object()));
    }
}

TEST_CASE("an algorithm that does not fit the key is refused") {
    CHECK_FALSE(sign_jwt(ec_key(), "RS256", json::object(), json::object()));
    CHECK_FALSE(sign_jwt(rsa_pem(), "ES256", json::object(), json::object()));
    for (const char* alg : {"none", "HS256", "EdDSA", "ES384", ""})
        CHECK_FALSE(sign_jwt(ec_key(), alg, json::object(), json::object()));
    CHECK_FALSE(sign_jwt(ec_key(), "ES256", {{"number", 1}}, json::object()));
    const secret damaged{R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"})"};
    CHECK_FALSE(sign_jwt(damaged, "ES256", json::object(), json::object()));
}

TEST_CASE("a public JWK has no private member") {
    for (const auto* key : {&ec_key(), &rsa_pem()}) {
        const auto jwk = public_jwk(*key).value();
        for (const char* name : {"d", "p", "q", "dp", "dq", "qi"})
            CHECK_FALSE(jwk.contains(name));
    }
}

TEST_CASE("unsigned and HMAC tokens are never accepted") {
    const auto claims = base64url_encode(R"({"iss":"x"})");
    const auto none = base64url_encode(R"({"alg":"none"})") + "." + claims + ".";
    CHECK_FALSE(verify_jwt(none, jwks_of(ec_key()), {"none", "ES256"}));
    // the classic confusion: the public key as HMAC secret
    const auto head = base64url_encode(R"({"alg":"HS256"})");
    const auto jwks = jwks_of(rsa_pem());
    const auto hs = head + "." + claims + "." + base64url_encode(hmac_sha256(jwks, head + "." + claims));
    CHECK_FALSE(verify_jwt(hs, jwks, {"HS256", "RS256"}));
    CHECK_FALSE(verify_jwt(hs, R"({"keys":[{"kty":"oct","k":"AA"}]})", {"HS256"}));
}

TEST_CASE("a changed token, key id, use or algorithm does not verify") {
    const auto jwt = sign_jwt(ec_key(), "ES256", {{"kid", "k"}}, {{"a", 1}}).value();
    CHECK(verify_jwt(jwt, jwks_of(ec_key(), {{"kid", "k"}, {"use", "sig"}, {"alg", "ES256"}}), {"ES256"}));
    CHECK_FALSE(verify_jwt(jwt, jwks_of(ec_key(), {{"kid", "other"}}), {"ES256"}));
    CHECK_FALSE(verify_jwt(jwt, jwks_of(ec_key()), {"ES256"}));
    CHECK_FALSE(verify_jwt(jwt, jwks_of(ec_key(), {{"kid", "k"}, {"use", "enc"}}), {"ES256"}));
    CHECK_FALSE(verify_jwt(jwt, jwks_of(ec_key(), {{"kid", "k"}, {"alg", "ES384"}}), {"ES256"}));
    const auto first = jwt.find('.');
    const auto last = jwt.rfind('.');
    const auto forged = jwt.substr(0, first + 1) + base64url_encode(R"({"a":2})") + jwt.substr(last);
    const auto r = verify_jwt(forged, jwks_of(ec_key(), {{"kid", "k"}}), {"ES256"});
    REQUIRE_FALSE(r);
    CHECK_THAT(r.error().message, Catch::Contains("signature"));
}

TEST_CASE("broken tokens and key sets are refused") {
    const auto jwt = sign_jwt(ec_key(), "ES256", json::object(), {{"a", 1}}).value();
    for (const char* bad : {"", "a", "a.b", "a.b.c", "a.b.c.d", "..", "e30.e30.", "!!.e30.x"}) {
        CHECK_FALSE(verify_jwt(bad, jwks_of(ec_key()), {"ES256"}));
        CHECK((!decode_jwt_header(bad) || std::string_view(bad).starts_with("e30")));
    }
    CHECK_FALSE(decode_jwt_claims("a.b"));
    CHECK_FALSE(decode_jwt_claims(std::string(70'000, 'a')));
    for (const char* bad : {"", "{}", "[]", R"({"keys":{}})", R"({"keys":[]})",
                            R"({"keys":[7,{},{"kty":"EC","crv":"P-256","x":"?","y":"?"}]})"})
        CHECK_FALSE(verify_jwt(jwt, bad, {"ES256"}));
    const auto crit =
        sign_jwt(ec_key(), "ES256", {{"crit", json::array({"x"})}, {"x", "1"}}, {{"a", 1}}).value();
    CHECK_FALSE(verify_jwt(crit, jwks_of(ec_key()), {"ES256"}));
}

TEST_CASE("EdDSA verifies the sample of RFC 8037") {
    const char* jwt =
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    const char* jwks =
        R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
    // the signature holds, the payload is no JSON object
    CHECK_THAT(verify_jwt(jwt, jwks, {"EdDSA"}).error().message, Catch::Contains("not a signed JWT"));
    const char* other =
        R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAqYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
    CHECK_THAT(verify_jwt(jwt, other, {"EdDSA"}).error().message, Catch::Contains("signature"));
    CHECK_FALSE(verify_jwt(jwt, R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"?"}]})", {"EdDSA"}));
    CHECK_FALSE(verify_jwt(jwt, R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]})", {"EdDSA"}));
}

TEST_CASE("thumbprints have the value of RFC 7638") {
    const json rsa = {{"kty", "RSA"},
                      {"e", "AQAB"},
                      {"alg", "RS256"},
                      {"kid", "2011-04-29"},
                      {"n", "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1"
                            "L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
                            "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
                            "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI"
                            "SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-"
                            "csFCur-kEgU8awapJzKnqDKgw"}};
    CHECK(jwk_thumbprint(rsa) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    CHECK(jwk_thumbprint(
              {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}) ==
          "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    CHECK(jwk_thumbprint({{"kty", "oct"}, {"k", "x"}}).empty());
    CHECK(dpop_thumbprint(ec_key()).value() == jwk_thumbprint(public_jwk(ec_key()).value()));
    CHECK_FALSE(dpop_thumbprint(secret{"x"}));
}

TEST_CASE("a DPoP proof names method, URL without query, time and its own key") {
    const auto proof = dpop_proof(ec_key(), {"POST", "https://api/mcp?x=1#y", "", {}}, now, fixed);
    REQUIRE(proof);
    const auto header = decode_jwt_header(*proof).value();
    CHECK(header.at("typ") == "dpop+jwt");
    CHECK(header.at("alg") == "ES256");
    CHECK(header.at("jwk") == public_jwk(ec_key()).value());
    CHECK(verify_jwt(*proof, jwks_of(ec_key()), {"ES256"}).value() == json{{"htm", "POST"},
                                                                           {"htu", "https://api/mcp"},
                                                                           {"iat", 1'700'000'000},
                                                                           {"jti", random_token(fixed, 16)}});
}

TEST_CASE("a DPoP proof carries nonce and ath, and a new jti each time") {
    const dpop_target target{"GET", "https://api", "n1", secret{"at"}};
    const auto claims = decode_jwt_claims(dpop_proof(ec_key(), target, now, system_random()).value()).value();
    CHECK(claims.at("nonce") == "n1");
    CHECK(claims.at("ath") == base64url_encode(sha256("at")));
    const auto again = decode_jwt_claims(dpop_proof(ec_key(), target, now, system_random()).value()).value();
    CHECK(again.at("jti") != claims.at("jti"));
    CHECK_FALSE(dpop_proof(secret{"x"}, target, now, fixed));
}

TEST_CASE("a retried token request has one proof, the new one") {
    http_request r;
    r.method = "POST";
    r.url = "https://as/token";
    r.headers = {{"dpop", "old"}, {"Accept", "x"}};
    REQUIRE(add_dpop_proof(r, ec_key(), "n", now, fixed));
    REQUIRE(r.headers.size() == 2);
    CHECK(decode_jwt_claims(r.headers[1].value).value().at("nonce") == "n");
    CHECK_FALSE(add_dpop_proof(r, secret{"x"}, "", now, fixed));
}

TEST_CASE("a good ID token gives its claims") {
    const auto r = check(claims_of_id_token());
    REQUIRE(r);
    CHECK(r->issuer == "https://idp");
    CHECK(r->subject == "ada");
    CHECK(r->email == "ada@x.org");
    CHECK(r->expires_at == now + std::chrono::seconds(300));
    CHECK(r->issued_at == now - std::chrono::seconds(10));
}

TEST_CASE("an ID token is refused for each claim that is wrong, with its name") {
    const auto with = [](const char* name, const json& value) {
        auto claims = claims_of_id_token();
        claims[name] = value;
        return claims;
    };
    const auto without = [](const char* name) {
        auto claims = claims_of_id_token();
        claims.erase(name);
        return claims;
    };
    CHECK_THAT(message(with("iss", "https://idp/")), Catch::Contains("https://idp/"));
    CHECK_THAT(message(with("aud", "d")), Catch::Contains("another client"));
    CHECK_THAT(message(without("aud")), Catch::Contains("another client"));
    CHECK_THAT(message(with("aud", {"c", "d"})), Catch::Contains("azp"));
    CHECK_THAT(message(with("azp", "d")), Catch::Contains("azp"));
    CHECK_THAT(message(with("exp", 1'699'999'940)), Catch::Contains("expired"));
    CHECK_THAT(message(without("exp")), Catch::Contains("exp"));
    CHECK_THAT(message(with("exp", "x")), Catch::Contains("exp"));
    CHECK_THAT(message(with("exp", 1e30)), Catch::Contains("exp"));
    CHECK_THAT(message(with("iat", 1'700'000'061)), Catch::Contains("future"));
    CHECK_THAT(message(with("nonce", "m")), Catch::Contains("nonce"));
    CHECK_THAT(message(without("nonce")), Catch::Contains("nonce"));
    CHECK_THAT(message(without("sub")), Catch::Contains("sub"));
}

TEST_CASE("skew, several audiences with our azp, and absent optional claims are fine") {
    auto claims = claims_of_id_token();
    claims["aud"] = {"d", "c"};
    claims["azp"] = "c";
    claims["exp"] = 1'699'999'941;
    claims["iat"] = 1'700'000'060;
    CHECK(message(claims) == "accepted");
    claims.erase("iat");
    claims.erase("nonce");
    auto e = expected_login();
    e.nonce.clear();
    CHECK(message(claims, e) == "accepted");
    e.skew = std::chrono::seconds(0);
    CHECK_THAT(message(claims, e), Catch::Contains("expired"));
}

TEST_CASE("an ID token with a wrong signature or algorithm is refused") {
    const secret token{sign_jwt(ec_key(), "ES256", json::object(), claims_of_id_token()).value()};
    CHECK_FALSE(check_id_token(token, jwks_of(generate_ec_jwk().value()), expected_login()));
    auto rsa_only = expected_login();
    rsa_only.algorithms = {"RS256"};
    CHECK_FALSE(check_id_token(token, jwks_of(ec_key()), rsa_only));
    CHECK_FALSE(check_id_token(secret{"x"}, jwks_of(ec_key()), expected_login()));
}

TEST_CASE("a supplied token's expiry can be looked at") {
    const secret token{sign_jwt(ec_key(), "ES256", json::object(), claims_of_id_token()).value()};
    CHECK(peek_id_token(token)->expires_at == now + std::chrono::seconds(300));
    CHECK_FALSE(peek_id_token(secret{"x"}));
    CHECK_FALSE(peek_id_token(secret{"e30.e30.x"}));
}

TEST_CASE("JSON members of foreign types are absent") {
    const auto o =
        parse_json_object(
            R"({"s":7,"b":"true","i":"12x","l":[1,"a"],"big":18446744073709551615,"neg":-3,"o":{}})")
            .value();
    CHECK(json_string(o, "s").empty());
    CHECK_FALSE(json_bool(o, "b"));
    CHECK_FALSE(json_integer(o, "i"));
    CHECK_FALSE(json_integer(o, "big"));
    CHECK_FALSE(json_integer(o, "o"));
    CHECK(json_integer(o, "neg") == -3);
    CHECK(json_strings(o, "l") == std::vector<std::string>{"a"});
    CHECK_FALSE(json_strings(o, "o"));
    CHECK_FALSE(json_time(o, "x"));
    CHECK(json_time(o, "neg") == time_point{std::chrono::seconds{-3}});
    CHECK_FALSE(json_time(json{{"t", INT64_MIN}}, "t"));
    std::string many = "{\"l\":[";
    for (int i = 0; i < 1000; ++i)
        many += "\"x\",";
    CHECK(json_strings(parse_json_object(many + "\"x\"]}").value(), "l")->size() == 256);
}
