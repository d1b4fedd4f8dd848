// Token requests, answers and the credentials made of them.
#include "core/crypto/jose.hpp"
#include "core/oauth/credential_json.hpp"
#include "core/oauth/token.hpp"
#include "tests/unit/core/fixed.hpp"
#include "tests/unit/core/printing.hpp"

#include <map>

using namespace reauth;
using namespace reauth::test;

namespace {

struct fixture {
    authorization_server server;
    client_identity client;
    token_call call{server, client, now, fixed};
    fixture() {
        server.issuer = "https://as.example";
        server.token_endpoint = "https://as.example/token";
        server.revocation_endpoint = "https://as.example/revoke";
        client.id = "c";
    }
};

std::map<std::string, std::string> form_of(const result<http_request>& r) {
    REQUIRE(r);
    CHECK(r->method == "POST");
    const auto fields = parse_form(r->body.reveal());
    return {fields.begin(), fields.end()};
}

using form = std::map<std::string, std::string>;

http_response json_answer(unsigned status, std::string body) {
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

token_response good(std::string members) {
    auto r = read_token_response(
        json_answer(200, R"({"access_token":"at","token_type":"bearer")" + members + "}"));
    REQUIRE(r);
    return *r;
}

credential_context context() {
    credential_context out;
    out.requested = {"a", "b"};
    out.issuer = "https://as.example";
    out.resource = "https://api";
    out.client_id = "c";
    out.now = now;
    return out;
}

} // namespace

TEST_CASE_METHOD(fixture, "each grant sends what its RFC asks for, with the resource") {
    CHECK(form_of(authorization_code_request(call, secret{"co"}, secret{"ve"}, "http://127.0.0.1/cb",
                                             "https://api")) == form{{"grant_type", "authorization_code"},
                                                                     {"code", "co"},
                                                                     {"code_verifier", "ve"},
                                                                     {"redirect_uri", "http://127.0.0.1/cb"},
                                                                     {"resource", "https://api"},
                                                                     {"client_id", "c"}});
    CHECK(form_of(refresh_request(call, secret{"rt"}, {"a", "b"}, "https://api")) ==
          form{{"grant_type", "refresh_token"},
               {"refresh_token", "rt"},
               {"scope", "a b"},
               {"resource", "https://api"},
               {"client_id", "c"}});
    CHECK(form_of(client_credentials_request(call, {"a"}, "https://api")) ==
          form{{"grant_type", "client_credentials"},
               {"scope", "a"},
               {"resource", "https://api"},
               {"client_id", "c"}});
    CHECK(form_of(jwt_bearer_request(call, secret{"jwt"}, {"a"}, "https://api")) ==
          form{{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
               {"assertion", "jwt"},
               {"scope", "a"},
               {"resource", "https://api"},
               {"client_id", "c"}});
    token_exchange x;
    x.subject_token = secret{"idt"};
    x.audience = "https://as.upstream";
    x.resource = "https://api";
    x.scope = {"a"};
    CHECK(form_of(token_exchange_request(call, x)) ==
          form{{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
               {"requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"},
               {"subject_token", "idt"},
               {"subject_token_type", "urn:ietf:params:oauth:token-type:id_token"},
               {"audience", "https://as.upstream"},
               {"resource", "https://api"},
               {"scope", "a"},
               {"client_id", "c"}});
    const auto revocation = revocation_request(call, secret{"rt"}, "refresh_token");
    CHECK(form_of(revocation) ==
          form{{"token", "rt"}, {"token_type_hint", "refresh_token"}, {"client_id", "c"}});
    CHECK(revocation->url == "https://as.example/revoke");
}

TEST_CASE_METHOD(fixture, "an omitted resource and an empty scope are not sent") {
    CHECK(form_of(refresh_request(call, secret{"rt"}, {}, "")) ==
          form{{"grant_type", "refresh_token"}, {"refresh_token", "rt"}, {"client_id", "c"}});
    CHECK(form_of(client_credentials_request(call, {}, "")).size() == 2);
}

TEST_CASE_METHOD(fixture, "a token request asks for JSON and carries the client's authentication") {
    client.method = client_auth_method::client_secret_basic;
    client.client_secret = secret{"s"};
    const auto r = client_credentials_request(call, {}, "");
    CHECK_FALSE(form_of(r).contains("client_id"));
    CHECK(r->authorization.equals("Basic Yzpz"));
    CHECK(r->url == server.token_endpoint);
    CHECK(r->headers[1].value == "application/json");
}

TEST_CASE_METHOD(fixture, "a missing endpoint or key fails before anything is sent") {
    client.method = client_auth_method::private_key_jwt;
    CHECK(client_credentials_request(call, {}, "").error().code == fault::invalid_configuration);
    server.token_endpoint.clear();
    CHECK_THAT(client_credentials_request(call, {}, "").error().message, Catch::Contains("token_endpoint"));
    server.revocation_endpoint.clear();
    CHECK_THAT(revocation_request(call, secret{"x"}, "").error().message,
               Catch::Contains("revocation_endpoint"));
}

TEST_CASE("a token answer is read whole") {
    const auto r = good(
        R"(,"expires_in":3600,"refresh_token":"rt","scope":"b c","id_token":"idt","issued_token_type":"x")");
    CHECK(r.access_token.equals("at"));
    CHECK(r.token_type == "Bearer");
    CHECK(r.expires_in == std::chrono::seconds(3600));
    CHECK(r.refresh_token.equals("rt"));
    CHECK(r.scope == scope_set{"b", "c"});
    CHECK(r.id_token.equals("idt"));
    CHECK(r.issued_token_type == "x");
}

TEST_CASE("expires_in may be a string and is guarded") {
    CHECK(good(R"(,"expires_in":"3600")").expires_in == std::chrono::seconds(3600));
    CHECK(good(R"(,"expires_in":3599.7)").expires_in == std::chrono::seconds(3599));
    for (const char* silent : {"-1", "0", "null", "\"soon\"", "\"\"", "[]", "1e300", "18446744073709551615",
                               "\"99999999999999999999\"", "-1e300"})
        CHECK_FALSE(good(std::string(",\"expires_in\":") + silent).expires_in);
    CHECK(good(R"(,"expires_in":9223372036854775807)").expires_in == std::chrono::hours(24 * 3650));
}

TEST_CASE("a form-encoded answer is read as GitHub sends it") {
    const auto r = read_token_response(
        {200,
         {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}},
         "access_token=gho_x&scope=repo%2Cgist&token_type=bearer&expires_in=28800&access_token=second"});
    REQUIRE(r);
    CHECK(r->access_token.equals("gho_x"));
    CHECK(r->expires_in == std::chrono::seconds(28800));
    CHECK(read_token_response({200, {{"Content-Type", "text/plain"}}, "access_token=a"})
              ->access_token.equals("a"));
    CHECK(read_token_response({200, {}, R"({"access_token":"a"})"})->token_type == "Bearer");
}

TEST_CASE("200 with an error member is an error") {
    const auto json =
        read_token_response(json_answer(200, R"({"error":"bad_refresh_token","error_description":"gone"})"));
    REQUIRE_FALSE(json);
    CHECK(json.error().oauth_error == "invalid_grant");
    CHECK_FALSE(json.error().transient);
    CHECK_THAT(json.error().message, Catch::Contains("bad_refresh_token") && Catch::Contains("gone"));
    const auto form_encoded =
        read_token_response({200,
                             {{"Content-Type", "application/x-www-form-urlencoded"}},
                             "error=incorrect_client_credentials&error_description=no+way"});
    CHECK(form_encoded.error().oauth_error == "invalid_client");
    CHECK(read_token_response(json_answer(200, R"({"error":"bad_verification_code"})")).error().oauth_error ==
          "invalid_grant");
    CHECK(read_token_response(json_answer(200, R"({"error":"invalid_refresh_token"})")).error().oauth_error ==
          "invalid_grant");
}

TEST_CASE("OAuth errors are final, and say what to change") {
    const std::pair<const char*, const char*> fixes[] = {
        {"invalid_grant", "log in again"},
        {"invalid_client", "client.secret"},
        {"invalid_scope", "scopes"},
        {"invalid_target", "resource: omit"},
        {"invalid_resource", "resource: omit"},
        {"invalid_request", "resource: omit"},
        {"unauthorized_client", "grant"},
        {"unsupported_grant_type", "grant"},
    };
    for (const auto& [word, fix] : fixes) {
        const auto r = read_token_response(json_answer(400, std::string("{\"error\":\"") + word + "\"}"));
        CHECK(r.error().code == fault::reauth_failed);
        CHECK(r.error().oauth_error == word);
        CHECK_FALSE(r.error().transient);
        CHECK_THAT(r.error().fix, Catch::Contains(fix));
    }
    CHECK(read_token_response(json_answer(400, R"({"error":"custom"})")).error().fix.empty());
}

TEST_CASE("server trouble is transient and does not end a grant") {
    for (const unsigned status : {500u, 502u, 503u, 504u}) {
        const auto r = read_token_response(json_answer(status, R"({"error":"invalid_grant"})"));
        CHECK(r.error().transient);
        CHECK(r.error().code == fault::authorization_server_unavailable);
        CHECK(r.error().oauth_error.empty());
        CHECK(read_token_response({status, {}, "<html>"}).error().transient);
    }
    for (const char* word : {"temporarily_unavailable", "server_error", "slow_down"})
        CHECK(read_token_response(json_answer(400, std::string("{\"error\":\"") + word + "\"}"))
                  .error()
                  .transient);
    CHECK(read_token_response(json_answer(429, R"({"error":"x"})")).error().transient);
    CHECK(read_token_response(json_answer(408, R"({"error":"x"})")).error().transient);
    CHECK(read_token_response({200, {{"Content-Type", "text/plain"}}, "<html>"}).error().transient);
    CHECK(read_token_response({200, {{"Content-Type", "text/html"}}, "access_token=x"}).error().transient);
    CHECK(read_token_response(json_answer(200, "{}")).error().transient);
    CHECK(read_token_response(json_answer(200, "[]")).error().transient);
    CHECK(read_token_response(json_answer(425, R"({"message":"x"})")).error().transient);
    CHECK(read_token_response(json_answer(200, "{\"access_token\":\"" + std::string(300'000, 'x') + "\"}"))
              .error()
              .transient);
}

TEST_CASE("a 4xx refuses, whatever its body says") {
    for (const unsigned status : {400u, 403u, 404u, 410u, 422u})
        for (const char* body : {"", "{}", "<html><title>Blocked</title>", R"({"error":{"code":"nope"}})",
                                 R"({"message":"no"})", "Forbidden", R"({"error_code":"over_quota"})"}) {
            INFO(status << " " << body);
            const auto r = read_token_response({status, {}, body});
            CHECK(r.error().code == fault::reauth_failed);
            CHECK_FALSE(r.error().transient);
            CHECK(r.error().oauth_error.empty());
            CHECK_FALSE(r.error().fix.empty());
        }
    for (const char* gone : {R"({"error_code":"refresh_token_not_found","msg":"Invalid Refresh Token"})",
                             R"({"error":{"code":"refresh_token_already_used","message":"used"}})"})
        CHECK(read_token_response({400, {}, gone}).error().oauth_error == "invalid_grant");
}

TEST_CASE("a refusal tells the cause: the server's words, or what came") {
    const auto said = [](unsigned status, const char* body) {
        return read_token_response({status, {}, body}).error().describe();
    };
    CHECK_THAT(said(403, "Access denied by policy 17"), Catch::Contains("403: Access denied by policy 17"));
    CHECK_THAT(said(403, "<html><TITLE> Blocked by WAF </TITLE>"), Catch::Contains("\"Blocked by WAF\""));
    CHECK_THAT(said(400, R"({"error":{"type":"t","message":"because"}})"), Catch::Contains("t: because"));
    CHECK_THAT(said(404, ""), Catch::Contains("an empty body"));
    const auto nested = said(200, R"({"ok":true,"authed_user":{"access_token":"xoxp-1","scope":"a"}})");
    CHECK_THAT(nested, Catch::Contains("authed_user (with access_token, scope inside)"));
    CHECK_THAT(nested, Catch::Contains("grant: static"));
    CHECK_THAT(nested, !Catch::Contains("xoxp-1"));
    CHECK_THAT(said(200, "token=xoxp-1"), !Catch::Contains("xoxp-1"));
}

TEST_CASE("no secret of the request is repeated in a failure") {
    http_request request;
    request.authorization = secret{"Basic " + base64_encode("client:p%40ssw0rd-very-long")};
    form_body form;
    form.add("refresh_token", std::string_view("rt-0123456789abcdef"))
        .add("code_verifier", std::string_view("ver/ifier+0123456789"));
    form.add("grant_type", std::string_view("refresh_token")).add("client_id", std::string_view("client"));
    request.body = form.take();
    const auto sent = secrets_of(request);
    for (const char* echo : {"rt-0123456789abcdef", "0123456789abc", "ver/ifier+0123456789",
                             "p@ssw0rd-very-long", "p%40ssw0rd-very-long", "rt-\u200b0123456789abcdef"}) {
        const auto body =
            std::string(R"({"error":"invalid_grant","error_description":"token )") + echo + R"( is bad"})";
        const auto r = read_token_response(json_answer(400, body), sent).error().describe();
        INFO(r);
        CHECK_THAT(r, Catch::Contains("[redacted]") && !Catch::Contains("0123456789") &&
                          !Catch::Contains("very-long"));
        CHECK_THAT(r, Catch::Contains("is bad"));
        const auto plain = read_token_response({403, {}, std::string("no ") + echo}, sent).error().describe();
        CHECK_THAT(plain, !Catch::Contains("0123456789") && !Catch::Contains("very-long"));
    }
    CHECK_THAT(
        read_token_response(
            json_answer(400, R"({"error":"invalid_request","error_description":"client unknown"})"), sent)
            .error()
            .message,
        Catch::Contains("client unknown"));
}

TEST_CASE("a redirect or a bare 401 of the token endpoint is final") {
    const auto redirect = read_token_response({307, {{"Location", "https://evil/"}}, ""});
    CHECK_FALSE(redirect.error().transient);
    CHECK_THAT(redirect.error().message, Catch::Contains("redirects"));
    CHECK(read_token_response({401, {}, ""}).error().oauth_error == "invalid_client");
}

TEST_CASE("an error text is cleaned") {
    const auto r =
        read_token_response(json_answer(400, R"({"error":"a\u001b[31m","error_description":"\u202ex"})"));
    CHECK(r.error().oauth_error == "a[31m");
    CHECK(r.error().message == "the token endpoint answered a[31m: x");
}

TEST_CASE("a token that could forge a header is refused") {
    for (const char* bad : {R"("a\r\nX: y")", R"("a b")", R"("é")", R"("a\u0000b")"}) {
        const auto r = read_token_response(json_answer(200, std::string("{\"access_token\":") + bad + "}"));
        REQUIRE_FALSE(r);
        CHECK(r.error().code == fault::reauth_failed);
    }
    CHECK_FALSE(read_token_response(json_answer(200, R"({"access_token":"a","id_token":"a b"})")));
}

TEST_CASE("members of the wrong type are as good as absent") {
    const auto r = good(R"(,"refresh_token":7,"scope":{},"id_token":null)");
    CHECK(r.refresh_token.empty());
    CHECK_FALSE(r.scope);
    CHECK_FALSE(good(R"(,"scope":"")").scope);
    CHECK(good(R"(,"scope":["a","b c"])").scope == scope_set{"a", "b", "c"});
}

TEST_CASE("a nonce is wanted only with both the error and the field") {
    const http_response asks{400, {{"DPoP-Nonce", "n"}}, R"({"error":"use_dpop_nonce"})"};
    CHECK(wants_dpop_nonce(asks));
    CHECK_FALSE(wants_dpop_nonce({400, {}, asks.body}));
    CHECK_FALSE(wants_dpop_nonce({200, asks.headers, asks.body}));
    CHECK_FALSE(wants_dpop_nonce({401, asks.headers, R"({"error":"invalid_grant"})"}));
    CHECK_FALSE(wants_dpop_nonce({401, asks.headers, "x"}));
    CHECK(wants_dpop_nonce({401, asks.headers, asks.body}));
}

TEST_CASE("an ID-JAG is taken only as one") {
    auto r = good("");
    CHECK_FALSE(id_jag_of(r));
    r.issued_token_type = token_type_id_jag;
    CHECK_FALSE(id_jag_of(r));
    const auto jag = read_token_response(json_answer(
        200,
        R"({"access_token":"jag","token_type":"n_a","issued_token_type":"urn:ietf:params:oauth:token-type:id-jag"})"));
    CHECK(id_jag_of(*jag)->equals("jag"));
    auto other = *jag;
    other.issued_token_type = token_type_access_token;
    CHECK_FALSE(id_jag_of(other));
    CHECK_FALSE(make_credential(*jag, context(), nullptr));
}

TEST_CASE("a credential's expiry is absolute and its scope is what was granted") {
    const auto c =
        make_credential(good(R"(,"expires_in":60,"refresh_token":"rt","scope":"a")"), context(), nullptr);
    REQUIRE(c);
    CHECK(c->access_token.equals("at"));
    CHECK(c->refresh_token.equals("rt"));
    CHECK(c->expires_at == now + std::chrono::seconds(60));
    CHECK(c->obtained_at == now);
    CHECK(c->granted == scope_set{"a"});
    CHECK(c->requested == scope_set{"a", "b"});
    CHECK(c->issuer == "https://as.example");
    CHECK(c->resource == "https://api");
    CHECK(c->client_id == "c");
    CHECK(c->generation == 1);
    CHECK_FALSE(c->expired_at(now));
    CHECK(c->expired_at(now + std::chrono::seconds(60)));
}

TEST_CASE("absent scope means as requested, and absent expiry is unknown") {
    const auto c = make_credential(good(""), context(), nullptr);
    CHECK(c->granted == scope_set{"a", "b"});
    CHECK_FALSE(c->expires_at);
    CHECK_FALSE(c->expired_at(time_point::max()));
}

TEST_CASE("a refresh keeps the old refresh token and scope when none is returned") {
    auto old = make_credential(good(R"(,"refresh_token":"rt","scope":"a")"), context(), nullptr).value();
    const auto kept = make_credential(good(""), context(), &old);
    CHECK(kept->refresh_token.equals("rt"));
    CHECK(kept->granted == scope_set{"a"});
    CHECK(kept->generation == 2);
    CHECK(make_credential(good(R"(,"refresh_token":"new")"), context(), &old)->refresh_token.equals("new"));
    auto more = context();
    more.requested.add("c");
    CHECK(make_credential(good(""), more, &old)->granted == more.requested);
}

TEST_CASE("a refresh token never crosses to another issuer or client") {
    auto old = make_credential(good(R"(,"refresh_token":"rt","scope":"a")"), context(), nullptr).value();
    auto elsewhere = context();
    elsewhere.issuer = "https://other";
    CHECK(make_credential(good(""), elsewhere, &old)->refresh_token.empty());
    CHECK(make_credential(good(""), elsewhere, &old)->granted == scope_set{"a", "b"});
    auto other_client = context();
    other_client.client_id = "d";
    CHECK(make_credential(good(""), other_client, &old)->refresh_token.empty());
}

TEST_CASE("commas separate granted scopes unless one was asked for with a comma") {
    auto ctx = context();
    CHECK(make_credential(good(R"(,"scope":"repo,gist,")"), ctx, nullptr)->granted ==
          scope_set{"repo", "gist"});
    ctx.requested = {"a,b"};
    CHECK(make_credential(good(R"(,"scope":"a,b")"), ctx, nullptr)->granted == scope_set{"a,b"});
}

TEST_CASE("only Bearer and our own DPoP tokens are used") {
    auto r = good("");
    r.token_type = "mac";
    CHECK_FALSE(make_credential(r, context(), nullptr));
    const auto dpop = read_token_response(json_answer(200, R"({"access_token":"at","token_type":"dpop"})"));
    CHECK_FALSE(make_credential(*dpop, context(), nullptr));
    auto with_key = context();
    with_key.dpop_key = secret{"jwk"};
    CHECK(make_credential(*dpop, with_key, nullptr)->dpop_key.equals("jwk"));
    CHECK(make_credential(good(""), with_key, nullptr)->dpop_key.empty());
}

TEST_CASE("a credential survives the vault") {
    credential c;
    c.access_token = secret{"at"};
    c.token_type = "DPoP";
    c.refresh_token = secret{"rt"};
    c.requested = {"a", "b"};
    c.granted = {"a"};
    c.issuer = "https://as/";
    c.resource = "https://api";
    c.client_id = "c";
    c.obtained_at = now;
    c.expires_at = now + std::chrono::milliseconds(1500);
    c.dpop_key = secret{"{}"};
    c.generation = 7;
    const auto back = credential_from_json(credential_to_json(c));
    REQUIRE(back);
    CHECK(back->access_token == c.access_token);
    CHECK(back->token_type == c.token_type);
    CHECK(back->refresh_token == c.refresh_token);
    CHECK(back->requested == c.requested);
    CHECK(back->granted == c.granted);
    CHECK(back->issuer == c.issuer);
    CHECK(back->resource == c.resource);
    CHECK(back->client_id == c.client_id);
    CHECK(back->obtained_at == c.obtained_at);
    CHECK(back->expires_at == c.expires_at);
    CHECK(back->dpop_key == c.dpop_key);
    CHECK(back->generation == 7);
    c.expires_at.reset();
    CHECK_FALSE(credential_from_json(credential_to_json(c))->expires_at);
}

TEST_CASE("what is no stored credential is refused without its content") {
    for (const char* bad : {"", "[]", "{}", R"({"access_token":"hunter2"})", R"({"obtained_at":1})",
                            R"({"access_token":"hunter2","obtained_at":9223372036854775807})"}) {
        const auto r = credential_from_json(secret{bad});
        REQUIRE_FALSE(r);
        CHECK(r.error().code == fault::vault_unavailable);
        CHECK_THAT(r.error().describe(), !Catch::Contains("hunter2"));
    }
}

TEST_CASE("where the ID token is the bearer it is what is kept, with its own expiry") {
    const auto claims = base64url_encode(R"({"iss":"https://as","sub":"ada","exp":1800003600})");
    const auto id_token = base64url_encode(R"({"alg":"RS256"})") + "." + claims + ".c2ln";
    token_response response;
    response.access_token = secret{"at"};
    response.token_type = "Bearer";
    response.expires_in = std::chrono::seconds(60);
    response.id_token = secret{id_token};
    credential_context context;
    context.now = time_point(std::chrono::seconds(1'800'000'000));
    context.id_token_is_bearer = true;
    const auto c = make_credential(response, context, nullptr);
    REQUIRE(c);
    CHECK(c->access_token.equals(id_token));
    CHECK(c->expires_at == time_point(std::chrono::seconds(1'800'003'600)));
    CHECK(c->subject == "ada");
    for (const char* none : {"", "not.a.token"}) {
        response.id_token = secret{none};
        const auto r = make_credential(response, context, nullptr);
        REQUIRE_FALSE(r);
        CHECK_THAT(r.error().describe(), Catch::Contains("bearer: id_token") && Catch::Contains("openid"));
    }
}
