// The life of a credential, without sockets: what once went wrong, each by its name, and the rules of the
// machine.
#include "tests/support/life_world.hpp"

#include <catch2/catch.hpp>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

rule confirming(const std::string& reason = "insufficient_scope") {
    rule r;
    r.name = "asks first";
    if (!reason.empty())
        r.match.reason = {challenge_reason::insufficient_scope};
    r.action = rule_action::confirm;
    return r;
}

/// A machine grant whose step-up a person confirms.
life::target confirmed_target() {
    auto t = world_target(grant_kind::client_credentials);
    t.rules = world_rules({confirming()});
    return t;
}

void holds(const life_world& w) {
    for (const auto& b : w.broken)
        FAIL_CHECK(b);
}

fault code_of(const life_world& w, life::request_id id) {
    const auto found = w.answers.find(id);
    REQUIRE(found != w.answers.end());
    return found->second.front().why.code;
}

bool replayed(const life_world& w, life::request_id id) {
    const auto found = w.answers.find(id);
    return found != w.answers.end() && found->second.front().is == life::verdict::replay;
}

std::string token_of(const credential* c) {
    return c ? std::string(c->access_token.reveal()) : "";
}

} // namespace

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

TEST_CASE("life: a sign-out sticks, whatever was under way, and what comes home is revoked (fault 3)") {
    life_world w;
    w.sign_in();
    w.refuse();
    w.end<life::discover>();
    w.end<life::lock>();
    w.end<life::look>();
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
    w.settle();
    const auto id = w.only_question();
    w.approve(id);
    w.settle();
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

TEST_CASE("life: a denied approval stays denied, whatever the provider sends (fault 4)") {
    life_world w;
    const auto request = w.refuse();
    w.settle();
    const auto id = w.only_question();
    w.approve(id);
    w.settle();
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
    CHECK(w.server.revoked(w.issued.back().value));
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
    w.settle();
    w.approve(w.only_question());
    w.settle();
    w.vault.writable = false;
    w.come_back(w.open.begin()->first);
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
    w.settle();
    w.approve(w.only_question());
    w.settle();
    w.vault.writable = false;
    w.come_back(w.open.begin()->first);
    w.settle();
    REQUIRE(replayed(w, request));
    // a process with the old configuration renews what it holds, and we hear of it
    w.vault.writable = true;
    REQUIRE(w.rival_renews());
    REQUIRE(w.rival_renews());
    w.tell(life::news{w.vault.state()});
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
    w.settle();
    w.approve(w.only_question());
    w.settle();
    w.vault.writable = false;
    w.come_back(w.open.begin()->first);
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

TEST_CASE("life: a sign-out closes the questions, and approving one says so (fault 7)") {
    life_world w;
    w.sign_in();
    w.refuse(challenge_kind::insufficient_scope, "write");
    w.settle();
    const auto id = w.only_question();
    w.approve(id);
    w.settle();
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
            work, failure{fault::reauth_failed, "upstream up refuses the configured token", "", "", false}});
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
    CHECK(again.audits[0].how == "bound elsewhere");
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
    CHECK(w.open.size() == credential_life::questions_at_once);
    CHECK(refused == 3000 - credential_life::questions_at_once);
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

TEST_CASE("life: a store that meets something newer adopts it and gives ours back") {
    life_world w;
    w.sign_in();
    const auto request = w.refuse();
    w.end<life::discover>();
    w.end<life::lock>();
    w.end<life::look>();
    w.end<life::run>();
    auto theirs = w.server.issue(scope_set{"read"});
    theirs.origin = "https://mcp.example";
    theirs.generation = w.vault.generation = 5;
    w.vault.value = theirs;
    w.settle();
    CHECK(replayed(w, request));
    CHECK(w.machine.held()->generation == 5);
    CHECK(w.server.revoked(w.issued.back().value));
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
        w.tell(life::news{w.vault.state()});
        w.settle();
    }
    CHECK_FALSE(w.machine.held());
    CHECK(w.runs == 0);
    CHECK(w.told[request] == w.only_question()); // it is judged anew
    holds(w);
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
    w.end<life::discover>();
    w.end<life::lock>();
    w.end<life::look>();
    w.end<life::run>(ending::refusal);
    REQUIRE(w.next_of<life::look>());
    SECTION("where another holder has won") {
        auto theirs = w.server.issue(scope_set{"read"});
        theirs.origin = "https://mcp.example";
        theirs.generation = w.vault.generation = 2;
        w.vault.value = theirs;
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

TEST_CASE("life: a stream that may ask nobody waits for whatever comes") {
    life_world w;
    const auto stream = w.refuse(challenge_kind::unauthorized, "", person_use::only_waits);
    w.settle();
    CHECK(w.open.empty());
    w.sign_in();
    CHECK(replayed(w, stream));
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
    w.settle();
    const auto id = w.only_question();
    w.approve(id);
    w.settle();
    life_world again;
    again.vault = w.vault;
    again.begun = w.begun;
    const auto back = again.come_back(id);
    again.settle();
    CHECK(again.callback_answers[back].front().ok);
    CHECK(again.machine.held());
    holds(again);
}
