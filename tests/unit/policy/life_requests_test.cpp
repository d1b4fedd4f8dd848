// Requests that were refused: who waits for what, and how they are answered.
#include "tests/unit/policy/life_checks.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

TEST_CASE("life: a first login answers whoever waited, and is durable before it is used") {
    life_world w;
    const auto id = w.refuse();
    w.settle();
    CHECK(w.told[id] == w.only_question());
    const auto caller = w.approve(w.only_question());
    w.settle();
    CHECK(w.approve_answers[caller].front().answer->location == w.begun.begin()->second.location);
    const auto back = w.come_back(w.open.begin()->first);
    w.settle();
    CHECK(replayed(w, id));
    CHECK(w.answers[id].front().person_waited);
    CHECK(w.callback_answers[back].front().ok);
    CHECK(w.vault.value.has_value());
    CHECK(w.machine.quiet());
    holds(w);
}

TEST_CASE("life: a dead token is refreshed once for all who come") {
    life_world w;
    w.sign_in();
    const auto first = w.refuse(), second = w.refuse();
    w.settle();
    const auto third = w.requests;
    CHECK(replayed(w, first));
    CHECK(replayed(w, second));
    CHECK(third == second);
    CHECK(w.runs == 1);
    CHECK(w.open.empty());
    holds(w);
}

TEST_CASE(
    "life: who comes while a renewed credential is being stored waits for it, though nobody may be asked") {
    life_world w;
    w.sign_in();
    const auto first = w.refuse();
    w.send_refresh();
    REQUIRE(w.end<life::run>()); // the server has answered: the token that was sent is spent
    REQUIRE(w.next_of<life::store>());
    const auto late = w.refuse(challenge_kind::token_expired, {}, person_use::never);
    const auto other = w.refuse();
    CHECK(w.answers[late].empty());
    w.settle();
    for (const auto id : {first, late, other})
        CHECK(replayed(w, id));
    CHECK(w.runs == 1);
    CHECK(w.open.empty());
    holds(w);
}

TEST_CASE("life: a configured token is read again when it is refused, without vault and lock (fault 8)") {
    life_world w(world_target(grant_kind::static_token));
    credential configured;
    configured.access_token = secret("old");
    w.tell(life::supplied{configured});
    const auto request = w.refuse();
    REQUIRE(w.works.size() == 1);
    const auto* run = w.next_of<life::run>();
    REQUIRE(run);
    CHECK(run->step == recovery_step::static_token);
    const auto work = run->work;
    w.works.clear();
    SECTION("and was changed") {
        configured.access_token = secret("new");
        w.tell(life::flow_ended{work, configured});
        CHECK(replayed(w, request));
        CHECK(token_of(w.machine.held()) == "new");
    }
    SECTION("and is the same") {
        w.tell(life::flow_ended{
            work, failure::permanent(fault::reauth_failed, "upstream up refuses the configured token")});
        CHECK(code_of(w, request) == fault::reauth_failed);
    }
    SECTION("or when its file changes") {
        configured.access_token = secret("newer");
        w.tell(life::supplied{configured});
        CHECK(replayed(w, request));
        CHECK(w.machine.held()->generation == 2);
    }
    CHECK(w.works.empty());
}

TEST_CASE("life: trouble that passes asks nobody, and is tried again less and less often") {
    life_world w;
    w.sign_in();
    for (int i = 0; i < 2; ++i) {
        const auto request = w.refuse();
        while (w.end<life::discover>() || w.end<life::lock>() || w.end<life::look>())
            ;
        REQUIRE(w.end<life::run>(ending::trouble));
        w.settle();
        CHECK(code_of(w, request) == fault::authorization_server_unavailable);
    }
    CHECK(w.open.empty());
    const auto early = w.refuse();
    CHECK(code_of(w, early) == fault::authorization_server_unavailable);
    CHECK(w.answers[early].front().why.fix.find("tried again in") != std::string::npos);
    w.pass(2s);
    const auto later = w.refuse();
    w.settle();
    CHECK(replayed(w, later));
    holds(w);
}

TEST_CASE("life: a refused refresh looks into the vault once more, then asks a person") {
    life_world w;
    w.sign_in();
    const auto request = w.refuse();
    w.send_refresh();
    w.end<life::run>(ending::refusal);
    REQUIRE(w.next_of<life::look>());
    SECTION("where another holder has won") {
        w.rival_stores(2);
        w.settle();
        CHECK(replayed(w, request));
        CHECK(w.open.empty());
    }
    SECTION("where nobody has") {
        w.settle();
        CHECK(w.told[request] == w.only_question());
    }
    holds(w);
}

TEST_CASE("life: a stream that may ask nobody waits for whatever comes") {
    life_world w;
    const auto stream = w.refuse(challenge_kind::unauthorized, "", person_use::only_waits);
    w.settle();
    CHECK(w.open.empty());
    w.sign_in();
    CHECK(replayed(w, stream));
}
