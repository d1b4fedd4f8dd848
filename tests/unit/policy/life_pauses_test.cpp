// When nothing is done yet: a token that was just issued, and a server that asks to be left alone.
#include "tests/unit/policy/life_checks.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

void passes(life_world& w, std::chrono::milliseconds t) {
    w.now += t;
    w.tell(life::time_passed{});
}

/// Refused at once, and again after every pause; the last request, which goes on from there.
life::request_id refused_to_the_end(life_world& w) {
    for (const auto pause : {500ms, 1000ms, 2000ms}) {
        const auto request = w.refuse();
        CHECK(w.works.empty());
        CHECK(w.open.empty());
        CHECK_FALSE(w.answers.contains(request));
        CHECK(w.wakes.contains(w.now + pause));
        passes(w, pause);
        REQUIRE(replayed(w, request));
        CHECK(w.answers[request].front().same_credential);
    }
    return w.refuse();
}

} // namespace

TEST_CASE(
    "life: a token that was just issued and is refused is sent again after pauses, before anything else") {
    life_world w;
    w.server.age = 0s;
    w.sign_in();
    const auto request = w.refuse();
    const auto other = w.refuse(challenge_kind::token_expired);
    passes(w, 400ms);
    CHECK_FALSE(w.answers.contains(request));
    passes(w, 100ms);
    CHECK(replayed(w, request));
    CHECK(replayed(w, other));
    CHECK(w.runs == 0);
    CHECK(w.machine.held()->generation == 1);
    SECTION("a refusal long after is an ordinary one") {
        passes(w, 10s);
        w.refuse();
        CHECK(w.next_of<life::discover>());
    }
    SECTION("a step-up does not wait") {
        w.refuse(challenge_kind::insufficient_scope, "write");
        CHECK(w.next_of<life::look>());
    }
    SECTION("a sign-out ends the pause") {
        const auto late = w.refuse();
        w.sign_out();
        w.settle();
        CHECK(w.told.contains(late));
    }
    holds(w);
}

TEST_CASE("life: a token that had worked and is refused is renewed at once") {
    life_world w;
    w.server.age = 0s;
    w.sign_in();
    w.had_worked = true;
    const auto request = w.refuse();
    w.settle();
    CHECK(replayed(w, request));
    CHECK(w.runs == 1);
}

TEST_CASE("life: a token that ends soon is not waited for") {
    life_world w;
    w.server.age = 0s;
    w.server.lifetime = 2s;
    w.sign_in();
    passes(w, 1500ms);
    w.refuse();
    CHECK(w.next_of<life::lock>());
}

TEST_CASE("life: a login whose token is refused to the end is final for a minute, and says for whom it was") {
    life_world w;
    w.server.age = 0s;
    w.server.audience = "https://other.example";
    w.sign_in();
    const auto request = refused_to_the_end(w);
    w.settle();
    CHECK(code_of(w, request) == fault::reauth_failed);
    const auto& why = w.answers[request].front().why;
    CHECK(why.message.find("just obtained by login") != std::string::npos);
    CHECK(why.message.find("which is for https://other.example") != std::string::npos);
    const auto next = w.refuse();
    w.settle();
    CHECK(code_of(w, next) == fault::reauth_failed);
    CHECK(w.runs == 0);
    CHECK(w.open.empty());
    w.pass(61s);
    w.refuse();
    w.settle();
    CHECK(w.runs == 1);
    holds(w);
}

TEST_CASE("life: a refresh whose token is refused to the end asks a person, once") {
    life_world w;
    w.sign_in();
    w.server.age = 0s;
    w.refuse();
    w.settle();
    REQUIRE(w.runs == 1);
    const auto request = refused_to_the_end(w);
    w.settle();
    REQUIRE(w.open.size() == 1);
    w.come_back(w.send_to_provider());
    w.settle();
    CHECK(replayed(w, request));
    const auto again = refused_to_the_end(w);
    w.settle();
    CHECK(code_of(w, again) == fault::reauth_failed);
    CHECK(w.open.empty());
    CHECK(w.runs == 1);
    holds(w);
}

TEST_CASE("life: metadata is not looked up before the time that its server has named") {
    life_world w;
    const auto first = w.refuse();
    const auto look = *w.next_of<life::discover>();
    w.works.clear();
    w.tell(life::discovered{look.work, world_trouble(30s)});
    CHECK(code_of(w, first) == fault::authorization_server_unavailable);
    w.pass(10s);
    const auto early = w.refuse();
    CHECK_FALSE(w.next_of<life::discover>());
    CHECK(w.answers[early].front().why.fix == "it is tried again in 20 s");
    w.pass(21s);
    w.refuse();
    CHECK(w.next_of<life::discover>());
    w.settle();
    CHECK(w.only_question().size() > 0);
    holds(w);
}

TEST_CASE("life: nobody asks a server before the time that it has named") {
    life_world w;
    w.sign_in();
    const auto first = w.refuse();
    const auto second = w.refuse();
    w.send_refresh();
    const auto run = *w.next_of<life::run>();
    w.works.clear();
    w.tell(life::flow_ended{run.work, world_trouble(30s)});
    for (const auto request : {first, second}) {
        CHECK(code_of(w, request) == fault::authorization_server_unavailable);
        CHECK(w.answers[request].front().why.fix == "it is tried again in 30 s");
        CHECK(w.answers[request].front().why.retry_after == 30s);
    }
    w.settle();
    w.pass(10s);
    const auto early = w.refuse();
    w.tell(life::renewal_due{w.machine.held()->generation});
    w.settle();
    CHECK(w.answers[early].front().why.fix == "it is tried again in 20 s");
    CHECK(w.runs == 1);
    CHECK(w.open.empty());
    w.pass(20s);
    const auto later = w.refuse();
    w.settle();
    CHECK(replayed(w, later));
    CHECK(w.runs == 2);
    holds(w);
}

TEST_CASE("life: what another process, or an earlier run, was asked to wait is kept") {
    life_world w;
    w.sign_in();
    w.vault.not_before = w.now + 30s;
    const auto early = w.refuse();
    w.settle();
    CHECK(code_of(w, early) == fault::authorization_server_unavailable);
    CHECK(w.answers[early].front().why.fix == "it is tried again in 30 s");
    CHECK(w.runs == 0);
    w.pass(30s);
    const auto later = w.refuse();
    w.settle();
    CHECK(replayed(w, later));
    holds(w);
}

TEST_CASE("life: of two step-ups that wait the second keeps what the first was granted") {
    life_world w;
    w.sign_in();
    const auto a = w.refuse(challenge_kind::insufficient_scope, "a");
    w.settle();
    const auto first = w.only_question();
    const auto b = w.refuse(challenge_kind::insufficient_scope, "b");
    w.settle();
    REQUIRE(w.open.size() == 2);
    const auto second = w.told.at(b);
    REQUIRE(second != first);
    SECTION("one after the other") {
        w.approve(first);
        w.settle();
        w.come_back(first);
        w.settle();
        CHECK(replayed(w, a));
        w.approve(second);
        w.settle();
    }
    SECTION("both at the provider at once") {
        w.approve(first);
        w.settle();
        w.approve(second);
        w.settle();
        w.come_back(first);
        w.settle();
    }
    CHECK(w.open.at(second).requested == (scope_set{"read", "b", "a"}));
    w.come_back(second);
    w.settle();
    CHECK(replayed(w, b));
    CHECK(w.machine.held()->granted.covers(scope_set{"read", "a", "b"}));
    CHECK(w.open.empty());
    holds(w);
}
