// Client authentication and registration.
#include "core/crypto/jose.hpp"
#include "core/oauth/client_auth.hpp"
#include "core/oauth/registration.hpp"

#include "tests/unit/core/fixed.hpp"
#include "tests/unit/core/printing.hpp"
#include <nlohmann/json.hpp>

using namespace reauth;
using namespace reauth::test;
using nlohmann::json;
using enum client_auth_method;

namespace {

authorization_server server_with(std::optional<std::vector<std::string>> methods) {
    authorization_server out;
    out.issuer = "https://as.example";
    out.registration_endpoint = "https://as.example/register";
    out.token_endpoint_auth_methods_supported = std::move(methods);
    return out;
}

http_response created(const json& body) {
    return {201, {}, body.dump()};
}

registration_request wanted() {
    registration_request out;
    out.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
    return out;
}

} // namespace

TEST_CASE("the client authentication follows configuration, then key, then what the server lists") {
    const auto silent = server_with({});
    CHECK(choose_client_auth(silent, "", false, false).value() == none);
    CHECK(choose_client_auth(silent, "", true, false).value() == client_secret_basic);
    CHECK(choose_client_auth(silent, "", true, true).value() == private_key_jwt);
    CHECK(choose_client_auth(silent, "client_secret_post", true, false).value() == client_secret_post);
    CHECK(choose_client_auth(silent, "none", true, false).value() == none);
    const auto post = server_with({{"none", "client_secret_post"}});
    CHECK(choose_client_auth(post, "", true, false).value() == client_secret_post);
    const auto both = server_with({{"client_secret_post", "client_secret_basic"}});
    CHECK(choose_client_auth(both, "", true, false).value() == client_secret_basic);
}

TEST_CASE("a client authentication that cannot work says what to set") {
    const auto s = server_with({{"private_key_jwt"}});
    CHECK_THAT(choose_client_auth(s, "", true, false).error().describe(), Catch::Contains("client.auth"));
    CHECK_THAT(choose_client_auth(s, "tls", true, false).error().describe(), Catch::Contains("tls"));
    CHECK_FALSE(choose_client_auth(s, "client_secret_basic", false, false));
    CHECK_FALSE(choose_client_auth(s, "client_secret_post", false, false));
    CHECK_FALSE(choose_client_auth(s, "private_key_jwt", true, false));
    CHECK(choose_client_auth(s, "private_key_jwt", false, true));
    CHECK(choose_client_auth(s, "", true, false).error().code == fault::invalid_configuration);
    for (const auto m : {none, client_secret_basic, client_secret_post, private_key_jwt})
        CHECK(client_auth_method_from(to_string(m)) == m);
    CHECK_FALSE(client_auth_method_from("x"));
}

TEST_CASE("basic authentication form-encodes both halves before base64") {
    http_request r;
    form_body form;
    client_identity c;
    c.id = "a:b c";
    c.client_secret = secret{"p%/+é"};
    c.method = client_secret_basic;
    REQUIRE(apply_client_auth(r, form, c, "https://as", now, fixed));
    CHECK(r.authorization.equals("Basic " + base64_encode("a%3Ab+c:p%25%2F%2B%C3%A9")));
    CHECK(form.take().empty());
}

TEST_CASE("public and post clients name themselves in the form") {
    http_request r;
    form_body form;
    client_identity c;
    c.id = "x";
    REQUIRE(apply_client_auth(r, form, c, "https://as", now, fixed));
    CHECK(form.take().equals("client_id=x"));
    c.method = client_secret_post;
    c.client_secret = secret{"s&t"};
    REQUIRE(apply_client_auth(r, form, c, "https://as", now, fixed));
    CHECK(form.take().equals("client_id=x&client_secret=s%26t"));
    CHECK(r.authorization.empty());
}

