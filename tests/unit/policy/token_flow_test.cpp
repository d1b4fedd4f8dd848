// One question to a token endpoint: retries, nonces, odd answers.
#include "policy/flows/token_flow.hpp"

#include "core/crypto/jose.hpp"
#include "samples.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using namespace reauth::test;
using std::chrono::milliseconds;

namespace {

token_request_spec plain_question(unsigned* built = nullptr) {
    token_request_spec q;
    q.build = [built]() -> result<http_request> {
        if (built)
            ++*built;
        http_request r;
        r.method = "POST";
        r.url = "https://as.example/token";
        return r;
    };
    return q;
}

std::string claim(const http_request& request, const char* name) {
    const auto claims = decode_jwt_claims(header_of(request, "DPoP").value_or(""));
    return claims ? claims->value(name, "(none)") : "(no proof)";
}

} // namespace

TEST_CASE("transient answers of a token endpoint are asked again with growing pauses") {
    fixed_world world;
    flow_script script;
    unsigned built = 0;
    script.on("https://as.example/token", 503, "")
        .on("https://as.example/token", no_answer())
        .on("https://as.example/token", 429, "")
        .on("https://as.example/token", 200, good_token);
    const auto r = script.run(ask_token_endpoint(world.env, plain_question(&built)));
    REQUIRE(r.has_value());
    CHECK(script.pauses ==
          std::vector<milliseconds>{milliseconds(200), milliseconds(500), milliseconds(1000)});
    CHECK(built == 4);
}

TEST_CASE("after the last try the failure is transient") {
    fixed_world world;
    flow_script script;
    script.on("https://as.example/token", 503, "");
    const auto r = script.run(ask_token_endpoint(world.env, plain_question()));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().transient);
    CHECK(r.error().code == fault::authorization_server_unavailable);
    CHECK(script.requests.size() == 4);
}

TEST_CASE("refusals and unreadable answers are not asked again") {
    fixed_world world;
    for (const auto& [status, body] : {std::pair<unsigned, const char*>{400, R"({"error":"invalid_grant"})"},
                                       {401, R"({"error":"invalid_client"})"},
                                       {200, "<html>"},
                                       {200, R"({"error":"bad_refresh_token"})"}}) {
        flow_script script;
        script.on("https://as.example/token", status, body);
        CHECK_FALSE(script.run(ask_token_endpoint(world.env, plain_question())).has_value());
        CHECK(script.requests.size() == 1);
        CHECK(script.pauses.empty());
    }
}

TEST_CASE("Retry-After is honoured up to the cap") {
    const retry_schedule retry;
    const auto asks = [&](const char* value, std::size_t tries = 1) {
        const auto r = answer(503, "", {{"Retry-After", value}});
        return next_pause(retry, tries, &r);
    };
    CHECK(asks("2") == milliseconds(2000));
    CHECK(asks("0") == milliseconds(200));
    CHECK(asks("5") == milliseconds(5000));
    CHECK_FALSE(asks("6"));
    CHECK_FALSE(asks("99999999999999999999"));
    CHECK(asks("Wed, 21 Oct 2026 07:28:00 GMT") == milliseconds(200));
    CHECK(asks("soon", 3) == milliseconds(1000));
    CHECK_FALSE(asks("1", 4));
    CHECK(next_pause(retry, 2, nullptr) == milliseconds(500));
    CHECK_FALSE(next_pause(retry, 0, nullptr));
    CHECK_FALSE(next_pause(retry_schedule::never(), 1, nullptr));
}

TEST_CASE("a request that cannot be built is not sent") {
    fixed_world world;
    flow_script script;
    token_request_spec q;
    q.build = []() -> result<http_request> { return no_answer(); };
    CHECK_FALSE(script.run(ask_token_endpoint(world.env, std::move(q))).has_value());
    CHECK(script.requests.empty());
}

TEST_CASE("a DPoP nonce is answered once, with a fresh proof") {
    fixed_world world;
    flow_script script;
    script.on("https://as.example/token", 400, R"({"error":"use_dpop_nonce"})", {{"DPoP-Nonce", "n-1"}})
        .on("https://as.example/token", 200, R"({"access_token":"at-s3cr3t","token_type":"DPoP"})");
    auto q = plain_question();
    q.dpop_key = generate_ec_jwk().value();
    q.retry = retry_schedule::never();
    const auto r = script.run(ask_token_endpoint(world.env, std::move(q)));
    REQUIRE(r.has_value());
    REQUIRE(script.requests.size() == 2);
    CHECK(claim(script.requests[0], "nonce") == "(none)");
    CHECK(claim(script.requests[1], "nonce") == "n-1");
    CHECK(claim(script.requests[0], "jti") != claim(script.requests[1], "jti"));
    CHECK(claim(script.requests[1], "htu") == "https://as.example/token");
    CHECK(script.pauses.empty());
}

TEST_CASE("a server that keeps asking for nonces is given up") {
    fixed_world world;
    for (const bool with_nonce : {true, false}) {
        flow_script script;
        std::vector<header_field> headers;
        if (with_nonce)
            headers.push_back({"DPoP-Nonce", "n-1"});
        script.on("https://as.example/token", 400, R"({"error":"use_dpop_nonce"})", headers);
        auto q = plain_question();
        q.dpop_key = generate_ec_jwk().value();
        CHECK_FALSE(script.run(ask_token_endpoint(world.env, std::move(q))).has_value());
        CHECK(script.requests.size() == (with_nonce ? 2 : 1));
    }
}

TEST_CASE("a broken DPoP key fails before anything is sent") {
    fixed_world world;
    flow_script script;
    auto q = plain_question();
    q.dpop_key = secret("no key s3cr3t");
    const auto r = script.run(ask_token_endpoint(world.env, std::move(q)));
    REQUIRE_FALSE(r.has_value());
    require_sane(r.error());
    CHECK(script.requests.empty());
}

TEST_CASE("a DPoP key is kept, made, or absent") {
    CHECK(dpop_key_for(false, secret("kept")).value().reveal() == "kept");
    CHECK(dpop_key_for(false, {}).value().empty());
    CHECK_FALSE(dpop_key_for(true, {}).value().empty());
}
