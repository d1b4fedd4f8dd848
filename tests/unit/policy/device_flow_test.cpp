// Device logins (RFC 8628), with a scripted server.
#include "policy/flows/device_flow.hpp"

#include "core/oauth/device.hpp"
#include "samples.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

const std::string device_endpoint = "https://as.example/device_authorization";
const char* const good_code =
    R"({"device_code":"dc-s3cr3t","user_code":"WDJB-MJHT","verification_uri":"https://as.example/device",)"
    R"("verification_uri_complete":"https://as.example/device?c=WDJB-MJHT","expires_in":1800,"interval":7})";

authorization_inputs inputs() {
    authorization_inputs in;
    in.upstream = "up";
    in.approval_id = "a1";
    in.server = sample_server();
    in.server.device_authorization_endpoint = device_endpoint;
    in.client = sample_client();
    in.resource = "https://mcp.example/mcp";
    in.scopes = {"read"};
    return in;
}

result<begun_authorization> begun_with(unsigned status, const std::string& body) {
    fixed_world world;
    flow_script script;
    script.on(device_endpoint, status, body);
    return script.run(begin_device_login(world.env, inputs()));
}

result<token_response> asked(unsigned status, const char* body) {
    fixed_world world;
    auto pending = begun_with(200, good_code).value().pending;
    flow_script script;
    script.on(token_endpoint, status, body);
    return script.run(ask_device_token(world.env, pending));
}

} // namespace

TEST_CASE("a device login asks for a code with scope and resource, and survives the vault") {
    fixed_world world;
    flow_script script;
    script.on(device_endpoint, 200, good_code);
    const auto begun = script.run(begin_device_login(world.env, inputs()));
    REQUIRE(begun.has_value());
    CHECK(form_field(script.body(), "client_id") == "client-1");
    CHECK(form_field(script.body(), "scope") == "read");
    CHECK(form_field(script.body(), "resource") == "https://mcp.example/mcp");
    const auto p = pending_from_json(pending_to_json(begun->pending)).value();
    CHECK(p.by_device());
    CHECK(p.device_code.equals("dc-s3cr3t"));
    CHECK(p.user_code == "WDJB-MJHT");
    CHECK(p.verification_uri == "https://as.example/device");
    CHECK(p.location == "https://as.example/device?c=WDJB-MJHT");
    CHECK(p.interval == 7s);
    CHECK(p.expires_at == noon + 30min);
    flow_script token;
    token.on(token_endpoint, 200, good_token);
    const auto response = token.run(ask_device_token(world.env, p));
    REQUIRE(response.has_value());
    CHECK(form_field(token.body(), "grant_type") == grant_device_code);
    CHECK(form_field(token.body(), "device_code") == "dc-s3cr3t");
    const auto c = login_credential(p, *response, noon);
    REQUIRE(c.has_value());
    CHECK(c->requested == scope_set{"read"});
    CHECK(c->issuer == "https://as.example");
    CHECK(c->client_id == "client-1");
}

TEST_CASE("pending and slow_down are asked again, everything else is final (RFC 8628 section 3.5)") {
    CHECK(ask_device_again(asked(400, R"({"error":"authorization_pending"})"), 5s) == 5s);
    CHECK(ask_device_again(asked(400, R"({"error":"slow_down"})"), 5s) == 10s);
    CHECK(ask_device_again(asked(503, ""), 5s) == 10s);
    CHECK(ask_device_again(asked(503, ""), 50s) == 60s);
    CHECK_FALSE(ask_device_again(asked(200, good_token), 5s));
    for (const char* word : {"expired_token", "access_denied", "invalid_grant", "invalid_client"})
        CHECK_FALSE(ask_device_again(asked(400, (std::string(R"({"error":")") + word + "\"}").c_str()), 5s));
    CHECK(device_failure(asked(400, R"({"error":"expired_token"})").error()).code == fault::approval_timeout);
    CHECK(device_failure(asked(400, R"({"error":"access_denied"})").error()).code == fault::approval_denied);
}

TEST_CASE("a code that nobody could use, or that leads to an unsafe place, is refused") {
    const auto with_uri = [](const std::string& uri) {
        return nlohmann::json{{"device_code", "d"}, {"user_code", "u"}, {"verification_uri", uri}}.dump();
    };
    for (const std::string& bad :
         {std::string("{}"), std::string("<html>"), with_uri(""), with_uri("http://as.example/d"),
          with_uri("javascript:alert(1)"), std::string("{\"error\":\"unauthorized_client\"}")}) {
        INFO(bad);
        const auto r = begun_with(200, bad);
        REQUIRE_FALSE(r.has_value());
        CHECK(contains(r.error().message, "device authorization endpoint"));
    }
    const auto refused = begun_with(400, "{\"error\":\"unauthorized_client\"}");
    CHECK(contains(refused.error().fix, "login: browser"));
    CHECK(begun_with(503, "").error().transient);
    // Google's spelling, and no complete address
    const nlohmann::json google{{"device_code", "d"},
                                {"user_code", "u"},
                                {"verification_url", "https://g.example/d"},
                                {"expires_in", "900"}};
    const auto begun = begun_with(200, google.dump());
    REQUIRE(begun.has_value());
    CHECK(begun->pending.location == "https://g.example/d");
    CHECK(begun->pending.expires_at == noon + 15min);
    CHECK(begun->pending.interval == 5s);
}

TEST_CASE("a server without device logins says so") {
    fixed_world world;
    flow_script script;
    auto in = inputs();
    in.server.device_authorization_endpoint.clear();
    const auto r = script.run(begin_device_login(world.env, in));
    REQUIRE_FALSE(r.has_value());
    CHECK(contains(r.error().message, "device_authorization_endpoint"));
    CHECK(contains(r.error().fix, "login: browser"));
    CHECK(script.requests.empty());
}
