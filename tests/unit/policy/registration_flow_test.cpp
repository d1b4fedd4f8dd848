// Which client we are, and how it is registered.
#include "policy/flows/registration_flow.hpp"

#include "samples.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using namespace reauth::test;
using nlohmann::json;

namespace {

const std::string registration_endpoint = "https://as.example/register";
const std::string registered =
    R"({"client_id":"dyn-1","client_secret":"dyn-s3cr3t","token_endpoint_auth_method":"client_secret_basic"})";

registration_inputs wanted_client() {
    registration_inputs in;
    in.upstream = "gh";
    in.upstream_url = "https://mcp.example/mcp";
    in.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
    in.scope = {"read"};
    return in;
}

registered_client stored() {
    registered_client c;
    c.identity.id = "dyn-0";
    c.origin = client_origin::dynamic;
    c.issuer = "https://as.example";
    c.redirect_uri = wanted_client().redirect_uri;
    return c;
}

} // namespace

TEST_CASE("a pre-registered client comes first and asks nobody") {
    fixed_world world;
    flow_script script;
    auto in = wanted_client();
    in.configured.id = "pre-1";
    in.client_metadata_url = "https://me.example/client.json";
    in.stored = stored();
    auto server = sample_server();
    server.client_id_metadata_document_supported = true;
    const auto r = script.run(obtain_client(world.env, server, in));
    REQUIRE(r.has_value());
    CHECK(r->identity.id == "pre-1");
    CHECK(r->origin == client_origin::pre_registered);
    CHECK(r->identity.method == client_auth_method::none);
    CHECK(r->issuer == "https://as.example");
    CHECK(script.requests.empty());
}

TEST_CASE("a pre-registered client with a secret is used only at a trusted issuer") {
    fixed_world world;
    flow_script script;
    auto in = wanted_client();
    in.configured.id = "pre-1";
    in.configured.client_secret = secret("pre-s3cr3t");
    auto r = script.run(obtain_client(world.env, sample_server(), in));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == fault::issuer_not_pinned);
    in.configured.issuer = "https://as.example";
    r = script.run(obtain_client(world.env, sample_server(), in));
    REQUIRE(r.has_value());
    CHECK(r->identity.client_secret.reveal() == "pre-s3cr3t");
    CHECK(r->identity.method == client_auth_method::client_secret_basic);
    in.configured.client_secret = secret();
    in.configured.private_key = secret("key-s3cr3t");
    in.configured.alg = "RS256";
    r = script.run(obtain_client(world.env, sample_server(), in));
    REQUIRE(r.has_value());
    CHECK(r->identity.method == client_auth_method::private_key_jwt);
    CHECK(r->identity.alg == "RS256");
}

TEST_CASE("a client that is pre-registered with another issuer is not used, also without a secret") {
    fixed_world world;
    flow_script script;
    auto in = wanted_client();
    in.configured.id = "pre-1";
    in.configured.issuer = "https://old.example";
    const auto r = script.run(obtain_client(world.env, sample_server(), in));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == fault::issuer_not_pinned);
    CHECK(contains(r.error().message, "the pre-registered client"));
}

TEST_CASE("a client authentication that cannot work is a configuration error") {
    fixed_world world;
    flow_script script;
    auto in = wanted_client();
    in.configured.id = "pre-1";
    in.configured.auth = "private_key_jwt";
    CHECK(script.run(obtain_client(world.env, sample_server(), in)).error().code ==
          fault::invalid_configuration);
}

TEST_CASE("a metadata document comes second, where the server supports it") {
    fixed_world world;
    flow_script script;
    script.on(registration_endpoint, 201, registered);
    auto in = wanted_client();
    in.client_metadata_url = "https://me.example/client.json";
    in.stored = stored();
    auto server = sample_server();
    server.client_id_metadata_document_supported = true;
    const auto r = script.run(obtain_client(world.env, server, in));
    REQUIRE(r.has_value());
    CHECK(r->identity.id == "https://me.example/client.json");
    CHECK(r->origin == client_origin::metadata_document);
    CHECK(script.requests.empty());
    CHECK(script.run(obtain_client(world.env, sample_server(), in))->origin == client_origin::dynamic);
    in.client_metadata_url = "";
    CHECK(script.run(obtain_client(world.env, server, in))->origin == client_origin::dynamic);
}

TEST_CASE("dynamic registration comes last and says what we are") {
    fixed_world world;
    flow_script script;
    script.on(registration_endpoint, 201, registered);
    const auto r = script.run(obtain_client(world.env, sample_server(), wanted_client()));
    REQUIRE(r.has_value());
    CHECK(r->identity.id == "dyn-1");
    CHECK(r->identity.client_secret.reveal() == "dyn-s3cr3t");
    CHECK(r->origin == client_origin::dynamic);
    const auto sent = json::parse(script.body());
    CHECK(sent["application_type"] == "native");
    CHECK(sent["grant_types"] == json{"authorization_code", "refresh_token"});
    CHECK(sent["redirect_uris"] == json::array({"http://127.0.0.1:8971/oauth/callback"}));
    auto in = wanted_client();
    in.loopback_redirect = false;
    REQUIRE(script.run(obtain_client(world.env, sample_server(), in)).has_value());
    CHECK(json::parse(script.body())["application_type"] == "web");
}

