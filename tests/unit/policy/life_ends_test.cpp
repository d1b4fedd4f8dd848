// The ends of a credential's life: sign-out, another origin, a callback that comes late.
#include "tests/unit/policy/life_checks.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

TEST_CASE("life: a sign-out while a refresh waits for the vault leaves nothing in force (fault 1)") {
    life_world w;
    w.sign_in();
    w.refuse();
    w.end<life::discover>();
    REQUIRE(w.next_of<life::lock>());
    const auto caller = w.sign_out();
    w.settle();
    CHECK_FALSE(w.machine.held());
    CHECK_FALSE(w.published.has_value());
    CHECK(w.sign_out_answers[caller].front().has_value());
    CHECK_FALSE(w.vault.lock.has_value());
    w.check_rest();
    holds(w);
}

TEST_CASE("life: a sign-out sticks, whatever was under way, and what comes home is revoked (fault 3)") {
    life_world w;
    w.sign_in();
    w.refuse();
    w.send_refresh();
    REQUIRE(w.next_of<life::run>());
    w.sign_out();
    w.settle();
    CHECK_FALSE(w.machine.held());
    CHECK_FALSE(w.vault.value.has_value());
    REQUIRE(w.issued.size() == 2);
    CHECK(w.server.revoked(w.issued[1].value));
    // a restart finds nothing either
    life_world again;
    again.vault = w.vault;
    again.tell(life::loaded{again.vault.state()});
    CHECK_FALSE(again.machine.held());
    holds(w);
}

TEST_CASE("life: a login that is redeemed while somebody signs out is revoked, not used (fault 3)") {
    life_world w;
    w.refuse();
    const auto id = w.send_to_provider();
    const auto back = w.come_back(id);
    SECTION("at the token endpoint") {}
    SECTION("on its way into the vault") {
        w.end<life::redeem>();
        REQUIRE(w.next_of<life::store>());
    }
    w.sign_out();
    w.settle();
    CHECK_FALSE(w.machine.held());
    CHECK_FALSE(w.vault.value.has_value());
    CHECK_FALSE(w.callback_answers[back].front().ok);
    CHECK(w.server.revoked(w.issued.front().value));
    w.check_rest();
    holds(w);
}

TEST_CASE("life: a sign-out closes the questions, and approving one says so (fault 7)") {
    life_world w;
    w.sign_in();
    w.refuse(challenge_kind::insufficient_scope, "write");
    const auto id = w.send_to_provider();
    w.sign_out();
    w.settle();
    CHECK(w.closed[id].status == approval_status::signed_out);
    CHECK(w.come_back(id) == 0);
    const auto caller = w.approve(id);
    REQUIRE_FALSE(w.approve_answers[caller].front().answer.has_value());
    CHECK(w.approve_answers[caller].front().answer.error().message.find("signed_out") != std::string::npos);
    CHECK_FALSE(w.machine.held());
    holds(w);
}

TEST_CASE("life: a configured token can't be signed out of, and stays (fault 7)") {
    life_world w(world_target(grant_kind::static_token));
    credential configured;
    configured.access_token = secret("configured");
    w.tell(life::supplied{configured});
    const auto caller = w.sign_out();
    REQUIRE_FALSE(w.sign_out_answers[caller].front().has_value());
    CHECK(w.sign_out_answers[caller].front().error().code == fault::invalid_configuration);
    CHECK(token_of(w.machine.held()) == "configured");
    CHECK(w.works.empty());
}

TEST_CASE("life: a credential goes to no other origin or resource (fault 9)") {
    life_world w;
    w.sign_in();
    auto moved = world_target();
    SECTION("another host") {
        moved.url = "https://evil.example/mcp";
    }
    SECTION("another scheme") {
        moved.url = "http://mcp.example/mcp";
    }
    SECTION("another path than the resource names") {
        moved.url = "https://mcp.example/other";
    }
    SECTION("another resource") {
        moved.resource = "https://mcp.example/else";
    }
    const auto epoch = w.machine.epoch();
    w.tell(life::reconfigured{moved});
    CHECK_FALSE(w.machine.held());
    CHECK_FALSE(w.published.has_value());
    CHECK(w.machine.epoch() > epoch);
    // a restart with the new URL finds nothing, and says so
    life_world again(moved);
    again.vault = w.vault;
    again.tell(life::loaded{again.vault.state()});
    CHECK_FALSE(again.machine.held());
    REQUIRE(again.audits.size() == 1);
    CHECK(again.audits[0].how == life::happening::bound_elsewhere);
    // and a refresh does not take it up either
    again.refuse();
    again.settle();
    CHECK_FALSE(again.machine.held());
    CHECK(again.open.size() == 1);
}

TEST_CASE("life: the same origin under another path that the resource covers keeps its credential") {
    life_world w;
    w.sign_in();
    auto moved = world_target();
    moved.url = "https://mcp.example/mcp/v2";
    w.tell(life::reconfigured{moved});
    CHECK(w.machine.held());
}

