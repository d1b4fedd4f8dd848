// One login at the identity provider serves every upstream; sign-out, supplied ID tokens, restarts.
#include "enterprise_fixture.hpp"

using namespace enterprise_test;

TEST_CASE("ten upstreams that start at once make one login, and all of them go on", "[enterprise]") {
    organisation_options o;
    o.upstreams = 10;
    organisation acme(o);
    std::vector<std::future<bool>> opened;
    for (std::size_t i = 0; i < o.upstreams; ++i)
        opened.push_back(std::async(std::launch::async, [&acme, i] {
            auto session = acme.client(i);
            return session.open().has_value() && session.call("echo", {{"text", "hi"}}).has_value();
        }));
    auto question = acme.approval();
    CHECK(question["kind"] == "idp_login");
    CHECK(question["issuer"] == acme.idp->issuer());
    CHECK(question["scopes"]["requested"] == json({"openid", "offline_access"}));
    for (bool all = false; !all; std::this_thread::yield()) {
        all = true;
        for (const auto& s : acme.servers)
            all = all && s->challenges() > 0;
    }
    CHECK(acme.api("GET", "/api/approvals")["approvals"].size() == 1);
    acme.approve(question);
    for (auto& o_i : opened)
        CHECK(o_i.get());
    CHECK(acme.idp->server().counters().authorizations == 1);
    CHECK(acme.as->counters().jwt_bearers == 10);
    CHECK(acme.as->counters().authorizations == 0);
}

TEST_CASE("a dead token is minted again without a person", "[enterprise]") {
    organisation acme({});
    auto session = acme.signed_in();
    for (int i = 0; i < 5; ++i) {
        acme.as->kill_access_tokens();
        CHECK(session.call("echo", {{"text", "hi"}}).value() == "hi");
    }
    CHECK(acme.as->counters().jwt_bearers == 6);
    CHECK(acme.idp->server().counters().authorizations == 1);
}

TEST_CASE("a denied login answers whoever waits, on every upstream", "[enterprise]") {
    organisation_options o;
    o.upstreams = 2;
    organisation acme(o);
    std::vector<std::future<result<json>>> opened;
    for (std::size_t i = 0; i < 2; ++i)
        opened.push_back(std::async(std::launch::async, [&acme, i] { return acme.client(i).open(); }));
    auto question = acme.approval();
    while (acme.servers[0]->challenges() == 0 || acme.servers[1]->challenges() == 0)
        std::this_thread::yield();
    // the second may be refused only after the denial, and asks again then
    acme.api("POST", "/api/approvals/" + question["id"].get<std::string>() + "/deny");
    auto pending = [&] {
        return opened[0].wait_for(std::chrono::milliseconds(1)) != std::future_status::ready ||
               opened[1].wait_for(std::chrono::milliseconds(1)) != std::future_status::ready;
    };
    while (pending()) {
        const auto list = acme.api("GET", "/api/approvals");
        for (const auto& a : list["approvals"])
            acme.api("POST", "/api/approvals/" + a["id"].get<std::string>() + "/deny");
    }
    for (auto& answer : opened)
        CHECK_FALSE(answer.get().has_value());
}

TEST_CASE("sign-out drops the session and every credential minted from it", "[enterprise]") {
    organisation_options o;
    o.upstreams = 2;
    organisation acme(o);
    auto first = acme.signed_in(0);
    auto second = acme.client(1);
    REQUIRE(second.open().has_value());
    auto held = acme.api("GET", "/api/credentials");
    REQUIRE(held["idp_sessions"].size() == 1);
    CHECK(held["idp_sessions"][0]["subject"] == "ada");
    CHECK(held["idp_sessions"][0]["issuer"] == acme.idp->issuer());
    CHECK(held["idp_sessions"][0]["expires_at"].is_string());
    CHECK(held.dump().find("eyJ") == std::string::npos);
    CHECK(acme.api("POST", "/api/logout", {{"idp", "acme"}})["status"] == "done");
    held = acme.api("GET", "/api/credentials");
    CHECK(held["idp_sessions"].empty());
    for (const auto& c : held["credentials"])
        CHECK(c["held"] == false);
    CHECK(acme.idp->server().counters().revocations >= 1);
    auto again = std::async(std::launch::async, [&] { return first.call("echo", {{"text", "hi"}}); });
    auto question = acme.approval();
    CHECK(question["kind"] == "idp_login");
    acme.approve(question);
    CHECK(again.get().has_value());
    CHECK(acme.api("POST", "/api/logout", {{"idp", "nobody"}})["error"] == "invalid_configuration");
}

TEST_CASE("a supplied ID token needs no login and is read again when it changes", "[enterprise]") {
    organisation_options o;
    o.supplied_id_token = true;
    organisation acme(o);
    auto session = acme.client();
    REQUIRE(session.open().has_value());
    CHECK(acme.idp->server().counters().authorizations == 0);
    acme.write_id_token("not a token");
    acme.as->kill_access_tokens();
    auto refused = session.call("echo", {{"text", "hi"}});
    REQUIRE_FALSE(refused.has_value());
    CHECK_THAT(refused.error().message, Catch::Contains("is no JWT"));
    CHECK(acme.api("GET", "/api/approvals")["approvals"].empty());
    acme.write_id_token(acme.idp->issue_id_token("at-idp"));
    CHECK(session.call("echo", {{"text", "hi"}}).has_value());
    CHECK(acme.api("GET", "/api/credentials")["idp_sessions"][0]["supplied"] == true);
}

TEST_CASE("a session outlives the process", "[enterprise]") {
    demo_directory where;
    organisation_options o;
    o.vault = where.path() + "/vault.db";
    organisation acme(o);
    acme.signed_in();
    acme.proxy.reset();
    acme.proxy = acme.start_proxy();
    acme.as->kill_access_tokens();
    auto session = acme.client();
    CHECK(session.open().has_value());
    CHECK(acme.idp->server().counters().authorizations == 1);
}

TEST_CASE("two replicas that mint at once give the same credential", "[enterprise]") {
    demo_directory where;
    organisation_options o;
    o.vault = where.path() + "/vault.db";
    organisation acme(o);
    acme.signed_in();
    auto replica = acme.start_proxy();
    auto here = acme.client();
    demo_client_session there("http://127.0.0.1:" + std::to_string(replica->listen_port()) + "/app0");
    REQUIRE(here.open().has_value());
    REQUIRE(there.open().has_value());
    for (int i = 0; i < 5; ++i) {
        acme.as->kill_access_tokens();
        auto one = std::async(std::launch::async, [&] { return here.call("echo", {{"text", "a"}}); });
        auto other = std::async(std::launch::async, [&] { return there.call("echo", {{"text", "b"}}); });
        CHECK(one.get().has_value());
        CHECK(other.get().has_value());
    }
    CHECK(acme.idp->server().counters().refresh_reuses == 0);
    CHECK(acme.idp->server().counters().authorizations == 1);
    replica->stop();
}
