// Discovery among the documents that servers of the field publish.
#include "discovery_samples.hpp"

using namespace reauth;
using namespace reauth::test;

namespace {

failure egress() {
    failure f;
    f.code = fault::egress_refused;
    f.message = "169.254.169.254 is a link-local address";
    return f;
}

} // namespace

TEST_CASE("only 404, 405 and 410 mean that metadata is absent") {
    for (const unsigned status : {400u, 401u, 403u, 406u, 408u, 418u, 429u, 451u, 502u, 503u, 520u}) {
        INFO(status);
        flow_script prm_closed;
        prm_closed.on(path_prm, status, "");
        const auto r = prm_closed.run(discover(from()));
        REQUIRE_FALSE(r.has_value());
        CHECK(r.error().transient);
        CHECK(contains(r.error().message, std::to_string(status)));
        flow_script server_closed;
        server_closed.on(path_prm, 200, prm()).on(as_meta, status, "");
        CHECK(server_closed.run(discover(from())).error().transient);
    }
    for (const unsigned status : {404u, 405u, 410u}) {
        flow_script absent;
        absent.on(path_prm, status, "")
            .on(root_prm, status, "")
            .on(own_meta, status, "")
            .on(own_oidc, status, "");
        CHECK(absent.run(discover(from())).value().used_defaults);
    }
}

TEST_CASE("metadata that can't be read for now makes no other issuer of the pinned one") {
    for (const unsigned status : {200u, 401u, 403u, 429u, 500u}) {
        INFO(status);
        flow_script script;
        script.on(path_prm, status, "<html>").on(root_prm, status, "<html>").on(as_meta, 200, metadata());
        auto request = from();
        request.pinned_issuer = "https://as.example";
        const auto r = script.run(discover(request));
        if (r)
            CHECK_FALSE(r->issuer_changed);
        else
            CHECK(r.error().transient);
    }
}

TEST_CASE("where every document is gone the pinned issuer stays, and no endpoint is guessed") {
    flow_script script;
    script.on(as_meta, 200, metadata());
    auto request = from();
    request.pinned_issuer = "https://as.example";
    const auto r = script.run(discover(request));
    REQUIRE(r.has_value());
    CHECK(r->issuer() == "https://as.example");
    CHECK_FALSE(r->issuer_changed);
    CHECK_FALSE(r->used_defaults);
}

TEST_CASE("a candidate that egress rules forbid is passed over, and named if nothing else is found") {
    flow_script script;
    script.on(challenge_prm, egress())
        .on(path_prm, 200, prm())
        .on(as_meta, egress())
        .on(as_oidc, 200, metadata());
    CHECK(script.run(discover(from(challenge_prm))).value().issuer() == "https://as.example");
    flow_script nothing;
    nothing.on(challenge_prm, egress());
    auto r = nothing.run(discover(from(challenge_prm)));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == fault::egress_refused);
    flow_script server;
    server.on(path_prm, 200, prm()).on(as_meta, egress());
    CHECK(server.run(discover(from())).error().code == fault::egress_refused);
}

TEST_CASE(
    "a resource_metadata URL that can't be asked is passed over, told, and named if nothing else is found") {
    for (const auto& bad :
         {"http://mcp.example/meta", "ftp://mcp.example/meta", "/relative", "https://[bad"}) {
        INFO(bad);
        flow_script script;
        script.on(path_prm, 200, prm()).on(as_meta, 200, metadata());
        const auto good = script.run(discover(from(bad)));
        REQUIRE(good.has_value());
        CHECK(good->steps.front().url == bad);
        CHECK(contains(good->steps.front().outcome, "resource_metadata"));
        flow_script nothing;
        const auto r = nothing.run(discover(from(bad)));
        REQUIRE_FALSE(r.has_value());
        CHECK(contains(r.error().message, "resource_metadata"));
    }
}

TEST_CASE("where the challenge names no document the derived forms are tried") {
    for (const auto& bad :
         {"<html>", "[]", "{}", R"({"authorization_servers":["https://evil.example"]})", ""}) {
        INFO(bad);
        flow_script script;
        script.on(challenge_prm, 200, bad).on(root_prm, 200, prm()).on(as_meta, 200, metadata());
        CHECK(script.run(discover(from(challenge_prm))).value().issuer() == "https://as.example");
        flow_script nothing;
        nothing.on(challenge_prm, 200, bad);
        CHECK_FALSE(nothing.run(discover(from(challenge_prm))).has_value());
    }
    flow_script foreign;
    foreign.on(challenge_prm, 200, prm({"https://as.example"}, "https://other.example"))
        .on(path_prm, 200, prm());
    CHECK_FALSE(foreign.run(discover(from(challenge_prm))).has_value());
    CHECK(foreign.requests.size() == 1);
}

TEST_CASE("empty entries among the authorization servers are skipped") {
    flow_script script;
    script.on(path_prm, 200, prm({"", "https://as.example"})).on(as_meta, 200, metadata());
    CHECK(script.run(discover(from())).value().issuer() == "https://as.example");
    flow_script none;
    none.on(path_prm, 200, prm({""})).on(own_meta, 200, metadata("https://mcp.example"));
    CHECK(none.run(discover(from())).value().origin_is_issuer);
}

TEST_CASE("a configured authorization server needs no metadata") {
    flow_script script;
    auto request = from();
    request.configured_server.issuer = "https://old.example";
    request.configured_server.authorization_endpoint = "https://old.example/a";
    request.configured_server.token_endpoint = "https://old.example/t";
    const auto r = script.run(discover(request));
    REQUIRE(r.has_value());
    CHECK(r->issuer() == "https://old.example");
    CHECK(r->server.token_endpoint == "https://old.example/t");
    CHECK(check_pkce(r->server, false).has_value()); // no document that could list S256
    CHECK_FALSE(r->origin_is_issuer);
    flow_script broken;
    broken.on(path_prm, 503, "");
    CHECK(broken.run(discover(request)).has_value());
}

TEST_CASE("a configured endpoint overrides the document's") {
    flow_script script;
    script.on(path_prm, 200, prm()).on(as_meta, 200, metadata());
    auto request = from();
    request.configured_server.token_endpoint = "https://as.example/t2";
    const auto r = script.run(discover(request));
    REQUIRE(r.has_value());
    CHECK(r->server.token_endpoint == "https://as.example/t2");
    CHECK(r->server.authorization_endpoint == "https://as.example/authorize");
}
