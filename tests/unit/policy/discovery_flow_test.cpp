// Discovery, document by document.
#include "discovery_samples.hpp"

#include <set>

using namespace reauth;
using namespace reauth::test;

TEST_CASE("discovery begins at the challenge's resource_metadata") {
    flow_script script;
    script.on(challenge_prm, 200, prm()).on(as_meta, 200, metadata());
    const auto r = script.run(discover(from(challenge_prm)));
    REQUIRE(r.has_value());
    CHECK(script.urls() == std::vector<std::string>{challenge_prm, as_meta});
    CHECK(r->issuer() == "https://as.example");
    CHECK(r->server.token_endpoint == "https://as.example/token");
    CHECK(r->scopes_supported == scope_set{"read"});
    CHECK(r->resource_metadata() != nullptr);
    CHECK_FALSE(r->used_defaults);
    CHECK_FALSE(r->origin_is_issuer);
    CHECK_FALSE(r->issuer_changed);
    REQUIRE(r->steps.size() == 2);
    CHECK(r->steps[1].found);
}

TEST_CASE("without it the path-aware well-known form comes before the root form") {
    flow_script script;
    script.on(root_prm, 200, prm()).on(as_oidc, 200, metadata());
    const auto r = script.run(discover(from()));
    REQUIRE(r.has_value());
    CHECK(script.urls() == std::vector<std::string>{path_prm, root_prm, as_meta, as_oidc});
}

TEST_CASE("resource goes out byte for byte as the PRM has it, unless the configuration says otherwise") {
    const auto resource_of = [](std::string mode, const std::string& named) {
        flow_script script;
        script.on(path_prm, 200, prm({"https://as.example"}, named)).on(as_meta, 200, metadata());
        auto request = from();
        request.resource = std::move(mode);
        return script.run(discover(request)).value().resource;
    };
    CHECK(resource_of("auto", "https://mcp.example") == "https://mcp.example");
    CHECK(resource_of("auto", "https://mcp.example/team/") == "https://mcp.example/team/");
    CHECK(resource_of("", "https://mcp.example/team") == "https://mcp.example/team");
    CHECK(resource_of("omit", "https://mcp.example").empty());
    CHECK(resource_of("api://x", "https://mcp.example") == "api://x");
}

TEST_CASE("a PRM that names another resource is refused, and nothing else is asked") {
    for (const auto& resource :
         {"https://other.example/team/mcp", "https://mcp.example/teams", "https://mcp.example/team/mcp/x"}) {
        flow_script script;
        script.on(path_prm, 200, prm({"https://as.example"}, resource))
            .on(root_prm, 200, prm())
            .on(as_meta, 200, metadata());
        const auto r = script.run(discover(from()));
        REQUIRE_FALSE(r.has_value());
        CHECK(r.error().code == fault::discovery_failed);
        CHECK(script.requests.size() == 1);
    }
}

TEST_CASE("a site that answers every path with a page has no PRM") {
    flow_script script;
    script.on(path_prm, 200, "<html>app</html>")
        .on(root_prm, 200, R"({"error":"not found"})")
        .on(own_meta, 200, metadata("https://mcp.example"));
    const auto r = script.run(discover(from()));
    REQUIRE(r.has_value());
    CHECK(r->origin_is_issuer);
    CHECK_FALSE(r->prm);
}

TEST_CASE("the document that the challenge names must be one") {
    flow_script script;
    script.on(challenge_prm, 200, "<html>");
    const auto r = script.run(discover(from(challenge_prm)));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == fault::discovery_failed);
}

TEST_CASE("a 2025-03-26 server is its own authorization server") {
    flow_script script;
    script.on(own_oidc, 200, metadata("https://mcp.example"));
    const auto r = script.run(discover(from()));
    REQUIRE(r.has_value());
    CHECK(r->issuer() == "https://mcp.example");
    CHECK(r->resource.empty());
    CHECK_FALSE(r->scopes_supported);
    CHECK(r->resource_metadata() == nullptr);
    CHECK_FALSE(r->used_defaults);
}

TEST_CASE("nobody named the issuer of such a server, so both spellings of its origin are its own") {
    flow_script script;
    script.on(own_meta, 200, metadata("https://mcp.example/"));
    CHECK(script.run(discover(from())).value().issuer() == "https://mcp.example/");
}