TEST_CASE("life: a sign-out that the vault can't take sticks here, says so, and is tried again") {
    life_world w;
    w.sign_in();
    w.vault.writable = false;
    const auto caller = w.sign_out();
    w.settle();
    REQUIRE_FALSE(w.sign_out_answers[caller].front().has_value());
    CHECK(w.sign_out_answers[caller].front().error().message.find("signed out here") != std::string::npos);
    CHECK_FALSE(w.machine.held());
    w.vault.writable = true;
    w.pass(2s);
    w.settle();
    CHECK_FALSE(w.vault.value.has_value());
    holds(w);
}

TEST_CASE(
    "life: a refresh that a step-up overtakes is kept for the sign-out: revoking it would end the login") {
    life_world w;
    w.sign_in();
    w.refuse();
    w.send_refresh();
    w.refuse(challenge_kind::insufficient_scope, "write");
    REQUIRE(w.end<life::look>());
    const auto id = w.only_question();
    w.approve(id);
    REQUIRE(w.end<life::begin_sign_in>());
    w.come_back(id);
    REQUIRE(w.end<life::redeem>());
    REQUIRE(w.end<life::store>()); // the login is in force, and the refresh comes home now
    w.settle();
    CHECK(w.server.alive(*w.machine.held()));
    CHECK(w.machine.held()->granted.covers(scope_set{"write"}));
    REQUIRE(w.retired.size() == 2); // what was replaced, and what came late
    const auto late = w.retired.back();
    w.sign_out();
    w.settle();
    CHECK(w.server.revoked(late));
    CHECK(w.retired.empty());
    holds(w);
}

TEST_CASE("life: what a step-up replaces is kept for the sign-out") {
    life_world w;
    w.sign_in();
    const auto replaced = *w.machine.held();
    w.refuse(challenge_kind::insufficient_scope, "write");
    const auto id = w.send_to_provider();
    w.come_back(id);
    w.settle();
    CHECK(w.kept_for_sign_out(replaced));
    CHECK(w.server.alive(*w.machine.held()));
    w.sign_out();
    w.settle();
    CHECK(w.server.revoked(replaced));
    holds(w);
}

TEST_CASE("life: what can't be revoked at a sign-out is said") {
    life_world w;
    w.sign_in();
    const auto caller = w.sign_out();
    REQUIRE(w.end<life::revoke>(ending::trouble));
    w.settle();
    CHECK_FALSE(w.sign_out_answers[caller].front().has_value());
    CHECK_FALSE(w.machine.held());
    CHECK_FALSE(w.vault.value.has_value());
}

TEST_CASE("life: a callback of an earlier run is completed, since nothing has ended it") {
    life_world w;
    w.refuse();
    const auto id = w.send_to_provider();
    life_world again;
    again.vault = w.vault;
    again.begun = w.begun;
    const auto back = again.come_back(id);
    again.settle();
    CHECK(again.callback_answers[back].front().ok);
    CHECK(again.machine.held());
    holds(again);
}

TEST_CASE("life: when the identity ends, who is held is told so, and nobody is asked anew") {
    life_world w;
    w.sign_in();
    const auto held = w.refuse(challenge_kind::insufficient_scope, "write");
    const auto id = w.send_to_provider();
    const auto caller = w.end_identity();
    w.settle();
    REQUIRE(w.answers[held].size() == 1);
    CHECK(w.answers[held].front().is == recovery_verdict::kind::fail);
    CHECK(w.answers[held].front().why.code == fault::identity_ended);
    CHECK(w.closed[id].status == approval_status::signed_out);
    CHECK(w.sign_out_answers[caller].front().has_value());
    CHECK_FALSE(w.machine.held());
    CHECK_FALSE(w.vault.value.has_value());
    CHECK(w.server.revoked(w.issued.front().value));
    CHECK(w.come_back(id) == 0);
    w.check_rest();
    holds(w);
    // whoever comes next is asked, as at the beginning
    const auto next = w.refuse();
    w.settle();
    CHECK(w.answers[next].empty());
}

TEST_CASE("life: an identity that another process has ended is over here before the vault's tombstone is") {
    life_world w;
    w.sign_in();
    const auto held = w.refuse();
    w.send_refresh();
    REQUIRE(w.next_of<life::run>());
    w.tell(life::identity_over{});
    REQUIRE(w.answers[held].size() == 1);
    CHECK(w.answers[held].front().why.code == fault::identity_ended);
    CHECK_FALSE(w.machine.held());
    // what the vault still holds is of before
    w.tell(life::vault_changed{w.vault.state()});
    CHECK_FALSE(w.machine.held());
    w.settle();
    CHECK_FALSE(w.machine.held());
    CHECK_FALSE(w.published.has_value());
    holds(w);
}

TEST_CASE("life: a configured token outlives an identity, whose held requests do not") {
    life_world w(world_target(grant_kind::static_token));
    credential configured;
    configured.access_token = secret("configured");
    w.tell(life::supplied{configured});
    const auto caller = w.end_identity();
    w.settle();
    CHECK(w.sign_out_answers[caller].front().has_value());
    CHECK(w.machine.held());
}
