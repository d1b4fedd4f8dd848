// Whom a secret may be sent to.
#include "policy/flows/trust.hpp"

#include "samples.hpp"

using namespace reauth;
using namespace reauth::test;

namespace {

trust_check question(std::string configured = {}) {
    return {"gh", "https://mcp.example/mcp", std::move(configured), "the client secret"};
}

} // namespace

TEST_CASE("a secret goes to the issuer that the configuration names") {
    CHECK(may_send_secret(question("https://as.example"), sample_server()).has_value());
}

TEST_CASE("an issuer that a hostile upstream names gets no secret, and the message holds the line to add") {
    const auto r = may_send_secret(question("https://as.example"), sample_server("https://evil.example"));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == fault::issuer_not_pinned);
    CHECK(contains(r.error().message, "https://evil.example"));
    const auto unnamed = may_send_secret(question(), sample_server());
    REQUIRE_FALSE(unnamed.has_value());
    CHECK(unnamed.error().code == fault::issuer_not_pinned);
    CHECK(contains(unnamed.error().fix, "upstreams.gh.client"));
    CHECK(contains(unnamed.error().fix, "issuer: \"https://as.example\""));
}

TEST_CASE("issuers are compared as they are: a trailing slash is another issuer") {
    CHECK_FALSE(may_send_secret(question("https://as.example/"), sample_server()).has_value());
}

TEST_CASE("an unnamed issuer gets a secret only on loopback or on the upstream's own origin") {
    CHECK(may_send_secret(question(), sample_server("https://mcp.example")).has_value());
    CHECK(may_send_secret(question(), sample_server("https://mcp.example/tenant")).has_value());
    CHECK(may_send_secret(question(), sample_server("http://127.0.0.1:9000")).has_value());
    CHECK(may_send_secret(question(), sample_server("http://localhost:9000")).has_value());
    CHECK_FALSE(may_send_secret(question(), sample_server("https://mcp.example:8443")).has_value());
    CHECK_FALSE(may_send_secret(question(), sample_server("https://mcp.example.evil.example")).has_value());
}

TEST_CASE("an unnamed issuer cannot lead the secret to a foreign token endpoint, a named one may") {
    auto server = sample_server("https://mcp.example");
    server.token_endpoint = "https://evil.example/token";
    const auto r = may_send_secret(question(), server);
    REQUIRE_FALSE(r.has_value());
    CHECK(contains(r.error().message, "https://evil.example"));
    CHECK(may_send_secret(question("https://mcp.example"), server).has_value());
}

TEST_CASE("a changed issuer needs a person") {
    CHECK(check_pin("gh", "", "https://a").has_value());
    CHECK(check_pin("gh", "https://a", "https://a").has_value());
    const auto r = check_pin("gh", "https://a", "https://b");
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == fault::issuer_changed);
    CHECK(contains(r.error().message, "https://b instead of https://a"));
}

TEST_CASE("DPoP is used if required, never, or where the upstream demands it") {
    protected_resource plain, bound;
    bound.dpop_bound_access_tokens_required = true;
    CHECK(use_dpop(dpop_policy::require, nullptr, false, true));
    CHECK_FALSE(use_dpop(dpop_policy::never, &bound, true, false));
    CHECK(use_dpop(dpop_policy::automatic, &bound, false, true));
    CHECK_FALSE(use_dpop(dpop_policy::automatic, &plain, false, true));
    CHECK_FALSE(use_dpop(dpop_policy::automatic, nullptr, true, true));
    CHECK(use_dpop(dpop_policy::automatic, nullptr, true, false));
}