TEST_CASE("without any metadata the default endpoints at the origin are used") {
    flow_script script;
    const auto r = script.run(discover(from()));
    REQUIRE(r.has_value());
    CHECK(r->used_defaults);
    CHECK(r->server.authorization_endpoint == "https://mcp.example/authorize");
    CHECK(r->server.token_endpoint == "https://mcp.example/token");
    CHECK(r->server.registration_endpoint == "https://mcp.example/register");
}

TEST_CASE("trouble is not taken for absence") {
    flow_script script;
    script.on(path_prm, 503, "").on(root_prm, no_answer());
    auto r = script.run(discover(from()));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().transient);
    flow_script only_as;
    only_as.on(path_prm, 200, prm()).on(as_meta, 429, "");
    r = only_as.run(discover(from()));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().transient);
    flow_script named;
    named.on(challenge_prm, 500, "").on(own_meta, 200, metadata("https://mcp.example"));
    r = named.run(discover(from(challenge_prm)));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().transient);
    flow_script configured;
    configured.on(path_prm, no_answer()).on(as_meta, 200, metadata());
    auto request = from();
    request.configured_issuer = "https://as.example";
    r = configured.run(discover(request));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().transient);
    flow_script old_server;
    old_server.on(path_prm, 500, "").on(root_prm, 500, "").on(own_meta, 200, metadata("https://mcp.example"));
    CHECK(old_server.run(discover(from())).has_value());
}

TEST_CASE("metadata of another issuer is refused, byte for byte") {
    for (const auto& issuer : {"https://as.example/", "https://AS.example", "https://evil.example"}) {
        flow_script script;
        script.on(path_prm, 200, prm()).on(as_meta, 200, metadata(issuer));
        const auto r = script.run(discover(from()));
        REQUIRE_FALSE(r.has_value());
        CHECK(r.error().code == fault::discovery_failed);
    }
}

TEST_CASE("an issuer with a path is looked for in three places and never at the root") {
    flow_script script;
    script.on(path_prm, 200, prm({"https://as.example/t"}));
    script.on(as_meta, 200, metadata("https://as.example/t"));
    const auto r = script.run(discover(from()));
    REQUIRE_FALSE(r.has_value());
    CHECK(contains(r.error().message, "https://as.example/t"));
    CHECK(script.urls() == std::vector<std::string>{path_prm, as_meta + "/t", as_oidc + "/t",
                                                    "https://as.example/t/.well-known/openid-configuration"});
}

TEST_CASE("a later place may hold the right document") {
    flow_script script;
    script.on(path_prm, 200, prm({"https://as.example/t"}));
    script.on(as_meta + "/t", 200, metadata("https://as.example"));
    script.on("https://as.example/t/.well-known/openid-configuration", 200, metadata("https://as.example/t"));
    CHECK(script.run(discover(from())).value().issuer() == "https://as.example/t");
}

TEST_CASE("of several servers the first usable is taken") {
    flow_script script;
    script.on(path_prm, 200, prm({"http://plain.example", "https://down.example", "https://as.example"}));
    script.on("https://down.example/.well-known/oauth-authorization-server", no_answer());
    script.on(as_meta, 200, metadata());
    CHECK(script.run(discover(from())).value().issuer() == "https://as.example");
    flow_script none;
    none.on(path_prm, 200, prm({"https://a.example", "https://b.example"}));
    const auto r = none.run(discover(from()));
    REQUIRE_FALSE(r.has_value());
    CHECK(contains(r.error().message, "https://a.example"));
}

TEST_CASE("of thousands of servers a few are tried") {
    std::vector<std::string> servers;
    for (int i = 0; i < 5000; ++i)
        servers.push_back("https://as" + std::to_string(i) + ".example");
    flow_script script;
    script.on(path_prm, 200, prm(servers));
    const auto r = script.run(discover(from()));
    REQUIRE_FALSE(r.has_value());
    CHECK(contains(r.error().message, "https://as0.example"));
    std::set<std::string> hosts;
    for (const auto& url : script.urls())
        hosts.insert(url.substr(0, url.find('/', 8)));
    CHECK(hosts.size() == 9); // the upstream's own, and eight
    // the pinned one is found wherever it stands (of the 256 that are read)
    flow_script pinned;
    pinned.on(path_prm, 200, prm(servers));
    pinned.on("https://as255.example/.well-known/oauth-authorization-server", 200,
              metadata("https://as255.example"));
    auto request = from();
    request.pinned_issuer = "https://as255.example";
    CHECK(pinned.run(discover(request)).value().issuer() == "https://as255.example");
}

