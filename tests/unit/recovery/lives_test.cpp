// Lives are made when they are needed, and let go when they are idle; what one principal may hold.
#include "tests/support/text.hpp"
#include "tests/unit/recovery/recovery_world.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

using verdict = recovery_verdict::kind;

struct rested : recovery_world {
    explicit rested(const std::string& upstream = "url: \"" + mcp_url + "\"") : recovery_world(upstream) {
        stored_before();
        start();
        REQUIRE(attached() == "access-0");
    }
    void idle_for(std::chrono::minutes t) {
        now += t;
        manager->pass_time();
    }
};

} // namespace

TEST_CASE("an idle life is let go; workers keep its credential, and status tells of it") {
    rested w;
    w.idle_for(14min);
    CHECK(w.manager->lives() == 1);
    w.idle_for(2min);
    CHECK(w.manager->lives() == 0);
    CHECK(w.attached() == "access-0");
    const auto s = w.manager->summaries().at(0);
    CHECK(s.held);
    CHECK(s.renewable);
    CHECK(s.issuer == "https://as.example");
    CHECK(w.manager->quiet());
}

TEST_CASE("a life that was let go is made again by the next request, from what the vault holds") {
    rested w;
    w.idle_for(16min);
    REQUIRE(w.manager->lives() == 0);
    const auto r = w.refused();
    CHECK(w.verdict_of(r).is == verdict::replay);
    CHECK(w.attached() == "access-1");
    CHECK(w.in_vault() == "access-1");
    CHECK(w.network.asked(token_url) == 1);
    CHECK(w.manager->lives() == 1);
}

TEST_CASE("a renewal ahead of time wakes a life that was let go") {
    rested w;
    w.idle_for(16min);
    w.manager->requests().renew_ahead({w.table, w.table->routes[0].get(), w.table->principals[0]},
                                      w.generation(), nullptr);
    w.until([&] { return w.attached() == "access-1"; }, "the renewal");
    CHECK(w.in_vault() == "access-1");
}

TEST_CASE("what another process signed out of while a life rested is not attached any more") {
    rested w;
    w.idle_for(16min);
    REQUIRE(w.store.erase_credential("local", "up", "https://as.example", 9).has_value());
    const auto r = w.refused();
    w.until([&] { return !r->approval_id.empty(); }, "the approval");
    CHECK(w.attached().empty());
}

TEST_CASE("a life that wakes while the vault can't be read goes on with what workers have") {
    rested w("url: \"" + mcp_url + "\", token_request: 300ms");
    w.idle_for(16min);
    REQUIRE(w.manager->lives() == 0);
    w.records.readable = false;
    const auto failed = w.verdict_of(w.refused());
    CHECK(failed.is == verdict::fail);
    CHECK(failed.why.code == fault::vault_unavailable);
    CHECK(w.attached() == "access-0"); // nobody is asked to sign in for that
    CHECK(w.book.waiting().empty());
    w.records.readable = true;
    w.now += 31s; // trouble is over
    CHECK(w.verdict_of(w.refused()).is == verdict::replay);
    CHECK(w.attached() == "access-1");
}

TEST_CASE("a life that rested is bound to the configuration as it is when it wakes") {
    rested w;
    REQUIRE(w.verdict_of(w.refused()).is == verdict::replay); // from now on its tenant is known
    w.until([&] { return !w.records.locked(); }, "the lock to be given back");
    w.idle_for(16min);
    REQUIRE(w.manager->lives() == 0);
    // the same origin and resource for another tenant: what is held is not for it
    w.table = w.table_of("url: \"" + mcp_url + "\", headers: {X-Org: other}");
    w.manager->use(w.table);
    CHECK(w.attached().empty());
    const auto r = w.refused();
    w.until([&] { return !r->approval_id.empty(); }, "the approval");
}

TEST_CASE("a life whose approval is open is not let go") {
    recovery_world w;
    w.start();
    const auto r = w.refused();
    w.until([&] { return !r->approval_id.empty(); }, "the approval");
    w.manager->requests().abandon(r);
    w.now += 1min;
    w.manager->pass_time();
    CHECK(w.manager->lives() == 1);
}

TEST_CASE("limits.held_per_principal caps what one principal has waiting") {
    recovery_world w;
    auto limited = std::make_shared<config>(*w.table->settings);
    limited->limits.held_per_principal = 2;
    auto made = make_routing_table(limited, w.numbers);
    REQUIRE(made.has_value());
    w.table = *made;
    w.start();
    const auto first = w.refused(), second = w.refused(), third = w.refused();
    const auto refused = w.verdict_of(third);
    CHECK(refused.is == verdict::fail);
    CHECK(refused.why.code == fault::overloaded);
    CHECK(has(refused.why.fix, "limits.held_per_principal"));
    w.until([&] { return !first->approval_id.empty() && !second->approval_id.empty(); }, "the approval");
    w.manager->requests().abandon(first); // there is room again
    const auto fourth = w.refused();
    w.until([&] { return !fourth->approval_id.empty(); }, "the approval");
}

TEST_CASE("an upstream's own token_request is how long its authorization server is waited for") {
    rested w("url: \"" + mcp_url + "\", token_request: 42s");
    CHECK(w.verdict_of(w.refused()).is == verdict::replay);
    CHECK(w.network.last_options(token_url).timeout == 42s);
}

TEST_CASE("logout --all signs out of everything that is held for the principal") {
    rested w;
    const auto done = w.wait(w.manager->persons().logout_all("local"));
    REQUIRE(done.has_value());
    CHECK(done->revoked == 2);
    CHECK(w.attached().empty());
    CHECK(w.in_vault().empty());
    CHECK_FALSE(w.wait(w.manager->persons().logout_all("nobody")).has_value());
}

TEST_CASE("what people remember and revoke is in the history, like all else that is decided") {
    recovery_world w("url: \"" + mcp_url + "\"");
    w.stored_before();
    w.start();
    remembered_rule rule{"0011223344556677", "local", "up", scope_set{"write"}, w.now};
    REQUIRE(w.store.store_rule(rule).has_value());
    REQUIRE(w.wait(w.manager->persons().revoke_rule(rule.id)).has_value());
    const auto& line = w.manager->past().front();
    CHECK(line.what == "decision");
    CHECK(line.how == "rule revoked");
    CHECK(line.approval == rule.id);
}
