// A credential's life and the vault: what can't be stored, and what other processes have done there.
#include "tests/unit/policy/life_checks.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

TEST_CASE("life: a rotated refresh token is not lost where the vault can't store it (fault 5)") {
    life_world w;
    w.sign_in();
    w.vault.writable = false;
    const auto request = w.refuse();
    w.settle();
    CHECK(replayed(w, request));
    CHECK_FALSE(w.machine.saved());
    CHECK(token_of(w.machine.held()) == "access-2");
    CHECK(w.vault.lock.has_value()); // no other process may send the spent token
    CHECK_FALSE(w.rival_renews());
    SECTION("it is stored as soon as the vault can") {
        w.vault.writable = true;
        w.pass(1s);
        w.settle();
        CHECK(w.machine.saved());
        CHECK(token_of(&*w.vault.value) == "access-2");
        CHECK_FALSE(w.vault.lock.has_value());
        CHECK(w.rival_renews());
    }
    SECTION("renewals go on from memory") {
        const auto next = w.refuse();
        w.settle();
        CHECK(replayed(w, next));
        CHECK(token_of(w.machine.held()) == "access-3");
        CHECK(w.vault.lock.has_value());
        w.vault.writable = true;
        w.pass(31s);
        w.settle();
        CHECK(w.machine.saved());
        CHECK(token_of(&*w.vault.value) == "access-3");
        CHECK_FALSE(w.vault.lock.has_value());
    }
    CHECK(w.server.reuses == 0);
    w.check_rest();
    holds(w);
}

TEST_CASE("life: a login that can't be stored is used, and stored later (fault 5)") {
    life_world w;
    const auto request = w.refuse();
    const auto asked = w.send_to_provider();
    w.vault.writable = false;
    w.come_back(asked);
    w.settle();
    CHECK(replayed(w, request));
    CHECK_FALSE(w.machine.saved());
    w.vault.writable = true;
    w.pass(1s);
    w.settle();
    CHECK(w.machine.saved());
    holds(w);
}

TEST_CASE("life: what waits to be stored is numbered behind what others have stored for another place") {
    life_world w;
    w.sign_in();
    auto elsewhere = world_target();
    elsewhere.url = "https://other.example/mcp";
    w.moved = true;
    w.tell(life::reconfigured{elsewhere});
    const auto request = w.refuse();
    const auto asked = w.send_to_provider();
    w.vault.writable = false;
    w.come_back(asked);
    w.settle();
    REQUIRE(replayed(w, request));
    // a process with the old configuration renews what it holds, and we hear of it
    w.vault.writable = true;
    REQUIRE(w.rival_renews());
    REQUIRE(w.rival_renews());
    w.tell(life::vault_changed{w.vault.state()});
    const auto theirs = w.vault.generation;
    w.pass(1s);
    w.settle();
    CHECK(w.machine.saved());
    CHECK(w.vault.generation > theirs);
    CHECK(w.machine.held()->generation == w.vault.generation);
    CHECK(w.published->generation == w.vault.generation);
    holds(w);
}

TEST_CASE("life: a denied login's undone store does not bring a spent refresh token back into the vault") {
    life_world w;
    w.sign_in();
    w.pass(61s);
    const auto renewal = w.refuse();
    w.end<life::lock>();
    w.end<life::look>();
    w.refuse(challenge_kind::insufficient_scope, "write");
    w.end<life::discover>();
    w.end<life::look>();
    const auto asked = w.only_question();
    w.approve(asked);
    REQUIRE(w.end<life::begin_sign_in>());
    w.come_back(asked);
    REQUIRE(w.end<life::run>());
    REQUIRE(w.end<life::redeem>());
    w.deny(asked); // while its store waits behind the renewal's
    REQUIRE(w.end<life::store>(ending::trouble));
    CHECK(replayed(w, renewal));
    CHECK_FALSE(w.machine.saved());
    w.pass(1s); // stored again, behind the denied one
    REQUIRE(w.end<life::store>());
    CHECK(w.vault.value->access_token.reveal() == "access-1");
    w.settle();
    CHECK(w.machine.saved());
    CHECK(w.vault.value->access_token == w.machine.held()->access_token);
    w.rival_renews();
    CHECK(w.server.reuses == 0);
    holds(w);
}

TEST_CASE("life: a burial that the vault takes too late does not hide another process's sign-out") {
    life_world w;
    w.refuse();
    const auto asked = w.send_to_provider();
    w.vault.writable = false;
    w.come_back(asked);
    w.settle();
    auto elsewhere = world_target();
    elsewhere.url = "https://other.example/mcp";
    w.moved = true;
    w.tell(life::reconfigured{elsewhere}); // what is spent for the old place shall be buried
    w.settle();
    w.vault.writable = true;
    w.sign_in();
    REQUIRE(w.machine.held());
    REQUIRE(w.rival_renews());
    w.rival_signs_out();
    w.pass(61s); // now the burial: what is there is newer
    w.settle();
    w.refuse();
    w.settle();
    CHECK_FALSE(w.machine.held());
    CHECK(w.server.reuses == 0);
    CHECK(w.open.size() == 1);
}