TEST_CASE("of several servers the pinned one is taken, and the configured one before it") {
    flow_script script;
    script.on(path_prm, 200, prm({"https://first.example", "https://as.example", "https://conf.example"}));
    script.on(as_meta, 200, metadata());
    script.on("https://conf.example/.well-known/oauth-authorization-server", 200,
              metadata("https://conf.example"));
    auto request = from();
    request.pinned_issuer = "https://as.example";
    CHECK(script.run(discover(request)).value().issuer() == "https://as.example");
    CHECK_FALSE(script.run(discover(request)).value().issuer_changed);
    request.configured_issuer = "https://conf.example";
    CHECK(script.run(discover(request)).value().issuer() == "https://conf.example");
}

TEST_CASE("a pinned server that is down is not replaced by another") {
    flow_script script;
    script.on(path_prm, 200, prm({"https://other.example", "https://as.example"})).on(as_meta, 503, "");
    script.on("https://other.example/.well-known/oauth-authorization-server", 200,
              metadata("https://other.example"));
    auto request = from();
    request.pinned_issuer = "https://as.example";
    const auto r = script.run(discover(request));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().transient);
}

TEST_CASE("an issuer that changed later is flagged") {
    flow_script script;
    script.on(path_prm, 200, prm()).on(as_meta, 200, metadata());
    auto request = from();
    request.pinned_issuer = "https://approved.example";
    CHECK(script.run(discover(request)).value().issuer_changed);
}

TEST_CASE("a configured issuer that the upstream does not name is refused, and the message holds both") {
    flow_script script;
    script.on(path_prm, 200, prm({"https://evil.example"}));
    auto request = from();
    request.configured_issuer = "https://as.example";
    const auto r = script.run(discover(request));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == fault::issuer_not_pinned);
    CHECK(contains(r.error().message, "https://evil.example"));
    CHECK(contains(r.error().message, "https://as.example"));
    CHECK(contains(r.error().fix, "issuer: \"https://evil.example\""));
    CHECK(script.requests.size() == 1);
}

TEST_CASE("a configured issuer settles a trailing slash that metadata and PRM disagree about") {
    flow_script script;
    script.on(path_prm, 200, prm({"https://as.example/"})).on(as_meta, 200, metadata());
    auto request = from();
    request.configured_issuer = "https://as.example";
    CHECK(script.run(discover(request)).value().issuer() == "https://as.example");
}

TEST_CASE("a configured issuer is used where the upstream names none") {
    flow_script script;
    script.on(as_meta, 200, metadata());
    auto request = from();
    request.configured_issuer = "https://as.example";
    const auto r = script.run(discover(request));
    REQUIRE(r.has_value());
    CHECK(r->issuer() == "https://as.example");
    CHECK_FALSE(r->origin_is_issuer);
}

TEST_CASE("metadata without a token endpoint is no use") {
    flow_script script;
    script.on(path_prm, 200, prm()).on(as_meta, 200, R"({"issuer":"https://as.example"})");
    const auto r = script.run(discover(from()));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == fault::discovery_failed);
}

TEST_CASE("an upstream over plain http is not asked") {
    flow_script script;
    auto request = from();
    request.upstream_url = "http://mcp.example/mcp";
    CHECK_FALSE(script.run(discover(request)).has_value());
    CHECK(script.requests.empty());
}

TEST_CASE("a report tells every look, also where discovery failed") {
    flow_script script;
    script.on(path_prm, 200, prm()).on(as_meta, 200, metadata("https://evil.example"));
    const auto report = script.run(discover_with_report(from()));
    CHECK_FALSE(report.outcome.has_value());
    REQUIRE(report.steps.size() == 3);
    CHECK(report.steps[0].url == path_prm);
    CHECK(report.steps[0].found);
    CHECK_FALSE(report.steps[1].found);
    CHECK_FALSE(report.steps[1].outcome.empty());
    CHECK(report.steps[2].outcome == "status 404");
}

