// Silent recovery by the credential manager: what is asked of whom, in which order, and how it is answered.
#include "tests/support/text.hpp"
#include "tests/unit/recovery/recovery_world.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

using verdict = recovery_verdict::kind;

struct signed_in : recovery_world {
    explicit signed_in(const std::string& upstream = "url: \"" + mcp_url + "\"") : recovery_world(upstream) {
        stored_before();
        start();
        REQUIRE(attached() == "access-0");
    }
};

} // namespace

TEST_CASE("what the vault holds is published before anything runs") {
    recovery_world w;
    w.stored_before();
    w.start();
    CHECK(w.attached() == "access-0");
    CHECK(w.manager->summaries().at(0).renewable);
    CHECK(w.network.requests.empty());
}

TEST_CASE("a refused request is replayed after one refresh, which is stored before it is attached") {
    signed_in w;
    w.records.close(); // nothing can be stored, so nothing may be attached
    const auto r = w.refused();
    w.until([&] { return w.records.waited_for(); }, "the vault to be asked");
    CHECK(w.attached() == "access-0");
    w.records.open();
    CHECK(w.verdict_of(r).is == verdict::replay);
    CHECK(w.attached() == "access-1");
    CHECK(w.in_vault() == "access-1");
    CHECK(w.network.asked(token_url) == 1);
    CHECK(has(w.network.last_body(token_url), "grant_type=refresh_token"));
    CHECK(has(w.network.last_body(token_url), "refresh_token=refresh-0"));
    CHECK(w.manager->counters().refreshes == 1);
}

TEST_CASE("requests that are refused together share one refresh; who leaves is not answered") {
    signed_in w;
    w.network.hold(token_url);
    const auto first = w.refused();
    w.until([&] { return w.network.asked(token_url) == 1; }, "the refresh");
    const auto second = w.refused(), third = w.refused();
    w.manager->requests().abandon(second);
    w.network.let_go(token_url);
    CHECK(w.verdict_of(first).is == verdict::replay);
    CHECK(w.verdict_of(third).is == verdict::replay);
    CHECK_FALSE(second->verdict);
    CHECK(w.network.asked(token_url) == 1);
}

TEST_CASE("a refused refresh asks a person, and the dead token is not sent again") {
    signed_in w;
    w.network.on(token_url, 400, R"({"error":"invalid_grant"})");
    const auto r = w.refused();
    w.until([&] { return !w.book.waiting().empty(); }, "an approval");
    w.until([&] { return !r->approval_link.empty(); }, "the link");
    const auto again = w.refused();
    w.until([&] { return !again->approval_link.empty(); }, "the link again");
    CHECK(again->approval_id == r->approval_id);
    CHECK(w.network.asked(token_url) == 1);
    CHECK(w.manager->summaries().at(0).last_outcome == "reauth_failed");
    REQUIRE(w.wait(w.manager->persons().deny(r->approval_id)).has_value());
    CHECK(w.verdict_of(r).why.code == fault::approval_denied);
    CHECK(w.verdict_of(again).why.code == fault::approval_denied);
}

TEST_CASE("a registration that comes back under its old client_id with a new secret is stored") {
    recovery_world w;
    w.stored_before();
    auto client = w.store.registrations("https://as.example", "up").value().at(0);
    client.identity.client_secret = secret("old-secret");
    client.secret_expires_at = w.now - 1h;
    REQUIRE(w.store.store_registration("up", client).has_value());
    w.network.on("https://as.example/register", 201,
                 R"({"client_id":"client-1","client_secret":"new-secret","client_secret_expires_at":0,)"
                 R"("token_endpoint_auth_method":"client_secret_post"})");
    w.start();
    const auto r = w.refused();
    CHECK(w.verdict_of(r).is == verdict::replay);
    CHECK(has(w.network.last_body(token_url), "client_secret=new-secret"));
    const auto stored = w.store.registrations("https://as.example", "up").value();
    REQUIRE(stored.size() == 1);
    CHECK(stored[0].identity.client_secret.reveal() == "new-secret");
}

TEST_CASE("a renewal ahead of time goes on without anyone who waits") {
    signed_in w;
    w.manager->requests().renew_ahead({w.table, w.table->routes[0].get(), w.table->principals[0]},
                                      w.generation(), nullptr);
    w.until([&] { return w.attached() == "access-1"; }, "the renewal");
    w.until([&] { return !w.records.locked(); }, "the lock to be given back");
    CHECK(w.in_vault() == "access-1");
}

TEST_CASE("a vault that can't store: used from memory, told, locked until it is stored") {
    signed_in w;
    w.records.writable = false;
    const auto r = w.refused();
    CHECK(w.verdict_of(r).is == verdict::replay);
    CHECK(w.attached() == "access-1");
    CHECK(w.manager->unsaved() == std::vector<std::string>{"up"});
    CHECK_FALSE(w.manager->summaries().at(0).saved);
    CHECK(w.records.locked());
    w.records.writable = true;
    w.now += 40s;
    w.manager->pass_time();
    w.until([&] { return w.manager->unsaved().empty(); }, "it to be stored");
    CHECK(w.in_vault() == "access-1");
    w.until([&] { return !w.records.locked(); }, "the lock to be given back");
    CHECK(w.network.asked(token_url) == 1);
}

TEST_CASE("what another process has stored is used instead of asking the server") {
    signed_in w;
    auto theirs = w.store.find_credential("local", "up", "https://as.example")->value.value();
    theirs.access_token = secret("access-theirs");
    theirs.generation = 2;
    REQUIRE(w.store.store_credential("local", "up", theirs, 1).has_value());
    CHECK(w.verdict_of(w.refused()).is == verdict::replay);
    CHECK(w.attached() == "access-theirs");
    CHECK(w.network.asked(token_url) == 0);
}

TEST_CASE("client credentials are fetched without a person, and kept") {
    recovery_world w("url: \"" + mcp_url +
                     "\", grant: client_credentials, client: {id: robot, secret: {env: SECRET}, issuer: "
                     "\"https://as.example\"}");
    w.start();
    CHECK(w.verdict_of(w.refused()).is == verdict::replay);
    CHECK(w.attached() == "access-1");
    CHECK(w.in_vault() == "access-1");
    CHECK(has(w.network.last_body(token_url), "grant_type=client_credentials"));
    CHECK(w.manager->counters().machine_tokens == 1);
    CHECK(w.book.waiting().empty());
}

TEST_CASE("another origin finds nothing, and its old one finds its credential again") {
    signed_in w;
    const auto here = w.table;
    w.table = w.table_of("url: \"https://elsewhere.example/mcp\"");
    w.manager->use(w.table);
    w.manager->pass_time();
    CHECK(w.attached().empty());
    w.table = here;
    w.manager->use(w.table);
    w.until([&] { return w.attached() == "access-0"; }, "the vault's to be attached");
    CHECK(w.network.requests.empty());
}

TEST_CASE("a stop answers everybody who waits") {
    signed_in w;
    w.network.hold(token_url);
    const auto r = w.refused();
    w.until([&] { return w.network.asked(token_url) == 1; }, "the refresh");
    w.manager->stop();
    const auto said = w.verdict_of(r);
    CHECK(said.is == verdict::fail);
    CHECK(said.why.transient);
    CHECK(w.verdict_of(w.refused()).is == verdict::fail);
}
