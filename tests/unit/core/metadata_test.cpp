// Discovery documents: where they are, and what is refused.
#include "core/oauth/metadata.hpp"

#include "tests/unit/core/printing.hpp"

using namespace reauth;
using urls = std::vector<std::string>;

namespace {

constexpr const char* issuer = "https://as.example/t";

result<authorization_server> server(const std::string& members, const char* asked = issuer) {
    return read_authorization_server("{\"issuer\":\"https://as.example/t\"" + members + "}", asked);
}

} // namespace

TEST_CASE("resource metadata is sought at the challenge's URL, then path-aware, then at the root") {
    CHECK(resource_metadata_urls("https://a/mcp", "https://meta/x") ==
          urls{"https://meta/x", "https://a/.well-known/oauth-protected-resource/mcp",
               "https://a/.well-known/oauth-protected-resource"});
    CHECK(resource_metadata_urls("https://a", "") == urls{"https://a/.well-known/oauth-protected-resource"});
    CHECK(resource_metadata_urls("https://a/", "") == urls{"https://a/.well-known/oauth-protected-resource"});
    CHECK(resource_metadata_urls("https://a/mcp/", "")[0] ==
          "https://a/.well-known/oauth-protected-resource/mcp");
    CHECK(resource_metadata_urls("https://a/m?k=1", "")[0] ==
          "https://a/.well-known/oauth-protected-resource/m?k=1");
    CHECK(resource_metadata_urls("https://a", "https://a/.well-known/oauth-protected-resource").size() == 1);
}

TEST_CASE("an unsafe resource_metadata URL is left out") {
    for (const char* bad : {"file:///etc/passwd", "javascript:x", "http://evil.example/m", "not a url"})
        CHECK(resource_metadata_urls("https://a", bad).size() == 1);
    CHECK(resource_metadata_urls("http://localhost:1/mcp", "http://localhost:1/m").size() == 3);
    CHECK(resource_metadata_urls("x", "").empty());
}

TEST_CASE("server metadata of an issuer with a path never falls back to the root") {
    CHECK(server_metadata_urls("https://as/t").value() ==
          urls{"https://as/.well-known/oauth-authorization-server/t",
               "https://as/.well-known/openid-configuration/t",
               "https://as/t/.well-known/openid-configuration"});
    CHECK(server_metadata_urls("https://as/t/").value()[0] ==
          "https://as/.well-known/oauth-authorization-server/t");
    CHECK(server_metadata_urls("https://as").value() ==
          urls{"https://as/.well-known/oauth-authorization-server",
               "https://as/.well-known/openid-configuration"});
    CHECK(server_metadata_urls("https://as/").value().size() == 2);
}

TEST_CASE("issuers that are no safe URL are refused") {
    CHECK_FALSE(server_metadata_urls("http://as.example"));
    CHECK_FALSE(server_metadata_urls("https://as?x=1"));
    CHECK_FALSE(server_metadata_urls("https://as#x"));
    CHECK_FALSE(server_metadata_urls("file:///x"));
    CHECK(server_metadata_urls("http://127.0.0.1:9"));
}

TEST_CASE("the resource is kept byte for byte") {
    const auto r = read_protected_resource(
        R"({"resource":"https://A.example","authorization_servers":["https://as/",7],"scopes_supported":["a","b"],
            "resource_name":"N","dpop_bound_access_tokens_required":true,"dpop_signing_alg_values_supported":["ES256"]})",
        "https://a.example/mcp");
    REQUIRE(r);
    CHECK(r->resource == "https://A.example");
    CHECK(r->authorization_servers == urls{"https://as/"});
    CHECK(r->scopes_supported == scope_set{"a", "b"});
    CHECK(r->resource_name == "N");
    CHECK(r->dpop_bound_access_tokens_required);
    CHECK(r->dpop_signing_alg_values_supported == urls{"ES256"});
}

