// Keys for servers that go their own way.
#include "given.hpp"

using namespace reauth;
using namespace given;

namespace {

std::string upstream_with(const std::string& more) {
    return "upstreams:\n  a: {url: 'https://a.example/mcp', " + more + "}\n";
}

upstream_config made(const std::string& more) {
    auto loaded = text(upstream_with(more));
    REQUIRE(loaded.has_value());
    return loaded->upstreams.front();
}

} // namespace

TEST_CASE("challenges elsewhere, and statuses that are challenges") {
    CHECK_FALSE(made("cookies: strip").result_challenges);
    CHECK(made("challenges: [http, result]").result_challenges);
    CHECK(made("treat_as_challenge: [500, 403]").treat_as_challenge == std::vector<unsigned>{500, 403});
    CHECK(has(bad(upstream_with("challenges: [html]")), "known are http and result"));
    CHECK(has(bad(upstream_with("treat_as_challenge: [200]")), "from 400 to 599"));
}

TEST_CASE("how a configured token is sent") {
    const auto key = made("grant: static, token: '0123456789abcdef', token_type: none, header: X-API-Key");
    CHECK(key.token_type == token_form::none);
    CHECK(key.token_header == "X-API-Key");
    CHECK(made("grant: static, token: 'ada:pass word', token_type: Basic").token_type == token_form::basic);
    CHECK(has(bad(upstream_with("token_type: Basic")), "only for grant: static"));
    CHECK(has(bad(upstream_with("grant: static, token: abc, header: Content-Length")),
              "name of a header field"));
}

TEST_CASE("logins that could never complete are refused when the configuration is read") {
    for (const auto* mode : {"form_post", "jwt", "fragment"})
        CHECK(has(bad(upstream_with("authorize_params: {response_mode: " + std::string(mode) + "}")),
                  "could never complete"));
    CHECK(made("authorize_params: {response_mode: query}").authorize_params.size() == 1);
    CHECK(has(bad(upstream_with("authorize_params: {request_uri: 'urn:x'}")), "par: require"));
    CHECK(made("par: require, callback_path: /cb/here").par == par_mode::require);
    CHECK(has(bad(upstream_with("callback_path: /a/b")), "approval page itself"));
    CHECK(has(bad(upstream_with("callback_path: cb")), "start with '/'"));
}

TEST_CASE("plain http beyond loopback is a key of its own, and warned about") {
    const auto refused = given::bad("upstreams: {a: {url: http://mcp:8000/mcp}}\n");
    CHECK(given::has(refused, "add allow_http: true"));
    const auto c = given::good("upstreams:\n"
                               "  a:\n"
                               "    url: http://mcp:8000/mcp\n"
                               "    allow_http: true\n"
                               "    client: {id: x, issuer: http://keycloak:8080/realms/x}\n");
    CHECK(c.upstreams[0].allow_http);
    CHECK(c.upstreams[0].client.issuer == "http://keycloak:8080/realms/x");
    REQUIRE(c.warnings.size() == 1);
    CHECK(given::has(c.warnings[0], "mcp unprotected"));
    // over https it changes nothing that anybody need be warned of
    CHECK(given::good("upstreams: {a: {url: https://a.example/mcp, allow_http: true}}\n").warnings.empty());
}

TEST_CASE("client_metadata_url: self is a document of ours, below a public https URL") {
    const auto wrong =
        given::bad("client_metadata_url: self\nupstreams: {a: {url: https://a.example/mcp}}\n");
    CHECK(given::has(wrong, "test.yaml:1:"));
    CHECK(given::has(wrong, "approval.public_url must be an https URL"));
    const auto c = given::good("client_metadata_url: self\n"
                               "approval: {public_url: https://approve.example}\n"
                               "upstreams: {a: {url: https://a.example/mcp}}\n");
    CHECK(c.serves_client_metadata);
    CHECK(c.client_metadata_url == "https://approve.example/oauth/client.json");
    CHECK_FALSE(given::good(given::one_upstream).serves_client_metadata);
}
