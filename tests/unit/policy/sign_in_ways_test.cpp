// How a sign-in is asked for: as the person must sign in (RFC 9470), offline, pushed (RFC 9126); and what an
// access_denied means.
#include "policy/flows/authorization_flow.hpp"
#include "tests/unit/policy/flow_script.hpp"
#include "tests/unit/policy/samples.hpp"

#include "core/text/encoding.hpp"

using namespace reauth;
using namespace reauth::test;

namespace {

const std::string par_url = "https://as.example/par";

authorization_inputs some_login() {
    authorization_inputs in;
    in.upstream = "gh";
    in.server = sample_server();
    in.client = sample_client();
    in.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
    in.scopes = {"read"};
    return in;
}

std::string asked(const authorization_inputs& in, std::string_view name) {
    fixed_world world;
    const auto url = begin_authorization(world.env, in).value().pending.location;
    return form_field(url.substr(url.find('?') + 1), name);
}

secret id_token_with(const std::string& claims) {
    return secret(base64url_encode(R"({"alg":"none"})") + "." + base64url_encode(claims) + ".c2ln");
}

} // namespace

TEST_CASE("an OpenID provider is asked for consent with offline_access, unless the configuration prompts") {
    auto in = some_login();
    in.server.scopes_supported = scope_set{"read", "offline_access"};
    CHECK(asked(in, "scope") == "read offline_access");
    CHECK(asked(in, "prompt") == "(none)"); // no OpenID provider
    in.server.id_token_signing_alg_values_supported = {"RS256"};
    CHECK(asked(in, "prompt") == "consent");
    in.prompt_login = true;
    CHECK(asked(in, "prompt") == "login consent");
    in.authorize_params = {{"prompt", "select_account"}};
    CHECK(asked(in, "prompt") == "select_account");
    in.authorize_params.clear();
    in.prompt_login = false;
    in.server.issuer = "https://login.microsoftonline.com/t/v2.0";
    CHECK(asked(in, "prompt") == "(none)"); // gives one without, and would fail people
}

TEST_CASE("a fresh sign-in of a kind is asked for, and looked at where an ID token comes") {
    auto in = some_login();
    in.acr_values = "mfa phr";
    in.max_age = std::chrono::seconds(60);
    CHECK(asked(in, "acr_values") == "mfa phr");
    CHECK(asked(in, "max_age") == "60");
    pending_authorization p;
    p.acr_values = in.acr_values;
    p.max_age = in.max_age;
    const auto judged = [&](const std::string& claims) {
        return check_authentication(p, claims.empty() ? secret() : id_token_with(claims), noon).has_value();
    };
    const auto at = [](long ago) { return std::to_string(1'800'000'000 - ago); };
    CHECK(judged(""));
    CHECK(judged(R"({"acr":"phr","auth_time":)" + at(30) + "}"));
    CHECK(judged(R"({"acr":"phr","auth_time":)" + at(110) + "}")); // clocks may differ
    CHECK_FALSE(judged(R"({"acr":"pwd","auth_time":)" + at(30) + "}"));
    CHECK_FALSE(judged(R"({"auth_time":)" + at(30) + "}"));
    CHECK_FALSE(judged(R"({"acr":"mfa","auth_time":)" + at(600) + "}"));
    p = {};
    CHECK(judged(R"({"acr":"pwd"})"));
}

TEST_CASE("a request is pushed where the server requires it, and people are sent with a reference") {
    fixed_world world;
    auto in = some_login();
    in.server.pushed_authorization_request_endpoint = par_url;
    CHECK_FALSE(pushes(par_mode::automatic, in.server));
    CHECK(pushes(par_mode::require, in.server));
    in.server.require_pushed_authorization_requests = true;
    CHECK(pushes(par_mode::automatic, in.server));
    CHECK_FALSE(pushes(par_mode::never, in.server));
    const auto begun = begin_authorization(world.env, in).value();
    flow_script script;
    script.on(par_url, 201, R"({"request_uri":"urn:example:1","expires_in":90})");
    const auto pushed = script.run(push_authorization(world.env, begun));
    REQUIRE(pushed.has_value());
    CHECK(pushed->pending.location ==
          "https://as.example/authorize?client_id=client-1&request_uri=urn%3Aexample%3A1");
    CHECK(pushed->pending.location_until == noon + std::chrono::seconds(90));
    CHECK(form_field(script.body(0), "state") == begun.pending.state.reveal());
    CHECK(form_field(script.body(0), "redirect_uri") == in.redirect_uri);
    CHECK(form_field(script.body(0), "client_id") == "client-1");
    flow_script refusing;
    refusing.on(par_url, 400, R"({"error":"invalid_request","error_description":"no"})");
    const auto refused = refusing.run(push_authorization(world.env, begun));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().oauth_error == "invalid_request");
    CHECK(contains(refused.error().message, "pushed authorization request"));
}

TEST_CASE("what a server requires and we can't do is told before anybody is sent there") {
    auto server = sample_server();
    CHECK(check_front_channel(server).has_value());
    server.require_signed_request_object = true;
    CHECK(contains(check_front_channel(server).error().message, "RFC 9101"));
    server = sample_server();
    server.response_types_supported = {"id_token"};
    CHECK_FALSE(check_front_channel(server).has_value());
    server = sample_server();
    server.response_modes_supported = {"form_post"};
    CHECK_FALSE(check_front_channel(server).has_value());
    server = sample_server();
    server.require_pushed_authorization_requests = true;
    CHECK(contains(check_front_channel(server).error().message, "pushed_authorization_request_endpoint"));
}

TEST_CASE("only a person's no is a denial") {
    for (const char* person :
         {"", "End-User aborted interaction", "The user denied the requested scope", "User cancelled",
          "The resource owner or authorization server denied the request", "the person said no"})
        CHECK_FALSE(denied_by_machine(person));
    for (const char* machine : {"no scope was granted", "requested scope is not allowed",
                                "AADSTS50105: the user is not assigned to a role",
                                "Access is blocked by policy", "not authorized for this client"})
        CHECK(denied_by_machine(machine));
}