TEST_CASE("resource metadata about something else is refused with both names") {
    const auto r =
        read_protected_resource(R"({"resource":"https://other.example/mcp"})", "https://a.example/mcp");
    REQUIRE_FALSE(r);
    CHECK(r.error().code == fault::discovery_failed);
    CHECK_THAT(r.error().message,
               Catch::Contains("https://other.example/mcp") && Catch::Contains("https://a.example/mcp"));
    CHECK_FALSE(r.error().fix.empty());
}

TEST_CASE("broken resource metadata is refused") {
    for (const char* bad :
         {"", "[]", "<html>", "{}", R"({"resource":7})", R"({"resource":"https://a/mcp#f"})"})
        CHECK_FALSE(read_protected_resource(bad, "https://a/mcp"));
    CHECK_FALSE(read_protected_resource(
        "{\"resource\":\"https://a\",\"x\":\"" + std::string(300'000, 'x') + "\"}", "https://a"));
    const auto least =
        read_protected_resource(R"({"resource":"https://a","authorization_servers":7})", "https://a");
    REQUIRE(least);
    CHECK(least->authorization_servers.empty());
    CHECK_FALSE(least->scopes_supported);
}

TEST_CASE("server metadata is read whole") {
    const auto s = server(
        R"(,"authorization_endpoint":"https://as.example/a?x=1","token_endpoint":"https://other.example/t",
        "registration_endpoint":"https://as.example/r","revocation_endpoint":"https://as.example/v","jwks_uri":"https://as.example/j",
        "scopes_supported":"a offline_access","code_challenge_methods_supported":["plain","S256"],
        "token_endpoint_auth_methods_supported":["none"],"token_endpoint_auth_signing_alg_values_supported":["ES256"],
        "grant_types_supported":["authorization_code"],"dpop_signing_alg_values_supported":["ES256"],
        "id_token_signing_alg_values_supported":["RS256"],
        "authorization_grant_profiles_supported":["urn:ietf:params:oauth:grant-profile:id-jag"],
        "authorization_response_iss_parameter_supported":true,"client_id_metadata_document_supported":true)");
    REQUIRE(s);
    CHECK(s->issuer == issuer);
    CHECK(s->authorization_endpoint == "https://as.example/a?x=1");
    CHECK(s->token_endpoint == "https://other.example/t");
    CHECK(s->registration_endpoint == "https://as.example/r");
    CHECK(s->revocation_endpoint == "https://as.example/v");
    CHECK(s->jwks_uri == "https://as.example/j");
    CHECK(s->pkce_s256());
    CHECK(s->offers_offline_access());
    CHECK(s->offers_id_jag());
    CHECK(s->offers_dpop());
    CHECK(s->may_support_grant("authorization_code"));
    CHECK_FALSE(s->may_support_grant("client_credentials"));
    CHECK(s->authorization_response_iss_parameter_supported);
    CHECK(s->client_id_metadata_document_supported);
    CHECK(s->from_document);
    CHECK(*s->token_endpoint_auth_methods_supported == urls{"none"});
    CHECK(*s->token_endpoint_auth_signing_alg_values_supported == urls{"ES256"});
    CHECK(*s->id_token_signing_alg_values_supported == urls{"RS256"});
}

TEST_CASE("the issuer must be equal byte for byte") {
    for (const char* other : {"https://as.example/t/", "https://AS.example/t", "https://as.example:443/t",
                              "https://as.example"}) {
        const auto s = server("", other);
        REQUIRE_FALSE(s);
        CHECK_THAT(s.error().message, Catch::Contains(other));
    }
    CHECK(server(""));
    CHECK_FALSE(read_authorization_server("{}", issuer));
    CHECK_FALSE(read_authorization_server("nonsense", issuer));
}

TEST_CASE("an endpoint that is not http(s), or http off loopback, is as good as absent") {
    for (const char* name : {"authorization_endpoint", "token_endpoint", "registration_endpoint",
                             "revocation_endpoint", "device_authorization_endpoint", "jwks_uri"})
        for (const char* bad : {"javascript:alert(1)", "file:///x", "http://as.example/x", "none",
                                "https://a/$(id)|`x`", "/relative"}) {
            const auto s = server(std::string(",\"") + name + "\":\"" + bad + "\"");
            INFO(name << " " << bad);
            REQUIRE(s);
            CHECK(s->authorization_endpoint + s->token_endpoint + s->registration_endpoint +
                      s->revocation_endpoint + s->device_authorization_endpoint + s->jwks_uri ==
                  "");
            REQUIRE(s->ignored.size() == 1);
            CHECK_THAT(s->without(name).message, Catch::Contains(name) && Catch::Contains(issuer));
            CHECK_THAT(s->without(name).message, Catch::Contains(bad));
        }
    CHECK(server(R"(,"token_endpoint":"http://localhost:8/t")")->ignored.empty());
    CHECK_THAT(server("")->without("jwks_uri").message, Catch::Contains("names no jwks_uri"));
}

TEST_CASE("a fragment on authorization_endpoint is cut") {
    const auto s = server(R"(,"authorization_endpoint":"https://as.example/a?x=1#top")");
    REQUIRE(s);
    CHECK(s->authorization_endpoint == "https://as.example/a?x=1");
}

TEST_CASE("PKCE without S256 is refused unless overridden, absent metadata is trusted with it") {
    const auto s = server(R"(,"code_challenge_methods_supported":["plain"])");
    CHECK_FALSE(check_pkce(*s, false));
    CHECK(check_pkce(*s, true));
    CHECK_THAT(check_pkce(*s, false).error().describe(),
               Catch::Contains("S256") && Catch::Contains("allow_missing_pkce"));
    CHECK_FALSE(check_pkce(*server(""), false));
    CHECK(check_pkce(*default_authorization_server("https://a/mcp"), false));
}

TEST_CASE("what is absent is not offered") {
    const auto s = server("");
    CHECK_FALSE(s->offers_offline_access());
    CHECK_FALSE(s->offers_dpop());
    CHECK_FALSE(s->offers_id_jag());
    CHECK(s->may_support_grant("anything"));
    CHECK_FALSE(server(R"(,"dpop_signing_alg_values_supported":["RS256"])")->offers_dpop());
}

TEST_CASE("a 2025-03-26 server without metadata has three endpoints at its origin") {
    const auto s = default_authorization_server("https://a.example:8443/mcp/v1?x=1");
    REQUIRE(s);
    CHECK(s->issuer == "https://a.example:8443");
    CHECK(s->authorization_endpoint == "https://a.example:8443/authorize");
    CHECK(s->token_endpoint == "https://a.example:8443/token");
    CHECK(s->registration_endpoint == "https://a.example:8443/register");
    CHECK_FALSE(s->from_document);
    CHECK_FALSE(default_authorization_server("http://a.example/mcp"));
}

TEST_CASE("a 2025-03-26 server may write its origin with a slash") {
    CHECK(read_origin_authorization_server(R"({"issuer":"https://a"})", "https://a/mcp")->issuer ==
          "https://a");
    CHECK(read_origin_authorization_server(R"({"issuer":"https://a/"})", "https://a/mcp")->issuer ==
          "https://a/");
    CHECK_FALSE(read_origin_authorization_server(R"({"issuer":"https://b/"})", "https://a/mcp"));
    CHECK_FALSE(read_origin_authorization_server("x", "https://a/mcp"));
}

TEST_CASE("scopes come from the first source that speaks") {
    const scope_set a{"a"}, b{"b"}, c{"c"};
    const auto s = *server("");
    CHECK(select_scopes(a, b, c, s) == a);
    CHECK(select_scopes({}, b, c, s) == b);
    CHECK(select_scopes({}, {}, c, s) == c);
    CHECK(select_scopes({}, {}, {}, s).empty());
    CHECK(select_scopes(scope_set{}, b, c, s).empty());
}

TEST_CASE("offline_access is added only if the authorization server lists it") {
    const auto s = *server(R"(,"scopes_supported":["offline_access"])");
    CHECK(select_scopes({}, scope_set{"a"}, {}, s).to_string() == "a offline_access");
    CHECK(select_scopes({}, scope_set{"offline_access", "a"}, {}, s).to_string() == "offline_access a");
    CHECK(select_scopes({}, {}, {}, s).empty());
    CHECK(select_scopes({}, {}, scope_set{"x"}, *server("")).to_string() == "x");
}
