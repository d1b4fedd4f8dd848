// What a sign-in is begun with: as its question, and what the provider has said before, want it.
#include "tests/unit/policy/life_checks.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

/// The person is back, and the redemption ends so.
void come_back_refused(life_world& w, const std::string& id, const std::string& word,
                       bool register_scopes = false) {
    REQUIRE(w.come_back(id));
    const auto redeem = *w.next_of<life::redeem>();
    w.works.clear();
    life::flow_ended end{redeem.work, failure::permanent(fault::reauth_failed, "no").with_oauth_error(word)};
    end.client_unknown = end.register_scopes = register_scopes;
    w.tell(end);
    w.settle();
}

const life::begin_sign_in& begun(life_world& w, const std::string& id) {
    w.approve(id);
    const auto* begin = w.next_of<life::begin_sign_in>();
    REQUIRE(begin);
    return *begin;
}

} // namespace

TEST_CASE("life: a fresh sign-in that the server wants is a question of its own, begun with what it wants") {
    life_world w;
    w.sign_in();
    life::refused e;
    e.request = ++w.requests;
    e.what.challenge.kind = challenge_kind::user_authentication;
    e.what.challenge.acr_values = "mfa";
    e.what.challenge.max_age = 60s;
    e.what.sent_generation = e.what.first_generation = 1;
    e.what.operations.push_back({"tools/call", "echo"});
    w.waiting.insert(e.request);
    w.tell(e);
    w.settle();
    CHECK(w.runs == 0);
    const auto id = w.only_question();
    CHECK(w.open.at(id).reason == "user_authentication");
    const auto begin = begun(w, id);
    CHECK(begin.acr_values == "mfa");
    CHECK(begin.max_age == 60s);
    w.settle();
    w.come_back(id);
    w.settle();
    CHECK(replayed(w, e.request));
    holds(w);
}

TEST_CASE(
    "life: a code that the provider takes back until the person signs in again: the next login prompts") {
    for (const char* word : {"interaction_required", "login_required"}) {
        life_world w;
        const auto request = w.refuse(challenge_kind::unauthorized, "read");
        const auto id = w.send_to_provider();
        come_back_refused(w, id, word);
        CHECK(w.only_question() == id);
        CHECK(begun(w, id).prompt_login);
        w.settle();
        come_back_refused(w, id, word); // once more is final
        CHECK(code_of(w, request) == fault::reauth_failed);
    }
}

TEST_CASE("life: a client that is allowed no scope is registered anew, with them") {
    life_world w;
    const auto request = w.refuse(challenge_kind::unauthorized, "read");
    const auto id = w.send_to_provider();
    come_back_refused(w, id, "invalid_scope", true);
    CHECK(w.only_question() == id);
    CHECK(begun(w, id).register_scopes);
    w.settle();
    w.come_back(id);
    w.settle();
    CHECK(replayed(w, request));
    holds(w);
}

TEST_CASE("life: while a sign-in is begun, whoever waits is told whose answer is missing") {
    life_world w;
    const auto request = w.refuse();
    w.settle();
    const auto id = w.only_question();
    w.approve(id);
    const auto last = [&] { return w.waiting_told.at(request); };
    CHECK(last().trouble.find("has not answered yet") != std::string::npos);
    REQUIRE(w.end<life::begin_sign_in>());
    w.settle();
    CHECK(last().trouble.empty());
}
