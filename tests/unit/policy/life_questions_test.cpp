// What a credential's life asks persons: approvals that are approved, denied, superseded or expire.
#include "tests/unit/policy/life_checks.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

TEST_CASE(
    "life: a question that is denied while a second approve waits answers both with the outcome (fault 2)") {
    life_world w;
    w.refuse();
    w.settle();
    const auto id = w.only_question();
    const auto page = w.approve(id, approver::link_holder, true);
    w.end<life::begin_sign_in>();
    const auto api = w.approve(id); // the vault is busy taking the browser's binding off
    w.deny(id);
    w.settle();
    CHECK(w.approve_answers[page].front().answer.has_value());
    REQUIRE_FALSE(w.approve_answers[api].front().answer.has_value());
    CHECK(w.approve_answers[api].front().answer.error().message.find("denied") != std::string::npos);
    holds(w);
}

TEST_CASE("life: a denied approval stays denied, whatever the provider sends (fault 4)") {
    life_world w;
    const auto request = w.refuse();
    const auto id = w.send_to_provider();
    SECTION("before the person comes back") {
        w.deny(id);
        w.settle();
        CHECK(w.come_back(id) == 0); // its flow is gone from the vault
    }
    SECTION("between the look at the flow and the machine") {
        life::callback_arrived late{99, w.begun[id], {}, {}};
        w.deny(id);
        w.tell(late);
        CHECK_FALSE(w.callback_answers[99].front().ok);
        CHECK(w.callback_answers[99].front().detail.find("Denied.") != std::string::npos);
        CHECK_FALSE(w.next_of<life::redeem>());
    }
    SECTION("while the code is redeemed") {
        w.come_back(id);
        w.deny(id);
        w.settle();
        CHECK(w.server.revoked(w.issued.front().value));
    }
    SECTION("while the credential is stored") {
        w.come_back(id);
        w.end<life::redeem>();
        w.deny(id);
        w.settle();
        CHECK(w.server.revoked(w.issued.front().value));
        CHECK_FALSE(w.vault.value.has_value());
    }
    CHECK(code_of(w, request) == fault::approval_denied);
    CHECK_FALSE(w.machine.held());
    w.check_rest();
    holds(w);
}

TEST_CASE("life: a confirmed step-up that is denied while it is minted is not used (fault 4)") {
    life_world w(confirmed_target());
    w.refuse();
    w.settle();
    REQUIRE(w.machine.held());
    const auto before = token_of(w.machine.held());
    const auto request = w.refuse(challenge_kind::insufficient_scope, "write");
    w.settle();
    const auto id = w.only_question();
    const auto caller = w.approve(id);
    w.end<life::lock>();
    w.end<life::look>();
    REQUIRE(w.next_of<life::run>());
    SECTION("at the token endpoint") {}
    SECTION("on its way into the vault") {
        w.end<life::run>();
        REQUIRE(w.next_of<life::store>());
    }
    w.deny(id);
    w.settle();
    CHECK(token_of(w.machine.held()) == before);
    CHECK(token_of(w.vault.value ? &*w.vault.value : nullptr) == before);
    CHECK(w.kept_for_sign_out(w.issued.back().value));
    CHECK_FALSE(w.approve_answers[caller].front().answer.has_value());
    CHECK(code_of(w, request) == fault::approval_denied);
    w.check_rest();
    holds(w);
}

TEST_CASE("life: a denial touches its own question alone, a refresh under way is kept") {
    life_world w;
    w.sign_in();
    w.refuse(challenge_kind::insufficient_scope, "write");
    w.settle();
    const auto step_up = w.only_question();
    const auto request = w.refuse();
    w.end<life::discover>();
    w.end<life::lock>();
    w.deny(step_up);
    w.settle();
    CHECK(replayed(w, request));
    CHECK(w.machine.held()->generation == 2);
    holds(w);
}

TEST_CASE("life: two approve calls at once get the same location (fault 6)") {
    life_world w;
    w.refuse();
    w.settle();
    const auto id = w.only_question();
    const auto one = w.approve(id), two = w.approve(id);
    w.settle();
    const auto three = w.approve(id);
    REQUIRE(w.approve_answers[one].front().answer.has_value());
    CHECK(w.approve_answers[one].front().answer->location == w.approve_answers[two].front().answer->location);
    CHECK(w.approve_answers[three].front().answer->location ==
          w.approve_answers[two].front().answer->location);
    CHECK(w.begun.size() == 1);
}

TEST_CASE("life: an upstream that varies its scopes opens a handful of approvals (fault 10)") {
    life_world w;
    std::size_t refused = 0;
    for (int i = 0; i < 3000; ++i) {
        const auto id = w.refuse(challenge_kind::unauthorized, "scope-" + std::to_string(i));
        w.settle();
        if (w.answers.contains(id)) {
            ++refused;
            CHECK(code_of(w, id) == fault::overloaded);
        }
    }
    CHECK(w.open.size() == approval_set::at_once);
    CHECK(refused == 3000 - approval_set::at_once);
    holds(w);
}

TEST_CASE("life: a wider question takes the place of a narrower one that nobody has acted on") {
    life_world w;
    const auto narrow = w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    const auto first = w.only_question();
    const auto wide = w.refuse(challenge_kind::unauthorized, "read write");
    w.settle();
    const auto second = w.only_question();
    CHECK(first != second);
    CHECK(w.closed[first].status == approval_status::superseded);
    CHECK(w.told[narrow] == second);
    w.approve(second);
    w.settle();
    w.come_back(second);
    w.settle();
    CHECK(replayed(w, narrow));
    CHECK(replayed(w, wide));
    holds(w);
}

TEST_CASE("life: from the second denial in a row nobody is asked for a while") {
    life_world w;
    for (int i = 0; i < 2; ++i) {
        w.refuse();
        w.settle();
        w.deny(w.only_question());
    }
    const auto third = w.refuse();
    w.settle();
    CHECK(code_of(w, third) == fault::approval_denied);
    CHECK(w.open.empty());
    life::login_asked operators;
    operators.caller = 77;
    w.tell(operators);
    w.settle();
    CHECK(w.login_answers[77].front().has_value());
    CHECK(w.open.size() == 1);
}

TEST_CASE("life: an approval expires at its time, and a click a moment later finds it so") {
    life_world w;
    const auto request = w.refuse();
    w.settle();
    const auto id = w.only_question();
    w.now += 15min;
    const auto caller = w.approve(id);
    CHECK(w.closed[id].status == approval_status::expired);
    CHECK_FALSE(w.approve_answers[caller].front().answer.has_value());
    CHECK(code_of(w, request) == fault::approval_timeout);
}

TEST_CASE("life: the link alone can't complete what needs no login") {
    life_world w(confirmed_target());
    w.refuse();
    w.settle();
    w.refuse(challenge_kind::insufficient_scope, "write");
    w.settle();
    const auto id = w.only_question();
    const auto caller = w.approve(id, approver::link_holder, true);
    CHECK(w.approve_answers[caller].front().answer.error().code == fault::approval_required);
    CHECK(w.open.contains(id));
    w.approve(id);
    w.settle();
    CHECK(w.closed[id].status == approval_status::approved);
    CHECK(w.machine.held()->granted.covers(scope_set{"write"}));
    holds(w);
}
