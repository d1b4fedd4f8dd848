// The demo's authorization server over real sockets: registration, PKCE, rotation, reuse, faults.
#include "core/crypto/pkce.hpp"
#include "core/text/encoding.hpp"
#include "proxy/demo/authorization_server.hpp"
#include "proxy/demo/http_client.hpp"

#include "tests/support/catch.hpp"

#include <atomic>
#include <thread>

using namespace reauth;
using nlohmann::json;

namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

/// A server on a thread of its own, with a clock that the test moves.
struct running_server {
    asio::io_context io;
    std::shared_ptr<std::atomic<std::int64_t>> seconds =
        std::make_shared<std::atomic<std::int64_t>>(1'800'000'000);
    demo_authorization_server server;
    std::thread thread;

    explicit running_server(demo_authorization_options options = {})
        : server(io.get_executor(), with_clock(std::move(options))) {
        server.start().value();
        thread = std::thread([this] { io.run(); });
    }
    ~running_server() {
        server.stop();
        thread.join();
    }
    demo_authorization_options with_clock(demo_authorization_options options) {
        options.clock = [clock = seconds] { return time_point(std::chrono::seconds(clock->load())); };
        return options;
    }

    http_response get(const std::string& path, const fields& query = {}) {
        const auto url = server.issuer() + path;
        return demo_http("GET", query.empty() ? url : demo_with_query(url, query)).value();
    }
    http_response post(const std::string& path, const fields& form, std::vector<header_field> headers = {}) {
        headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
        return demo_http("POST", server.issuer() + path, headers, demo_form(form)).value();
    }
    std::string registered() {
        const json wanted{{"redirect_uris", {redirect}},
                          {"grant_types", {"authorization_code", "refresh_token"}},
                          {"token_endpoint_auth_method", "none"}};
        const auto answer = demo_http("POST", server.issuer() + "/register", {}, wanted.dump()).value();
        REQUIRE(answer.status == 201);
        return json::parse(answer.body)["client_id"];
    }
    fields authorization(const std::string& client, const std::string& scope = "mcp:tools") const {
        return {{"response_type", "code"},
                {"client_id", client},
                {"redirect_uri", redirect},
                {"state", "s1"},
                {"scope", scope},
                {"resource", "http://127.0.0.1:1/mcp"},
                {"auto", "1"},
                {"code_challenge", challenge},
                {"code_challenge_method", "S256"}};
    }
    std::string code(const std::string& client) {
        const auto answer = get("/authorize", authorization(client));
        REQUIRE(answer.status == 302);
        const std::string location(answer.header("Location").value());
        return demo_field(demo_fields(location.substr(location.find('?') + 1)), "code");
    }
    json tokens(const std::string& client) {
        const auto answer = post("/token", redemption(client, code(client)));
        REQUIRE(answer.status == 200);
        return json::parse(answer.body);
    }
    fields redemption(const std::string& client, const std::string& value) const {
        return {{"grant_type", "authorization_code"},
                {"code", value},
                {"redirect_uri", redirect},
                {"client_id", client},
                {"code_verifier", verifier}};
    }
    http_response refresh(const std::string& client, const json& token) {
        return post("/token", {{"grant_type", "refresh_token"},
                               {"refresh_token", token["refresh_token"].get<std::string>()},
                               {"client_id", client}});
    }

    const std::string redirect = "http://127.0.0.1:9/cb";
    const std::string verifier = "a-verifier-that-is-long-enough-for-the-rfc-7636-rule";
    const std::string challenge = pkce_challenge(secret(verifier));
};

std::string error_in(const http_response& answer) {
    return json::parse(answer.body).value("error", "");
}

} // namespace

TEST_CASE("demo AS: metadata names the issuer, with and without a path") {
    demo_authorization_options options;
    options.issuer_path = "/tenant";
    running_server rooted, tenant(std::move(options));
    const auto plain = json::parse(rooted.get("/.well-known/oauth-authorization-server").body);
    CHECK(plain["issuer"] == rooted.server.issuer());
    CHECK(plain["code_challenge_methods_supported"] == json{"S256"});
    auto origin = tenant.server.issuer();
    origin.resize(origin.size() - std::string("/tenant").size());
    const auto inserted = demo_http("GET", origin + "/.well-known/oauth-authorization-server/tenant").value();
    CHECK(json::parse(inserted.body)["token_endpoint"] == tenant.server.issuer() + "/token");
    CHECK(demo_http("GET", origin + "/.well-known/oauth-authorization-server").value().status == 404);
}

TEST_CASE("demo AS: a code is exchanged once, with its verifier, and yields a token that expires") {
    running_server as;
    const auto client = as.registered();
    const auto code = as.code(client);
    auto wrong = as.redemption(client, as.code(client));
    wrong.back().second = "another-verifier";
    CHECK(error_in(as.post("/token", wrong)) == "invalid_grant");
    const auto answer = as.post("/token", as.redemption(client, code));
    REQUIRE(answer.status == 200);
    const auto token = json::parse(answer.body);
    CHECK(token["expires_in"] == 5);
    CHECK(error_in(as.post("/token", as.redemption(client, code))) == "invalid_grant");
    const std::string access = token["access_token"];
    CHECK(as.server.validate(access, {"mcp:tools"}));
    CHECK_FALSE(as.server.validate(access, {"notes:write"}));
    CHECK(as.server.inspect(access).authority.resource == "http://127.0.0.1:1/mcp");
    *as.seconds += 5;
    CHECK_FALSE(as.server.validate(access));
}

