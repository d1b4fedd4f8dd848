// The life of a credential whose person signs in on another device.
#include "tests/unit/policy/life_checks.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

/// One request waits, and its person has a code.
struct with_code : life_world {
    life::request_id request;
    std::string id;
    with_code() {
        request = refuse(challenge_kind::unauthorized, "read");
        settle();
        id = only_question();
        by(sign_in_method::device);
    }
    life::caller_id by(sign_in_method method) {
        const auto caller = approve(id, approver::operator_token, false, method);
        end<life::begin_sign_in>();
        return caller;
    }
};

} // namespace

TEST_CASE("life: a device login shows a code, and goes on when the person is done") {
    with_code w;
    CHECK(w.open.at(w.id).status == approval_status::authorizing);
    CHECK(w.open.at(w.id).user_code == "CODE-0.1");
    const auto again = w.approve(w.id);
    CHECK(w.approve_answers[again].front().answer->user_code == "CODE-0.1");
    REQUIRE(w.end<life::await_device>());
    w.settle();
    CHECK(replayed(w, w.request));
    CHECK(w.answers[w.request].front().person_waited);
    CHECK(w.closed.at(w.id).status == approval_status::approved);
    CHECK(w.vault.value.has_value());
    holds(w);
}

TEST_CASE("life: a code that expires puts the question back, and another one may be asked for") {
    with_code w;
    REQUIRE(w.end<life::await_device>(ending::trouble));
    CHECK(w.open.at(w.id).status == approval_status::pending);
    CHECK(w.open.at(w.id).user_code.empty());
    CHECK_FALSE(w.open.at(w.id).outcome.empty());
    w.by(sign_in_method::device);
    CHECK(w.open.at(w.id).user_code == "CODE-0.2");
    REQUIRE(w.end<life::await_device>());
    w.settle();
    CHECK(replayed(w, w.request));
    holds(w);
}

TEST_CASE("life: a device login that is refused at the provider answers who waits") {
    with_code w;
    REQUIRE(w.end<life::await_device>(ending::refusal));
    w.settle();
    CHECK(code_of(w, w.request) == fault::approval_denied);
    CHECK(w.closed.at(w.id).status == approval_status::denied);
    holds(w);
}

TEST_CASE("life: a device login that was denied here brings nothing, whatever its person does") {
    with_code w;
    w.deny(w.id);
    CHECK(w.vault.flows.empty());
    REQUIRE(w.end<life::await_device>());
    w.settle();
    CHECK_FALSE(w.machine.held());
    holds(w);
    w.check_rest();
}

TEST_CASE("life: a person with a code may take the browser instead, and the other way round") {
    with_code w;
    const auto state = w.begun.at(w.id).state;
    w.by(sign_in_method::browser);
    CHECK(w.open.at(w.id).user_code.empty());
    CHECK_FALSE(w.vault.flows.contains(std::string(state.reveal())));
    CHECK(w.end<life::await_device>()); // it finds its flow gone
    CHECK(w.open.at(w.id).status == approval_status::authorizing);
    w.by(sign_in_method::device);
    CHECK_FALSE(w.open.at(w.id).user_code.empty());
    REQUIRE(w.end<life::await_device>());
    w.settle();
    CHECK(replayed(w, w.request));
    holds(w);
}

TEST_CASE("life: a device login outlives the process that began it") {
    with_code w;
    auto told = w.shared.at(w.id);
    life_world after(world_target(), w.commons);
    after.begun = w.begun;
    after.tell(life::remote_approval{told});
    CHECK(after.open.at(w.id).user_code == "CODE-0.1");
    REQUIRE(after.end<life::await_device>());
    after.settle();
    CHECK(after.machine.held());
    // the first process, had it lived, finds the flow gone and waits for news
    CHECK(w.end<life::await_device>());
    CHECK(w.open.at(w.id).status == approval_status::authorizing);
    holds(after);
}
