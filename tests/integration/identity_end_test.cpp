// The company says that it is over: what its provider delivers to the page's address, and what becomes of
// callers.
#include "tests/integration/company_fixture.hpp"

using namespace relay_test;

namespace {

struct ending_house {
    company acme;
    running_proxy proxy;
    explicit ending_house(
        const std::string& more = "logout: {back_channel: true}, signals: {token: transmitter-1234567}")
        : proxy(acme.client_auth() + "identity_providers: {acme: {issuer: \"" + acme.issuer() +
                "\", client: {id: gate, secret: gate-secret-1}, " + more + "}}\n" +
                running_proxy::upstream(acme.server_url())) {}

    http_response deliver(const std::string& path, const std::string& type, const std::string& body,
                          const std::string& bearer = {}) const {
        std::vector<header_field> fields{{"Content-Type", type}};
        if (!bearer.empty())
            fields.push_back({"Authorization", "Bearer " + bearer});
        return demo_http("POST", proxy.page + path, fields, body).value();
    }
    http_response log_out(const std::string& token) const {
        return deliver("/oauth/backchannel-logout/acme", "application/x-www-form-urlencoded",
                       "logout_token=" + token);
    }
    http_response signal(const std::string& token, const std::string& bearer = "transmitter-1234567") const {
        return deliver("/oauth/signals/acme", "application/secevent+jwt", token, bearer);
    }
    wire listen_as(const std::string& token) const {
        auto client = proxy.connect();
        client.send(proxy.request("GET /up", "Accept: text/event-stream\r\n" + company::shown(token)));
        read_message(client, false);
        return client;
    }
};

std::string field_of(const http_response& r, std::string_view name) {
    for (const auto& f : r.headers)
        if (f.name == name)
            return f.value;
    return {};
}

} // namespace

TEST_CASE("a logout token cuts one person's streams and refuses their tokens of before", "[identity]") {
    ending_house house;
    house.acme.open = true;
    const auto ada = house.acme.token("ada"), grace = house.acme.token("grace");
    auto hers = house.listen_as(ada), his = house.listen_as(grace);
    const auto said = house.log_out(house.acme.logout_token("ada"));
    CHECK(said.status == 200);
    CHECK(said.body.empty());
    CHECK(field_of(said, "Cache-Control") == "no-store");
    while (!hers.some().empty()) {
    } // until it is closed
    const auto refused = call_with(house.proxy, company::shown(ada));
    CHECK(refused.status() == 401);
    CHECK(has(refused.head, "error_description=\"ended\""));
    CHECK(call_with(house.proxy, company::shown(grace)).status() == 200);
    CHECK(house.proxy.count("connections") >= 1); // his stream goes on
    // a login after it counts again
    const auto later = wall_clock::now().time_since_epoch() / std::chrono::seconds(1) + 2;
    const auto fresh = house.acme.token("ada", std::chrono::seconds(60), {{"iat", later}});
    CHECK(call_with(house.proxy, company::shown(fresh)).status() == 200);
    CHECK(house.proxy.count("identities_ended_total") == 1);
}

TEST_CASE("a request that is held when its identity ends is answered with identity_ended", "[identity]") {
    ending_house house;
    auto client = house.proxy.connect();
    client.send(
        house.proxy.request("POST /up", json_fields + company::shown(house.acme.token("ada")),
                            rpc(1, "tools/call", {{"name", "t"}, {"arguments", json::object()}}).dump()));
    CHECK(house.proxy.await("waiting_approvals", 1) == 1);
    CHECK(house.log_out(house.acme.logout_token("grace")).status == 200);
    CHECK(house.proxy.await("waiting_approvals", 1) == 1);
    CHECK(house
              .signal(house.acme.told(
                  "secevent+jwt",
                  {{"sub_id", {{"format", "iss_sub"}, {"iss", house.acme.issuer()}, {"sub", "ada"}}},
                   {"events",
                    {{"https://schemas.openid.net/secevent/caep/event-type/session-revoked",
                      json::object()}}}}))
              .status == 202);
    const auto back = read_message(client);
    CHECK(has(back.body, "\"identity_ended\""));
    CHECK(house.proxy.await("waiting_approvals", 0) == 0);
}

TEST_CASE("what can't be believed is refused with the standard's error, and ends nobody", "[identity]") {
    ending_house house;
    house.acme.open = true;
    const auto ada = house.acme.token("ada");
    const auto good = house.acme.logout_token("ada");
    CHECK(call_with(house.proxy, company::shown(ada)).status() == 200);
    const auto forged = house.log_out(good.substr(0, good.size() - 4) + "AAAA");
    CHECK(forged.status == 400);
    CHECK(json::parse(forged.body)["error"] == "invalid_request");
    CHECK(field_of(forged, "Cache-Control") == "no-store");
    CHECK(house.log_out("").status == 400);
    CHECK(house.log_out(std::string(60'000, 'a')).status == 400);
    CHECK(house.log_out(ada).status == 400); // an access token
    for (int i = 0; i < 200; ++i)
        CHECK(house.log_out(house.acme.logout_token("ada", {{"aud", "another"}})).status == 400);
    CHECK(house.acme.key_fetches <= 8);
    const auto event = house.acme.told("secevent+jwt", {{"events", {{"x", json::object()}}}});
    CHECK(house.signal(event, "").status == 401);
    CHECK(json::parse(house.signal(event, "wrong").body)["err"] == "authentication_failed");
    CHECK(json::parse(house.signal(good).body)["err"] == "invalid_request"); // of the other kind
    CHECK(house.signal(event).status == 202);                                // nothing that concerns us
    CHECK(call_with(house.proxy, company::shown(ada)).status() == 200);
    CHECK(house.proxy.count("identities_ended_total") == 0);
    // who can't be called so
    CHECK(demo_http("GET", house.proxy.page + "/oauth/backchannel-logout/acme").value().status == 405);
    CHECK(house.deliver("/oauth/backchannel-logout/other", "text/plain", "logout_token=x").status == 404);
    CHECK(house.deliver("/oauth/signals/other", "text/plain", "x").status == 404);
    ending_house deaf("login: browser");
    CHECK(deaf.log_out(deaf.acme.logout_token("ada")).status == 404);
    CHECK(deaf.signal(event).status == 404);
}