TEST_CASE("life: before a person is asked the vault is asked") {
    life_world w;
    w.vault.value = w.server.issue(scope_set{"read"});
    w.vault.value->origin = "https://mcp.example";
    w.vault.value->generation = w.vault.generation = 7;
    const auto request = w.refuse();
    w.settle();
    CHECK(replayed(w, request));
    CHECK(w.machine.held()->generation == 7);
    CHECK(w.open.empty());
}

TEST_CASE("life: what another process renewed is adopted, the old token is not sent") {
    life_world w;
    w.sign_in();
    REQUIRE(w.rival_renews());
    const auto request = w.refuse();
    w.settle();
    CHECK(replayed(w, request));
    CHECK(w.runs == 0);
    CHECK(w.server.reuses == 0);
    CHECK(w.machine.held()->generation == 2);
    holds(w);
}

TEST_CASE("life: a store that meets something newer adopts it and keeps ours for the sign-out") {
    life_world w;
    w.sign_in();
    const auto request = w.refuse();
    w.send_refresh();
    w.end<life::run>();
    w.rival_stores(5);
    w.settle();
    CHECK(replayed(w, request));
    CHECK(w.machine.held()->generation == 5);
    CHECK_FALSE(w.server.revoked(w.issued.back().value));
    CHECK(w.kept_for_sign_out(w.issued.back().value));
}

TEST_CASE("life: a sign-out by another process is heard of at the next look") {
    life_world w;
    w.sign_in();
    w.rival_signs_out();
    const auto request = w.refuse();
    SECTION("while looking") {
        w.settle();
    }
    SECTION("as news") {
        w.tell(life::vault_changed{w.vault.state()});
        w.settle();
    }
    CHECK_FALSE(w.machine.held());
    CHECK(w.runs == 0);
    CHECK(w.told[request] == w.only_question()); // it is judged anew
    holds(w);
}

TEST_CASE("life: what the vault's news brought while the lock was waited for is not renewed again") {
    life_world w;
    w.sign_in();
    const auto request = w.refuse();
    REQUIRE(w.end<life::discover>());
    REQUIRE(w.rival_renews());
    w.tell(life::vault_changed{w.vault.state()});
    CHECK(replayed(w, request));
    const auto theirs = token_of(w.machine.held());
    w.settle();
    CHECK(token_of(w.machine.held()) == theirs);
    CHECK(token_of(&*w.vault.value) == theirs);
    w.check_rest();
    holds(w);
}

TEST_CASE("life: a refresh that is refused because another process has renewed meanwhile costs no login") {
    life_world w;
    w.sign_in();
    const auto request = w.refuse();
    w.send_refresh();
    w.vault.lock.reset(); // it was taken from us, as PostgreSQL does with a holder that does not answer
    REQUIRE(w.rival_renews());
    w.tell(life::vault_changed{w.vault.state()});
    REQUIRE(w.end<life::run>(ending::refusal));
    w.settle();
    CHECK(replayed(w, request));
    CHECK(w.open.empty());
    CHECK(token_of(w.machine.held()) == token_of(&*w.vault.value));
    holds(w);
}

TEST_CASE("life: what is found dead before it was stored keeps its lock until the vault knows") {
    life_world w;
    w.sign_in();
    w.tell(life::renewal_due{w.machine.held()->generation});
    w.end<life::lock>();
    w.end<life::look>();
    w.end<life::run>();
    w.end<life::store>(ending::trouble);
    REQUIRE(w.machine.held());
    REQUIRE_FALSE(w.machine.saved());
    w.tell(life::found_dead{w.machine.held()->generation});
    CHECK_FALSE(w.machine.held());
    CHECK_FALSE(w.rival_renews()); // what the vault holds is spent
    w.end<life::erase>();
    CHECK_FALSE(w.vault.value);
    CHECK_FALSE(w.vault.lock);
    CHECK(w.server.reuses == 0);
}

TEST_CASE("life: what is found dead while it is refreshed keeps its lock until the vault knows") {
    life_world w;
    w.sign_in();
    w.tell(life::renewal_due{w.machine.held()->generation});
    w.end<life::lock>();
    w.end<life::look>();
    REQUIRE(w.next_of<life::run>());
    w.tell(life::found_dead{w.machine.held()->generation});
    w.end<life::run>(); // what it brings is not used
    CHECK_FALSE(w.machine.held());
    CHECK_FALSE(w.rival_renews());
    w.end<life::erase>();
    CHECK_FALSE(w.vault.value);
    CHECK_FALSE(w.vault.lock);
    CHECK(w.server.reuses == 0);
}