TEST_CASE("demo AS: the authorization response holds state and iss, errors included") {
    running_server as;
    const auto client = as.registered();
    auto query = as.authorization(client);
    query.erase(query.end() - 2, query.end());
    const std::string location(as.get("/authorize", query).header("Location").value());
    const auto got = demo_fields(location.substr(location.find('?') + 1));
    CHECK(demo_field(got, "error") == "invalid_request");
    CHECK(demo_field(got, "state") == "s1");
    CHECK(demo_field(got, "iss") == as.server.issuer());
}

TEST_CASE("demo AS: an unregistered redirect URI is never redirected to") {
    running_server as;
    auto query = as.authorization(as.registered());
    query[2].second = "http://evil.example/cb";
    const auto answer = as.get("/authorize", query);
    CHECK(answer.status == 400);
    CHECK_FALSE(answer.header("Location"));
}

TEST_CASE("demo AS: the consent page has one button, and its request works once") {
    running_server as;
    auto query = as.authorization(as.registered());
    query[6].second = "0";
    const auto page = as.get("/authorize", query);
    REQUIRE(page.status == 200);
    CHECK(page.body.find("Demo sign-in") != std::string::npos);
    const std::string mark = "name=\"request\" value=\"";
    const auto at = page.body.find(mark) + mark.size();
    const auto key = page.body.substr(at, page.body.find('"', at) - at);
    const fields allow{{"request", key}, {"decision", "allow"}};
    CHECK(as.post("/consent", allow).status == 302);
    CHECK(as.post("/consent", allow).status == 400);
    CHECK(as.server.counters().authorizations == 1);
}

TEST_CASE("demo AS: refresh tokens rotate, and a reused one kills the family") {
    running_server as;
    const auto client = as.registered();
    const auto first = as.tokens(client);
    const auto second = json::parse(as.refresh(client, first).body);
    REQUIRE(second.contains("refresh_token"));
    CHECK(as.server.validate(second["access_token"].get<std::string>()));
    CHECK(error_in(as.refresh(client, first)) == "invalid_grant");
    CHECK_FALSE(as.server.validate(second["access_token"].get<std::string>()));
    CHECK(error_in(as.refresh(client, second)) == "invalid_grant");
    CHECK(as.server.counters().refreshes == 1);
    CHECK(as.server.counters().refresh_reuses == 1);
}

TEST_CASE("demo AS: a refresh that asks for more scope is refused and spends nothing") {
    running_server as;
    const auto client = as.registered();
    const auto token = as.tokens(client);
    const auto refused = as.post("/token", {{"grant_type", "refresh_token"},
                                            {"refresh_token", token["refresh_token"].get<std::string>()},
                                            {"client_id", client},
                                            {"scope", "mcp:tools notes:write"}});
    CHECK(error_in(refused) == "invalid_scope");
    CHECK(as.refresh(client, token).status == 200);
}

TEST_CASE("demo AS: client_credentials needs the secret, form-decoded from Basic") {
    running_server as;
    demo_client robot{"robot:1", "s&cret", "robot", "client_secret_basic", {}, {"client_credentials"}};
    as.server.add_client(robot);
    const auto basic = [](const std::string& id, const std::string& word) {
        return header_field{"Authorization",
                            "Basic " + base64_encode(form_encode(id) + ":" + form_encode(word))};
    };
    const fields form{{"grant_type", "client_credentials"}, {"scope", "mcp:tools"}};
    CHECK(as.post("/token", form, {basic("robot:1", "wrong")}).status == 401);
    const auto answer = as.post("/token", form, {basic("robot:1", "s&cret")});
    REQUIRE(answer.status == 200);
    CHECK_FALSE(json::parse(answer.body).contains("refresh_token"));
}

TEST_CASE("demo AS: revoking the refresh token ends the sign-in") {
    running_server as;
    const auto client = as.registered();
    const auto token = as.tokens(client);
    as.post("/revoke", {{"token", token["refresh_token"].get<std::string>()}, {"client_id", client}});
    CHECK_FALSE(as.server.validate(token["access_token"].get<std::string>()));
    CHECK(as.server.counters().revocations == 1);
}

TEST_CASE("demo AS: faults count down, and change the answer's shape") {
    running_server as;
    const auto client = as.registered();
    const auto token = as.tokens(client);
    demo_authorization_faults faults;
    faults.unavailable_next = 2;
    faults.invalid_grant_next = 1;
    faults.form_encoded = faults.omit_scope = faults.omit_expires_in = true;
    as.server.set_faults(faults);
    CHECK(as.refresh(client, token).status == 503);
    CHECK(as.refresh(client, token).status == 503);
    CHECK(error_in(as.refresh(client, token)) == "invalid_grant");
    const auto answer = as.refresh(client, token);
    const auto got = demo_fields(answer.body);
    CHECK(answer.status == 200);
    CHECK(got.count("access_token") == 1);
    CHECK(got.count("scope") + got.count("expires_in") == 0);
}

TEST_CASE("demo AS: a dropped answer has rotated the token, a dropped request has not") {
    running_server as;
    const auto client = as.registered();
    const auto token = as.tokens(client);
    const auto try_refresh = [&] {
        return demo_http("POST", as.server.issuer() + "/token", {},
                         demo_form({{"grant_type", "refresh_token"},
                                    {"refresh_token", token["refresh_token"].get<std::string>()},
                                    {"client_id", client}}));
    };
    demo_authorization_faults faults;
    faults.drop_next = 1;
    as.server.set_faults(faults);
    CHECK_FALSE(try_refresh().has_value());
    CHECK(as.server.counters().refreshes == 0);
    faults.drop_next = 0;
    faults.drop_answer_next = 1;
    as.server.set_faults(faults);
    CHECK_FALSE(try_refresh().has_value());
    CHECK(as.server.counters().refreshes == 1);
    CHECK(try_refresh().value().status == 400);
    CHECK(as.server.counters().refresh_reuses == 1);
}
