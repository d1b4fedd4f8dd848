// The demo's organisation over real sockets: login, ID token, token exchange, JWT bearer, and what is
// refused.
#include "core/crypto/pkce.hpp"
#include "core/oauth/id_token.hpp"
#include "core/text/encoding.hpp"
#include "proxy/demo/http_client.hpp"
#include "proxy/demo/identity_provider.hpp"

#include "tests/support/catch.hpp"

#include <thread>

using namespace reauth;
using nlohmann::json;

namespace {

struct running_organisation {
    asio::io_context io;
    std::unique_ptr<demo_identity_provider> idp;
    std::unique_ptr<demo_authorization_server> as;
    std::thread thread;

    running_organisation() {
        demo_idp_options organisation;
        organisation.auto_approve = true;
        organisation.client_at = [this](const std::string&, const std::string& audience) {
            return audience == as->issuer() ? "at-as" : "";
        };
        idp = std::make_unique<demo_identity_provider>(io.get_executor(), std::move(organisation));
        demo_authorization_options options;
        options.assertion_check = [this](std::string_view shown) {
            return idp->check_id_jag(shown, as->issuer());
        };
        as = std::make_unique<demo_authorization_server>(io.get_executor(), std::move(options));
        idp->server().add_client({"at-idp",
                                  "s1",
                                  "proxy",
                                  "client_secret_post",
                                  {"http://127.0.0.1/cb"},
                                  {"authorization_code", "refresh_token"}});
        as->add_client({"at-as", "s2", "proxy", "client_secret_post", {}, {}});
        idp->start().value();
        as->start().value();
        thread = std::thread([this] { io.run(); });
    }
    ~running_organisation() {
        idp->stop();
        as->stop();
        thread.join();
    }
    static http_response post(const std::string& url,
                              const std::vector<std::pair<std::string, std::string>>& form) {
        return demo_http("POST", url, {{"Content-Type", "application/x-www-form-urlencoded"}},
                         demo_form(form))
            .value();
    }
    json login(const std::string& nonce) {
        const std::string verifier = "a-verifier-that-is-long-enough-for-the-rfc-7636-rule";
        const auto url = demo_with_query(idp->issuer() + "/authorize",
                                         {{"response_type", "code"},
                                          {"client_id", "at-idp"},
                                          {"redirect_uri", "http://127.0.0.1:9/cb"},
                                          {"scope", "openid offline_access"},
                                          {"nonce", nonce},
                                          {"code_challenge", pkce_challenge(secret(verifier))},
                                          {"code_challenge_method", "S256"}});
        const std::string location(demo_http("GET", url).value().header("Location").value());
        const auto code = demo_field(demo_fields(location.substr(location.find('?') + 1)), "code");
        const auto answer = post(idp->issuer() + "/token", {{"grant_type", "authorization_code"},
                                                            {"code", code},
                                                            {"redirect_uri", "http://127.0.0.1:9/cb"},
                                                            {"client_id", "at-idp"},
                                                            {"client_secret", "s1"},
                                                            {"code_verifier", verifier}});
        REQUIRE(answer.status == 200);
        return json::parse(answer.body);
    }
    http_response exchange(const std::string& subject, const std::string& type, const std::string& audience) {
        return post(idp->issuer() + "/token",
                    {{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
                     {"requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"},
                     {"subject_token", subject},
                     {"subject_token_type", "urn:ietf:params:oauth:token-type:" + type},
                     {"audience", audience},
                     {"scope", "mcp:tools"},
                     {"client_id", "at-idp"},
                     {"client_secret", "s1"}});
    }
    http_response redeem(const std::string& id_jag) {
        return post(as->issuer() + "/token", {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                                              {"assertion", id_jag},
                                              {"client_id", "at-as"},
                                              {"client_secret", "s2"}});
    }
};

} // namespace

TEST_CASE("demo IdP: the ID token of a login verifies against the published keys and carries the nonce") {
    running_organisation acme;
    const auto document =
        json::parse(demo_http("GET", acme.idp->issuer() + "/.well-known/openid-configuration").value().body);
    const auto keys = demo_http("GET", document["jwks_uri"].get<std::string>()).value().body;
    id_token_expectation expected;
    expected.issuer = acme.idp->issuer();
    expected.client_id = "at-idp";
    expected.nonce = "n1";
    expected.now = wall_clock::now();
    const secret token(acme.login("n1")["id_token"].get<std::string>());
    CHECK(check_id_token(token, keys, expected).has_value());
    expected.nonce = "n2";
    CHECK_FALSE(check_id_token(token, keys, expected).has_value());
}

TEST_CASE("demo IdP: an ID-JAG from an ID token or a refresh token becomes an access token, once") {
    running_organisation acme;
    const auto session = acme.login("n1");
    const auto first = acme.exchange(session["id_token"], "id_token", acme.as->issuer());
    REQUIRE(first.status == 200);
    CHECK(json::parse(first.body)["token_type"] == "N_A");
    const std::string id_jag = json::parse(first.body)["access_token"];
    const auto minted = acme.redeem(id_jag);
    REQUIRE(minted.status == 200);
    const auto token = json::parse(minted.body);
    CHECK_FALSE(token.contains("refresh_token"));
    CHECK(acme.as->validate(token["access_token"].get<std::string>(), {"mcp:tools"}));
    CHECK(acme.redeem(id_jag).status == 400);
    CHECK(acme.exchange(session["refresh_token"], "refresh_token", acme.as->issuer()).status == 200);
    CHECK(acme.idp->exchanges() == 2);
}

TEST_CASE("demo IdP: foreign audiences, ID tokens as assertions and refused exchanges go nowhere") {
    running_organisation acme;
    const std::string id_token = acme.idp->issue_id_token("at-idp");
    const auto elsewhere = acme.exchange(id_token, "id_token", "http://127.0.0.1:1");
    CHECK(json::parse(elsewhere.body)["error"] == "invalid_target");
    CHECK(acme.redeem(id_token).status == 400);
    acme.idp->refuse_exchanges("access_denied", "Ask the wiki's owner.");
    const auto refused = acme.exchange(id_token, "id_token", acme.as->issuer());
    CHECK(json::parse(refused.body)["error_description"] == "Ask the wiki's owner.");
    acme.idp->server().kill_sessions();
    CHECK(acme.exchange("nonsense", "refresh_token", acme.as->issuer()).status == 400);
}
