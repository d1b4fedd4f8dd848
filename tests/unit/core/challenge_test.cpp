// WWW-Authenticate in the shapes the field sends.
#include "core/oauth/challenge.hpp"

#include "tests/unit/core/printing.hpp"

using namespace reauth;

namespace {

parsed_challenge summary(unsigned status, std::vector<std::string_view> lines, bool sent = true,
                         std::string_view nonce = {}) {
    return read_challenge(status, lines, nonce, sent);
}

} // namespace

TEST_CASE("a challenge's parameters come in any order and case") {
    const auto c = parse_www_authenticate(
        {"bEaReR SCOPE=\"a b\", Error = invalid_token , Resource_Metadata=\"https://x/y\""});
    REQUIRE(c.size() == 1);
    CHECK(c[0].scheme == "bearer");
    CHECK(c[0].param("scope") == "a b");
    CHECK(c[0].param("error") == "invalid_token");
    CHECK(c[0].param("resource_metadata") == "https://x/y");
    CHECK_FALSE(c[0].param("realm"));
}

TEST_CASE("quoted commas and escaped quotes stay inside their value") {
    const auto c = parse_www_authenticate({R"(Bearer error_description="a, Basic b=\"c\", \\d", scope="x")"});
    REQUIRE(c.size() == 1);
    CHECK(c[0].param("error_description") == R"(a, Basic b="c", \d)");
    CHECK(c[0].param("scope") == "x");
}

TEST_CASE("several challenges in one line and over several lines are told apart") {
    const auto c =
        parse_www_authenticate({R"(Negotiate, Basic realm="r", charset="UTF-8", DPoP algs="ES256 RS256")",
                                "Bearer", "NTLM TlRMTVNTUAAB=="});
    REQUIRE(c.size() == 5);
    CHECK(c[0].scheme == "negotiate");
    CHECK(c[1].param("charset") == "UTF-8");
    CHECK(c[2].scheme == "dpop");
    CHECK(c[3].scheme == "bearer");
    CHECK(c[4].token68 == "TlRMTVNTUAAB==");
}

TEST_CASE("a token68 is not taken for a parameter") {
    const auto c = parse_www_authenticate({"Negotiate abc=, Bearer scope=x"});
    REQUIRE(c.size() == 2);
    CHECK(c[0].token68 == "abc=");
    CHECK(c[1].param("scope") == "x");
}

TEST_CASE("unquoted URLs and empty list elements are read") {
    const auto c =
        parse_www_authenticate({",, Bearer resource_metadata=https://a.example/x?y=z , scope=r,,"});
    REQUIRE(c.size() == 1);
    CHECK(c[0].param("resource_metadata") == "https://a.example/x?y=z");
    CHECK(c[0].param("scope") == "r");
}

TEST_CASE("broken challenges do not hide good ones") {
    CHECK(parse_www_authenticate({"=x", "\"unterminated", "a=b", "@@@ Bearer"}).size() == 1);
    const auto c = parse_www_authenticate({R"(Bearer error="unterminated, scope=x)", "Bearer scope=\"y\\"});
    REQUIRE(c.size() == 2);
    CHECK(c[0].param("error") == "unterminated, scope=x");
    CHECK(c[1].param("scope") == "y\\");
    // a parameter of a second line belongs to no challenge of the first
    const auto stray = parse_www_authenticate({"Bearer", "scope=\"admin\""});
    REQUIRE(stray.size() == 1);
    CHECK(stray[0].params.empty());
    CHECK(parse_www_authenticate({"Bearer a b"}).size() == 2);
    CHECK(parse_www_authenticate({"Bearer error=,scope=x"})[0].param("scope") == "x");
}

TEST_CASE("hostile challenges are read up to a cap") {
    std::string many, params = "Bearer ", huge = "Bearer scope=\"" + std::string(1 << 20, 'a');
    for (int i = 0; i < 1000; ++i) {
        many += "S" + std::to_string(i) + " x=y, ";
        params += "p=" + std::to_string(i) + ", ";
    }
    CHECK(parse_www_authenticate({many}).size() == 16);
    CHECK(parse_www_authenticate({params})[0].params.size() == 32);
    CHECK(parse_www_authenticate({huge, "Bearer"}).size() == 1);
    CHECK(parse_www_authenticate(std::vector<std::string_view>(5000, "Bearer")).size() == 16);
}

TEST_CASE("401 is classified by what was sent and what is said") {
    CHECK(summary(401, {}, false).kind == challenge_kind::unauthorized);
    CHECK(summary(401, {"Bearer error=\"invalid_token\""}, false).kind == challenge_kind::unauthorized);
    CHECK(summary(401, {}).kind == challenge_kind::token_expired);
    CHECK(summary(401, {"Bearer"}).kind == challenge_kind::token_expired);
    CHECK(summary(401, {"Bearer realm=x"}).kind == challenge_kind::token_expired);
    CHECK(summary(401, {"Bearer error=invalid_token"}).kind == challenge_kind::invalid_token);
    CHECK(summary(401, {"Bearer error=invalid_request"}).kind == challenge_kind::invalid_token);
    CHECK(summary(401, {"Bearer error=insufficient_scope, scope=x"}).kind ==
          challenge_kind::insufficient_scope);
}