TEST_CASE("private_key_jwt has the issuer as audience, a fresh jti and raw r and s") {
    client_identity c;
    c.id = "x";
    c.method = private_key_jwt;
    c.private_key = generate_ec_jwk().value();
    c.key_id = "k1";
    http_request r;
    form_body form;
    REQUIRE(apply_client_auth(r, form, c, "https://as/t", now, fixed));
    const auto body = form.take();
    const auto fields = parse_form(body.reveal());
    CHECK(form_value(fields, "client_id") == "x");
    CHECK(form_value(fields, "client_assertion_type") ==
          "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    const std::string jwt(form_value(fields, "client_assertion").value());
    auto key = public_jwk(c.private_key).value();
    key["kid"] = "k1";
    const auto claims = verify_jwt(jwt, json{{"keys", {key}}}.dump(), {"ES256"});
    REQUIRE(claims);
    CHECK(claims->at("aud") == "https://as/t");
    CHECK(claims->at("iss") == "x");
    CHECK(claims->at("sub") == "x");
    CHECK(claims->at("exp") == 1'700'000'060);
    CHECK(claims->at("jti") == random_token(fixed));
    CHECK(decode_jwt_header(jwt).value().at("kid") == "k1");
    CHECK(base64url_decode(jwt.substr(jwt.rfind('.') + 1)).value().size() == 64);
    c.private_key = secret{"nonsense"};
    CHECK_FALSE(apply_client_auth(r, form, c, "https://as/t", now, fixed));
}

TEST_CASE("registration asks for native, refresh tokens and a method the server lists") {
    auto s = server_with({{"client_secret_post"}});
    auto w = wanted();
    w.scope = {"a", "b"};
    const auto r = build_registration(s, w);
    REQUIRE(r);
    CHECK(r->method == "POST");
    CHECK(r->url == "https://as.example/register");
    const auto body = json::parse(r->body.reveal());
    CHECK(body["application_type"] == "native");
    CHECK(body["grant_types"] == json::array({"authorization_code", "refresh_token"}));
    CHECK(body["response_types"] == json::array({"code"}));
    CHECK(body["redirect_uris"] == json::array({w.redirect_uri}));
    CHECK(body["token_endpoint_auth_method"] == "client_secret_post");
    CHECK(body["client_name"] == "mcp-reauth");
    CHECK(body["scope"] == "a b");
    w.loopback_redirect = false;
    CHECK(json::parse(build_registration(s, w)->body.reveal())["application_type"] == "web");
    w.redirect_uri.clear();
    CHECK_FALSE(json::parse(build_registration(s, w)->body.reveal()).contains("redirect_uris"));
}

TEST_CASE("the registered method prefers none, and without a list the default") {
    CHECK(registration_auth_method(server_with({{"client_secret_basic", "none"}})) == none);
    CHECK(registration_auth_method(server_with({{"client_secret_post", "client_secret_basic"}})) ==
          client_secret_basic);
    CHECK(registration_auth_method(server_with({{"private_key_jwt"}})) == none);
    CHECK(registration_auth_method(server_with({})) == client_secret_basic);
    auto old = server_with({});
    old.from_document = false;
    CHECK(registration_auth_method(old) == none);
}

TEST_CASE("a server without registration names the ways out") {
    auto s = server_with({});
    s.registration_endpoint.clear();
    const auto r = build_registration(s, wanted());
    REQUIRE_FALSE(r);
    CHECK_THAT(r.error().fix, Catch::Contains("client.id") && Catch::Contains("client_metadata_url"));
}

TEST_CASE("a registration answer becomes a client of that issuer") {
    const auto c = read_registration(created({{"client_id", "x"},
                                              {"client_secret", "s"},
                                              {"client_secret_expires_at", 1'800'000'000},
                                              {"token_endpoint_auth_method", "client_secret_post"},
                                              {"redirect_uris", {wanted().redirect_uri}}}),
                                     server_with({}), wanted());
    REQUIRE(c);
    CHECK(c->identity.id == "x");
    CHECK(c->identity.client_secret.equals("s"));
    CHECK(c->identity.method == client_secret_post);
    CHECK(c->issuer == "https://as.example");
    CHECK(c->origin == client_origin::dynamic);
    CHECK_FALSE(c->secret_expired_at(now));
    CHECK(c->secret_expired_at(now + std::chrono::hours(24 * 3650)));
}

TEST_CASE("a secret given unasked is kept, and the method follows what the server says") {
    const auto s = server_with({{"none", "client_secret_post"}});
    const auto silent = read_registration(created({{"client_id", "x"}, {"client_secret", "s"}}), s, wanted());
    CHECK(silent->identity.method == client_secret_post);
    const auto says_none = read_registration(
        created({{"client_id", "x"}, {"client_secret", "s"}, {"token_endpoint_auth_method", "none"}}), s,
        wanted());
    CHECK(says_none->identity.method == client_secret_post);
    CHECK(says_none->identity.client_secret.equals("s"));
    const auto method_with = [](const authorization_server& server, json extra) {
        json answer = {{"client_id", "x"}, {"client_secret", "s"}};
        answer.update(extra);
        return read_registration(created(answer), server, wanted())->identity.method;
    };
    const json none_said = {{"token_endpoint_auth_method", "none"}};
    CHECK(method_with(server_with({{"client_secret_basic"}}), none_said) == client_secret_basic);
    CHECK(method_with(server_with({}), none_said) == client_secret_post);
    CHECK(method_with(server_with({}), json::object()) == client_secret_basic);
    CHECK(method_with(server_with({{"none"}}), none_said) == none);
    CHECK(read_registration(created({{"client_id", "x"}}), s, wanted())->identity.method == none);
    // a server that takes no secret: kept, and not used
    const auto unused = read_registration(created({{"client_id", "x"}, {"client_secret", "s"}}),
                                          server_with({{"none"}}), wanted());
    CHECK(unused->identity.method == none);
}

TEST_CASE("a secret that never expires, or expires beyond the clock, does not expire") {
    for (const json& at : {json(0), json(-5), json(INT64_MAX), json("soon")}) {
        const auto c = read_registration(
            created({{"client_id", "x"}, {"client_secret", "s"}, {"client_secret_expires_at", at}}),
            server_with({}), wanted());
        REQUIRE(c);
        CHECK_FALSE(c->secret_expires_at);
    }
}

TEST_CASE("registration answers that cannot be used are refused") {
    const auto s = server_with({});
    CHECK_FALSE(read_registration(created(json::object()), s, wanted()));
    CHECK_FALSE(read_registration({200, {}, "<html>"}, s, wanted()));
    CHECK_FALSE(read_registration(
        created({{"client_id", "x"}, {"token_endpoint_auth_method", "client_secret_basic"}}), s, wanted()));
    CHECK_FALSE(read_registration(
        created({{"client_id", "x"}, {"token_endpoint_auth_method", "private_key_jwt"}}), s, wanted()));
    CHECK_FALSE(read_registration(
        created({{"client_id", "x"}, {"token_endpoint_auth_method", "tls_client_auth"}}), s, wanted()));
    CHECK_FALSE(
        read_registration(created({{"client_id", "x"}, {"redirect_uris", {"https://evil/"}}}), s, wanted()));
    CHECK(read_registration(created({{"client_id", "x"}, {"redirect_uris", json::array()}}), s, wanted()));
    const auto refused = read_registration(
        {400, {}, R"({"error":"invalid_redirect_uri","error_description":"no\u202e way"})"}, s, wanted());
    CHECK(refused.error().oauth_error == "invalid_redirect_uri");
    CHECK(refused.error().code == fault::reauth_failed);
    CHECK_THAT(refused.error().message, Catch::Contains("no way"));
    for (const unsigned status : {500u, 429u, 408u})
        CHECK(read_registration({status, {}, ""}, s, wanted()).error().transient);
    CHECK_FALSE(read_registration({403, {}, ""}, s, wanted()).error().transient);
}

TEST_CASE("a metadata document client is public and its id is the URL") {
    const auto c = metadata_document_client("https://as", "https://me/client.json", "http://127.0.0.1/cb");
    CHECK(c.identity.id == "https://me/client.json");
    CHECK(c.identity.method == none);
    CHECK(c.origin == client_origin::metadata_document);
    CHECK(c.issuer == "https://as");
    CHECK(c.redirect_uri == "http://127.0.0.1/cb");
}

TEST_CASE("a registered client survives the vault") {
    registered_client c;
    c.identity = {"id", client_secret_post, secret{"s"}, secret{"k"}, "PS256", "kid"};
    c.issuer = "https://as/";
    c.redirect_uri = "http://127.0.0.1/cb";
    for (const auto origin :
         {client_origin::pre_registered, client_origin::metadata_document, client_origin::dynamic}) {
        c.origin = origin;
        c.secret_expires_at = now;
        const auto back = registered_client_from_json(registered_client_to_json(c));
        REQUIRE(back);
        CHECK(back->origin == origin);
        CHECK(back->identity.id == "id");
        CHECK(back->identity.method == client_secret_post);
        CHECK(back->identity.client_secret.equals("s"));
        CHECK(back->identity.private_key.equals("k"));
        CHECK(back->identity.alg == "PS256");
        CHECK(back->identity.key_id == "kid");
        CHECK(back->issuer == c.issuer);
        CHECK(back->redirect_uri == c.redirect_uri);
        CHECK(back->secret_expires_at == now);
    }
    c.secret_expires_at.reset();
    CHECK_FALSE(registered_client_from_json(registered_client_to_json(c))->secret_expires_at);
    for (const char* bad : {"", "{}", R"({"client_id":"x"})", R"({"auth_method":"none"})",
                            R"({"client_id":"x","auth_method":"y"})"})
        CHECK(registered_client_from_json(secret{bad}).error().code == fault::vault_unavailable);
}

TEST_CASE("our client metadata document says what a client ID document must") {
    const auto document = nlohmann::json::parse(client_metadata_document(
        "https://approve.example/oauth/client.json", {"https://approve.example/oauth/callback"}, false));
    CHECK(document["client_id"] == "https://approve.example/oauth/client.json");
    CHECK(document["client_name"] == "mcp-reauth");
    CHECK(document["redirect_uris"] == nlohmann::json{"https://approve.example/oauth/callback"});
    CHECK(document["token_endpoint_auth_method"] == "none");
    CHECK(document["response_types"] == nlohmann::json{"code"});
    CHECK(document["grant_types"].size() == 2);
    CHECK(nlohmann::json::parse(client_metadata_document("https://a.example/x", {}, true))["grant_types"]
              .size() == 3);
}