TEST_CASE("an earlier registration is used again while it fits") {
    fixed_world world;
    flow_script script;
    script.on(registration_endpoint, 201, registered);
    const auto id_with = [&](registered_client known) {
        auto in = wanted_client();
        in.stored = std::move(known);
        return script.run(obtain_client(world.env, sample_server(), in)).value().identity.id;
    };
    auto c = stored();
    CHECK(id_with(c) == "dyn-0");
    c.secret_expires_at = noon + std::chrono::seconds(1);
    CHECK(id_with(c) == "dyn-0");
    c.secret_expires_at = noon;
    CHECK(id_with(c) == "dyn-1");
    c = stored();
    c.issuer = "https://old.example";
    CHECK(id_with(c) == "dyn-1");
    c = stored();
    c.redirect_uri = "http://127.0.0.1:9999/oauth/callback";
    CHECK(id_with(c) == "dyn-1");
}

TEST_CASE("a server without registration says what else can be done") {
    fixed_world world;
    flow_script script;
    auto server = sample_server();
    server.registration_endpoint.clear();
    const auto r = script.run(obtain_client(world.env, server, wanted_client()));
    REQUIRE_FALSE(r.has_value());
    CHECK_FALSE(r.error().fix.empty());
    CHECK(script.requests.empty());
}

TEST_CASE("registration is tried again after transient trouble, not after a refusal") {
    fixed_world world;
    flow_script script;
    script.on(registration_endpoint, 503, "")
        .on(registration_endpoint, no_answer())
        .on(registration_endpoint, 201, registered);
    CHECK(script.run(obtain_client(world.env, sample_server(), wanted_client())).has_value());
    CHECK(script.pauses.size() == 2);
    flow_script refused;
    refused.on(registration_endpoint, 400, R"({"error":"invalid_redirect_uri"})");
    CHECK_FALSE(refused.run(obtain_client(world.env, sample_server(), wanted_client())).has_value());
    CHECK(refused.requests.size() == 1);
}

TEST_CASE("only invalid_client of a dynamic client asks for a new registration") {
    failure f;
    f.oauth_error = "invalid_client";
    CHECK(wants_new_registration(f, stored()));
    CHECK_FALSE(wants_new_registration(f, sample_client()));
    f.oauth_error = "invalid_grant";
    CHECK_FALSE(wants_new_registration(f, stored()));
}

TEST_CASE("known_client asks nobody") {
    auto in = wanted_client();
    CHECK_FALSE(known_client(sample_server(), in).value().has_value());
    in.configured.id = "pre-1";
    CHECK(known_client(sample_server(), in).value().has_value());
}

TEST_CASE("registration fails sanely at every step") {
    fixed_world world;
    fail_at_every_step(
        [&](flow_script& script) {
            script.on(registration_endpoint, 201, registered);
            return failure_of(script.run(obtain_client(world.env, sample_server(), wanted_client())));
        },
        [](std::size_t) { return false; });
    abandon_at_every_step<result<registered_client>>(
        [&] { return obtain_client(world.env, sample_server(), wanted_client()); }, [](flow_script&) {});
}

TEST_CASE("a client whose secret expired at birth is registered once more before it is used") {
    fixed_world world;
    const std::string dead = R"({"client_id":"c1","client_secret":"s","client_secret_expires_at":1000})";
    flow_script script;
    script.on("https://as.example/register", 201, dead)
        .on("https://as.example/register", 201, R"({"client_id":"c2","client_secret":"s2"})");
    registration_inputs in;
    in.upstream = "up";
    in.redirect_uri = "http://127.0.0.1/cb";
    const auto second = script.run(obtain_client(world.env, sample_server(), in));
    REQUIRE(second.has_value());
    CHECK(second->identity.id == "c2");
    // a server that always says so means something else by it
    flow_script always;
    always.on("https://as.example/register", 201, dead);
    const auto third = always.run(obtain_client(world.env, sample_server(), in));
    REQUIRE(third.has_value());
    CHECK(always.requests.size() == 2);
    CHECK_FALSE(third->secret_expired_at(noon));
}

TEST_CASE("a registration that a server may have forgotten is not used for logins again") {
    auto client = sample_client();
    client.origin = client_origin::dynamic;
    client.registered_at = noon - std::chrono::hours(1);
    failure refused;
    for (const char* word : {"unauthorized_client", "invalid_request", "invalid_client"}) {
        refused.oauth_error = word;
        CHECK(may_be_forgotten(refused, client, noon));
    }
    client.registered_at = noon - std::chrono::minutes(1); // made for this very login
    CHECK_FALSE(may_be_forgotten(refused, client, noon));
    client.registered_at.reset();
    CHECK(may_be_forgotten(refused, client, noon));
    client.origin = client_origin::pre_registered;
    CHECK_FALSE(may_be_forgotten(refused, client, noon));
    client.origin = client_origin::dynamic;
    refused.oauth_error = "access_denied";
    CHECK_FALSE(may_be_forgotten(refused, client, noon));

    fixed_world world;
    client.retired = true;
    client.redirect_uri = "http://127.0.0.1/cb";
    registration_inputs in;
    in.redirect_uri = client.redirect_uri;
    in.stored = registered_client_from_json(registered_client_to_json(client)).value();
    flow_script script;
    script.on("https://as.example/register", 201, R"({"client_id":"c9"})");
    CHECK(script.run(obtain_client(world.env, sample_server(), in)).value().identity.id == "c9");
}

TEST_CASE("a refused client that registered itself is not for anybody to check") {
    const auto refused = failure::permanent(fault::reauth_failed, "no", "check `client.id`")
                             .with_oauth_error("invalid_client");
    registered_client ours;
    ours.origin = client_origin::dynamic;
    CHECK(with_advice_for(refused, ours).fix.find("registers a new one") != std::string::npos);
    CHECK(with_advice_for(refused, {}).fix == "check `client.id`");
    const auto other =
        failure::permanent(fault::reauth_failed, "no", "log in again").with_oauth_error("invalid_grant");
    CHECK(with_advice_for(other, ours).fix == "log in again");
}