TEST_CASE("403 is a challenge only for insufficient_scope and invalid_token") {
    CHECK(summary(403, {R"(Bearer scope="a b", error="insufficient_scope")"}).kind ==
          challenge_kind::insufficient_scope);
    CHECK(summary(403, {R"(DPoP error="insufficient_scope")"}).kind == challenge_kind::insufficient_scope);
    CHECK(summary(403, {R"(Bearer error="invalid_token")"}).kind == challenge_kind::invalid_token);
    CHECK(summary(403, {R"(Bearer error="invalid_token")"}, false).kind == challenge_kind::unauthorized);
    CHECK(summary(403, {}).kind == challenge_kind::not_a_challenge);
    CHECK(summary(403, {"Bearer"}).kind == challenge_kind::not_a_challenge);
    CHECK(summary(403, {R"(Basic error="insufficient_scope")"}).kind == challenge_kind::not_a_challenge);
    CHECK(summary(200, {R"(Bearer error="insufficient_scope")"}).kind == challenge_kind::not_a_challenge);
    CHECK(summary(503, {"Bearer"}).bearer == false);
}

TEST_CASE("a summary takes from Bearer and DPoP only, the first that speaks") {
    const auto c = summary(
        401, {R"(Basic scope="evil", resource_metadata="https://evil/")",
              R"(DPoP algs="ES256  PS256", error="invalid_token")",
              R"(Bearer error="x", scope="a b", resource_metadata="https://m/", error_description="d")"});
    CHECK(c.bearer);
    CHECK(c.dpop);
    CHECK(c.error == "invalid_token");
    CHECK(c.scope == scope_set{"a", "b"});
    CHECK(c.resource_metadata == "https://m/");
    CHECK(c.error_description == "d");
    CHECK(c.dpop_algs == std::vector<std::string>{"ES256", "PS256"});
}

TEST_CASE("whatever names resource metadata is a challenge, whatever its status and scheme") {
    const std::string gateway = R"(Cloudflare-Access resource_metadata="https://m/")";
    for (const unsigned status : {301u, 302u, 303u, 307u, 308u, 401u, 403u}) {
        const auto c = summary(status, {gateway}, false);
        CHECK(c.kind == challenge_kind::unauthorized);
        CHECK(c.resource_metadata == "https://m/");
        CHECK_FALSE(c.bearer);
        CHECK(summary(status, {gateway}, true).kind == challenge_kind::token_expired);
    }
    for (const unsigned status : {200u, 204u, 304u, 404u, 500u})
        CHECK(summary(status, {gateway}, false).kind == challenge_kind::not_a_challenge);
    CHECK(summary(302, {"Bearer"}, false).kind == challenge_kind::not_a_challenge);
    CHECK(summary(403, {R"(Bearer error="insufficient_scope", resource_metadata="https://m/")"}).kind ==
          challenge_kind::insufficient_scope);
}

TEST_CASE("an empty or unusable scope says nothing") {
    CHECK_FALSE(summary(401, {R"(Bearer scope="")"}).scope);
    CHECK_FALSE(summary(401, {"Bearer"}).scope);
    CHECK(summary(401, {R"(Bearer scope="", algs="x")", R"(Bearer scope="b")"}).scope == scope_set{"b"});
}

TEST_CASE("a DPoP nonce 401 starts no authorization") {
    const auto c = summary(401, {R"(DPoP error="use_dpop_nonce", algs="ES256")"}, true, "n-1");
    CHECK(c.kind == challenge_kind::dpop_nonce);
    CHECK(c.dpop_nonce == "n-1");
    CHECK(summary(401, {R"(DPoP error="use_dpop_nonce")"}).kind == challenge_kind::invalid_token);
    CHECK(summary(401, {R"(DPoP error="use_dpop_nonce")"}, false, "n").kind == challenge_kind::unauthorized);
    CHECK(summary(200, {}, true, "n-2").dpop_nonce == "n-2");
}

TEST_CASE("a DPoP nonce with foreign characters is not kept") {
    CHECK(summary(200, {}, true, "a b").dpop_nonce.empty());
    CHECK(summary(200, {}, true, "a\r\nX: y").dpop_nonce.empty());
    CHECK_FALSE(valid_dpop_nonce("a\"b"));
    CHECK_FALSE(valid_dpop_nonce("a\\b"));
    CHECK_FALSE(valid_dpop_nonce("é"));
    CHECK_FALSE(valid_dpop_nonce(""));
    CHECK_FALSE(valid_dpop_nonce(std::string(1025, 'a')));
    CHECK(valid_dpop_nonce("eyJ7S_zG.eyJH0-Z"));
}

TEST_CASE("challenges are found among header fields of any case") {
    const std::vector<header_field> headers{{"www-AUTHENTICATE", "Basic realm=x"},
                                            {"dpop-nonce", "n"},
                                            {"Other", "Bearer"},
                                            {"WWW-Authenticate", "Bearer error=invalid_token"}};
    const auto c = read_challenge(401, headers, true);
    CHECK(c.kind == challenge_kind::invalid_token);
    CHECK(c.dpop_nonce == "n");
}

TEST_CASE("challenge kinds have words") {
    CHECK(to_string(challenge_kind::not_a_challenge) == "not_a_challenge");
    CHECK(to_string(challenge_kind::unauthorized) == "unauthorized");
    CHECK(to_string(challenge_kind::token_expired) == "token_expired");
    CHECK(to_string(challenge_kind::invalid_token) == "invalid_token");
    CHECK(to_string(challenge_kind::insufficient_scope) == "insufficient_scope");
    CHECK(to_string(challenge_kind::dpop_nonce) == "dpop_nonce");
}
