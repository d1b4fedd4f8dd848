// Callers whom a company's identity provider, a certificate or a gateway vouches for.
#include "tests/integration/company_fixture.hpp"

#include "proxy/recovery/fetcher_http.hpp"
#include "tests/integration/certificate_files.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

using namespace relay_test;

namespace {

std::string open_upstream(const company& acme) {
    return running_proxy::upstream(acme.server_url());
}

} // namespace

TEST_CASE("a caller with a token of the company comes in, and its token goes no further", "[callers]") {
    company acme;
    acme.open = true;
    running_proxy proxy(acme.client_auth() + open_upstream(acme));
    const auto back = call_with(proxy, company::shown(acme.token("ada")));
    CHECK(back.status() == 200);
    CHECK_FALSE(back.parsed()["result"]["seen"].contains("Authorization"));
    CHECK(acme.key_fetches == 1);
    for (const auto* who : {"ada", "grace", "bob"})
        CHECK(call_with(proxy, company::shown(acme.token(who))).status() == 200);
    CHECK(acme.key_fetches <= 2); // each worker has asked once, and was given what there was
}

TEST_CASE("who shows no token hears where to get one, and who shows a bad one one word", "[callers]") {
    company acme;
    running_proxy proxy(acme.client_auth(", scopes: [mcp]") + open_upstream(acme));
    auto back = call_with(proxy, "");
    CHECK(back.status() == 401);
    const auto metadata =
        "http://127.0.0.1:" + std::to_string(proxy.port()) + "/.well-known/oauth-protected-resource/up";
    CHECK(has(back.head, "resource_metadata=\"" + metadata + "\""));
    const auto document = json::parse(demo_http("GET", metadata).value().body);
    CHECK(document["authorization_servers"] == json{acme.issuer()});
    CHECK(document["resource"] == "http://127.0.0.1:" + std::to_string(proxy.port()) + "/up");
    CHECK(document["scopes_supported"] == json{"mcp"});

    const auto said = [&](const std::string& token) {
        const auto head = call_with(proxy, company::shown(token)).head;
        const auto at = head.find("error_description=\"") + 19;
        return head.substr(9, 3) + " " + head.substr(at, head.find('"', at) - at);
    };
    CHECK(said(acme.token("ada")) == "403 scope");
    CHECK(said(acme.token("ada", std::chrono::seconds(-60))) == "401 expired");
    CHECK(said(acme.token("ada", std::chrono::seconds(60), {{"aud", "other"}})) == "401 audience");
    CHECK(said(acme.token("ada", std::chrono::seconds(60), {{"iss", "http://127.0.0.1:1"}})) == "401 issuer");
    CHECK(said(acme.token("ada") + "x") == "401 signature");
    CHECK(said("not-a-jwt") == "401 issuer");
    CHECK(said(std::string(20'000, 'x')) == "401 malformed");
    acme.open = true;
    CHECK(call_with(proxy, company::shown(acme.token("ada", std::chrono::seconds(60), {{"scope", "mcp"}})))
              .status() == 200);
    CHECK(acme.calls == 1);
}

TEST_CASE(
    "a key that is new is fetched at once, and a key that is gone is believed no longer than it is known",
    "[callers]") {
    company acme;
    acme.open = true;
    running_proxy proxy(acme.client_auth() + "workers: 1\n" + open_upstream(acme));
    const auto before = acme.token("ada");
    CHECK(call_with(proxy, company::shown(before)).status() == 200);
    acme.rotate("k2");
    CHECK(call_with(proxy, company::shown(acme.token("ada"))).status() == 200);
    CHECK(acme.key_fetches == 2);
    CHECK(call_with(proxy, company::shown(before)).status() == 200); // remembered until it ends
    acme.rotate("k3");
    CHECK(call_with(proxy, company::shown(acme.token("ada"))).status() == 200);
}

TEST_CASE("whoever makes keys up can't have the issuer asked more often than it can bear", "[callers]") {
    company acme;
    acme.open = true;
    running_proxy proxy(acme.client_auth() + "workers: 1\n" + open_upstream(acme));
    CHECK(call_with(proxy, company::shown(acme.token("ada"))).status() == 200);
    company other; // signs as if it were the first one
    for (int i = 0; i < 40; ++i) {
        other.rotate("made-up-" + std::to_string(i));
        const auto forged = other.token("ada", std::chrono::seconds(60), {{"iss", acme.issuer()}});
        CHECK(call_with(proxy, company::shown(forged)).status() == 401);
    }
    CHECK(acme.key_fetches <= 4);
    CHECK(call_with(proxy, company::shown(acme.token("grace"))).status() == 200);
}

TEST_CASE("while the identity provider is down, known callers go on and new ones are told to come again",
          "[callers]") {
    company acme;
    acme.open = true;
    running_proxy proxy(acme.client_auth() + "workers: 1\n" + open_upstream(acme));
    const auto known = acme.token("ada");
    CHECK(call_with(proxy, company::shown(known)).status() == 200);
    acme.rotate("k2");
    acme.answer_keys_with({503, {}, "down"});
    CHECK(call_with(proxy, company::shown(known)).status() == 200);
    const auto back = call_with(proxy, company::shown(acme.token("grace")));
    CHECK(back.status() == 503);
    CHECK_FALSE(back.get("Retry-After").empty());
}

TEST_CASE("key sets that lie, loop or are huge are no key sets", "[callers]") {
    company acme;
    acme.open = true;
    SECTION("a page") {
        acme.answer_keys_with({200, {{"Content-Type", "text/html"}}, "<html>sign in</html>"});
    }
    SECTION("no key in it") {
        acme.answer_keys_with({200, {}, R"({"keys":[]})"});
    }
    SECTION("a redirect to itself") {
        acme.answer_keys_with({302, {{"Location", acme.issuer() + "/jwks"}}, ""});
    }
    SECTION("without end") {
        acme.answer_keys_with({200, {}, R"({"keys":[")" + std::string(2u << 20, 'x') + "\"]}"});
    }
    SECTION("nested without end") {
        acme.answer_keys_with({200, {}, R"({"keys":)" + std::string(100'000, '[') + "}"});
    }
    running_proxy proxy(acme.client_auth() + "workers: 1\n" + open_upstream(acme));
    const auto back = call_with(proxy, company::shown(acme.token("ada")));
    CHECK(back.status() == 503);
    CHECK(acme.calls == 0);
}

TEST_CASE("a gateway's word is believed with its secret, and neither reaches the server", "[callers]") {
    company acme;
    acme.open = true;
    running_proxy proxy(
        "client_auth: {header: {name: X-Auth-User, groups: X-Auth-Groups, secret: {name: X-Gate, "
        "value: gateway-secret-123456}}}\n" +
        open_upstream(acme));
    const std::string word = "X-Auth-User: ada\r\nX-Auth-Groups: a,b\r\n";
    CHECK(call_with(proxy, word).status() == 403);
    CHECK(call_with(proxy, word + "X-Gate: wrong\r\n").status() == 403);
    const auto back = call_with(proxy, word + "X-Gate: gateway-secret-123456\r\n");
    CHECK(back.status() == 200);
    for (const auto* field : {"X-Auth-User", "X-Auth-Groups", "X-Gate"})
        CHECK_FALSE(back.parsed()["result"]["seen"].contains(field));
}

TEST_CASE("a client certificate names its principal; another authority's ends the handshake", "[callers]") {
    company acme;
    acme.open = true;
    const reauth::test::scratch_directory files;
    const reauth::test::certificate_files server(files, "server", "IP:127.0.0.1"),
        client(files, "client", "URI:spiffe://acme/ada"),
        stranger(files, "stranger", "URI:spiffe://acme/ada");
    running_proxy proxy("tls: {cert: " + server.cert + ", key: " + server.key +
                        "}\nclient_auth: {mtls: {ca_file: " + client.cert +
                        "}}\nlimits: {requests_per_principal: 100}\n" + open_upstream(acme));
    asio::io_context io;
    http_fetcher network(io.get_executor(), egress_rules::parse({"127.0.0.0/8"}).value());
    const auto ask = [&](const std::string& cert, const std::string& key) -> result<http_response> {
        http_request request;
        request.url = "https://127.0.0.1:" + std::to_string(proxy.port()) + "/up";
        fetch_options options;
        options.ca_file = server.cert;
        options.client_cert = cert;
        options.client_key = key;
        auto answer = asio::co_spawn(io, network.fetch(request, options), asio::use_future);
        io.restart();
        io.run();
        return answer.get();
    };
    const auto known = ask(client.cert, client.key);
    REQUIRE(known.has_value());
    CHECK(known->status == 200);
    const auto nobody = ask("", "");
    REQUIRE(nobody.has_value());
    CHECK(nobody->status == 403);
    CHECK_FALSE(ask(stranger.cert, stranger.key).has_value());
    CHECK(acme.calls == 1);
}

TEST_CASE("a principal has no more requests in progress than limits.requests_per_principal", "[callers]") {
    company acme;
    played_upstream up;
    running_proxy proxy(acme.client_auth() + "limits: {requests_per_principal: 1}\n" +
                        running_proxy::upstream(up.url()));
    const auto ada = company::shown(acme.token("ada"));
    auto first = proxy.connect();
    first.send(proxy.request("GET /up", ada));
    auto server = up.accept();
    read_message(server);
    const auto second = call_with(proxy, ada);
    CHECK(proxy.count("principal_requests_total") >= 1); // whoever of this process is busiest
    CHECK(second.status() == 429);
    CHECK(second.get("Retry-After") == "1");
    server.send(relay_test::answer("first", "Connection: close\r\n"));
    CHECK(read_message(first).body == "first");
    // grace is another one; and ada's turn has come back
    for (const auto& who : {company::shown(acme.token("grace")), ada}) {
        auto client = proxy.connect();
        client.send(proxy.request("GET /up", who));
        auto there = up.accept();
        read_message(there);
        there.send(relay_test::answer("yes", "Connection: close\r\n"));
        CHECK(read_message(client).body == "yes");
    }
}

TEST_CASE("a rule may name groups: who is in one is judged by it", "[callers]") {
    company acme;
    running_proxy proxy(acme.client_auth() + acme.provider() +
                        "policy: [{name: guests, match: {group: guests}, action: deny}]\n" +
                        running_proxy::upstream(
                            acme.server_url(), "grant: token_exchange, exchange: {identity_provider: acme}"));
    const auto guest = acme.token("ada", std::chrono::seconds(60), {{"groups", {"guests"}}});
    const auto back = call_with(proxy, company::shown(guest));
    CHECK(back.parsed()["error"]["data"]["code"] == "denied_by_policy");
    CHECK(acme.exchanges == 0);
    CHECK(call_with(proxy, company::shown(acme.token("ada"))).parsed()["result"]["who"] == "ada");
}

TEST_CASE("what a client shows us as its own goes to no server, whatever the policy passes", "[callers]") {
    company acme;
    acme.open = true;
    running_proxy proxy(
        "client_auth: {bearer: token-of-the-client-1}\npolicy: [{match: {upstream: up}, action: pass}]\n" +
        open_upstream(acme));
    const auto back = call_with(proxy, "Authorization: Bearer token-of-the-client-1\r\n");
    CHECK(back.status() == 200);
    CHECK_FALSE(back.parsed()["result"]["seen"].contains("Authorization"));
}