TEST_CASE("one known issuer can be looked up alone") {
    flow_script script;
    script.on(as_oidc, 200, metadata());
    CHECK(script.run(discover_issuer("https://as.example")).value().issuer == "https://as.example");
    flow_script empty;
    CHECK(empty.run(discover_issuer("https://as.example")).error().code == fault::discovery_failed);
    CHECK(empty.run(discover_issuer("ftp://as.example")).error().code == fault::discovery_failed);
}

TEST_CASE("discovery fails sanely at every step") {
    fail_at_every_step(
        [](flow_script& script) {
            script.on(challenge_prm, 200, prm()).on(as_oidc, 200, metadata());
            return failure_of(script.run(discover(from(challenge_prm))));
        },
        [](std::size_t) { return true; });
    fail_at_every_step(
        [](flow_script& script) {
            script.on(own_meta, 200, metadata("https://mcp.example"));
            return failure_of(script.run(discover(from())));
        },
        [](std::size_t) { return true; });
    abandon_at_every_step<result<discovered_server>>([] { return discover(from()); }, [](flow_script&) {});
}

TEST_CASE("plain http is followed where the upstream allows it, and named as the reason where it does not") {
    const std::string mcp = "http://mcp:8000/mcp", realm = "http://keycloak:8080/realms/x";
    const auto script_for = [&] {
        flow_script script;
        script
            .on("http://mcp:8000/.well-known/oauth-protected-resource/mcp", 200,
                R"({"resource":")" + mcp + R"(","authorization_servers":[")" + realm + R"("]})")
            .on("http://keycloak:8080/.well-known/oauth-authorization-server/realms/x", 200,
                R"({"issuer":")" + realm + R"(","authorization_endpoint":")" + realm +
                    R"(/auth","token_endpoint":")" + realm +
                    R"(/token","code_challenge_methods_supported":["S256"]})");
        return script;
    };
    discovery_request wanted;
    wanted.upstream_url = mcp;
    wanted.http = plain_http::allowed;
    auto script = script_for();
    const auto found = script.run(discover(wanted));
    REQUIRE(found.has_value());
    CHECK(found->server.token_endpoint == realm + "/token");
    wanted.http = plain_http::on_loopback;
    auto strict = script_for();
    const auto refused = strict.run(discover(wanted));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().fix.find("allow_http: true") != std::string::npos);
}

TEST_CASE("an issuer that differs by its slash is refused with the line that helps, and the line does help") {
    const std::string named = "https://accounts.example/", own = "https://accounts.example";
    const auto look = [&](const std::string& configured) {
        flow_script script;
        script.on(path_prm, 200, prm({named}))
            .on("https://accounts.example/.well-known/openid-configuration", 200, metadata(own));
        auto request = from();
        request.configured_issuer = configured;
        return script.run(discover(request));
    };
    const auto refused = look("");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().fix.find("client: {issuer: \"https://accounts.example\"}") != std::string::npos);
    const auto found = look(own);
    REQUIRE(found.has_value());
    CHECK(found->issuer() == own);
}

TEST_CASE("a server without any metadata is refused with the line that names its endpoints") {
    flow_script script;
    script.on(path_prm, 200, prm());
    const auto r = script.run(discover(from()));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().fix.find(
              "authorization_server: {issuer: \"https://as.example\", authorization_endpoint: …") !=
          std::string::npos);
    auto request = from();
    request.configured_server.issuer = "https://as.example";
    request.configured_server.authorization_endpoint = "https://as.example/auth";
    request.configured_server.token_endpoint = "https://as.example/token";
    CHECK(script.run(discover(request)).has_value());
}

TEST_CASE("metadata that can't be had for a reason with a remedy says the remedy, not `try again later`") {
    flow_script script;
    auto untrusted =
        failure::permanent(fault::authorization_server_unavailable, "its certificate is not trusted",
                           "name its CA in `tls: {ca_file: …}`");
    script.on(path_prm, 200, prm()).on(as_meta, untrusted).on(as_oidc, untrusted);
    const auto r = script.run(discover(from()));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().fix.find("ca_file") != std::string::npos);
    CHECK_FALSE(r.error().transient);
}
