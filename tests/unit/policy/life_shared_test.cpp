// Questions that all processes on a vault share: shown, decided and finished by any of them.
#include "tests/unit/policy/life_checks.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

TEST_CASE("life: a question of another process is joined by whoever needs the same") {
    life_world w;
    const auto id = w.rival_asks({"read"});
    CHECK(w.only_question() == id);
    const auto r = w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    CHECK(w.told.at(r) == id);
    CHECK(w.open.size() == 1);
    REQUIRE(w.rival_approves(id));
    w.settle();
    CHECK(replayed(w, r));
    CHECK(token_of(w.machine.held()) == w.vault.value->access_token.reveal());
    w.check_rest();
    holds(w);
}

TEST_CASE(
    "life: of two questions that were opened at once the vault's stays, and who waits learns its link") {
    life_world w;
    const auto r = w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    const auto ours = w.only_question();
    const auto theirs = w.rival_asks({"read"});
    CHECK(w.only_question() == theirs);
    CHECK(w.closed.at(ours).status == approval_status::superseded);
    CHECK(w.told.at(r) == theirs);
    CHECK(w.shared.at(ours).shown.status == approval_status::superseded); // in case the vault heard of it
    w.rival_approves(theirs, true);
    w.settle();
    CHECK(replayed(w, r));
    holds(w);
}

TEST_CASE("life: a person who approves the one that gives way is sent on to the one that stays") {
    life_world w;
    w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    const auto ours = w.only_question();
    const auto caller = w.approve(ours); // its flow is being prepared
    const auto theirs = w.rival_asks({"read"});
    REQUIRE(w.approve_answers.at(caller).size() == 1);
    CHECK(w.passed_on.at(caller) == theirs);
    w.settle();
    CHECK(w.only_question() == theirs);
    holds(w);
}

TEST_CASE("life: a denial at another process answers who waits here, and counts as a denial") {
    life_world w;
    const auto r = w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    const auto id = w.only_question();
    REQUIRE(w.rival_ends(id, approval_status::denied));
    CHECK(code_of(w, r) == fault::approval_denied);
    const auto again = w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    REQUIRE(w.rival_ends(w.only_question(), approval_status::denied));
    CHECK(code_of(w, again) == fault::approval_denied);
    const auto third = w.refuse(challenge_kind::unauthorized, "read"); // the second in a row: a pause
    w.settle();
    CHECK(w.open.empty());
    CHECK(code_of(w, third) == fault::approval_denied);
    holds(w);
}

TEST_CASE("life: a flow that another process began is the one everybody is sent to, and ends here") {
    life_world w;
    const auto r = w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    const auto id = w.only_question();
    REQUIRE(w.rival_begins(id));
    CHECK(w.open.at(id).status == approval_status::authorizing);
    const auto caller = w.approve(id);
    CHECK(w.approve_answers.at(caller).front().answer->location == w.shared.at(id).shown.location);
    REQUIRE(w.come_back(id) != 0);
    w.settle();
    CHECK(replayed(w, r));
    CHECK(w.shared.at(id).shown.status == approval_status::approved);
    holds(w);
}

TEST_CASE("life: a callback is taken although nobody has told us yet that its flow was begun") {
    life_world w;
    const auto r = w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    const auto id = w.only_question();
    pending_authorization flow;
    flow.approval_id = id;
    flow.upstream = "up";
    flow.scopes = {"read"};
    flow.state = secret("state of another process");
    flow.server = world_metadata().server;
    w.begun[id] = flow;
    w.vault.flows.insert("state of another process");
    const auto caller = w.come_back(id);
    REQUIRE(caller != 0);
    w.settle();
    CHECK(w.callback_answers.at(caller).front().ok);
    CHECK(replayed(w, r));
    holds(w);
}

TEST_CASE("life: who approves while another process is faster is told that it is done") {
    for (const bool by_callback : {true, false}) {
        life_world w;
        w.refuse(challenge_kind::unauthorized, "read");
        w.settle();
        const auto id = w.only_question();
        const auto caller = w.approve(id); // its flow is being prepared
        if (by_callback) {
            REQUIRE(w.rival_begins(id)); // not heard of while ours is being prepared
            REQUIRE(w.come_back(id) != 0);
            w.settle();
        } else {
            REQUIRE(w.rival_approves(id));
        }
        REQUIRE(w.approve_answers.contains(caller));
        CHECK(w.approve_answers.at(caller).front().answer->done);
        w.settle();
        w.check_rest();
        holds(w);
    }
}

TEST_CASE("life: an approval elsewhere is believed only with what came of it") {
    life_world w;
    const auto r = w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    const auto id = w.only_question();
    REQUIRE(w.rival_ends(id, approval_status::approved)); // and nothing is stored
    REQUIRE(w.next_of<life::look>());                     // the vault is asked before a person is asked again
    w.settle();
    CHECK_FALSE(replayed(w, r));
    CHECK(w.open.size() == 1);
    holds(w);
}

TEST_CASE("life: questions of an earlier run are taken up where they stood") {
    life_world before;
    before.refuse(challenge_kind::unauthorized, "read");
    const auto id = before.send_to_provider();
    life_world w;
    w.tell(life::remote_approval{before.shared.at(id)});
    CHECK(w.only_question() == id);
    CHECK(w.open.at(id).status == approval_status::authorizing);
    CHECK(w.open.at(id).link_secret == before.open.at(id).link_secret);
    w.begun[id] = before.begun.at(id);
    w.vault.flows = before.vault.flows;
    const auto caller = w.come_back(id);
    w.settle();
    CHECK(w.callback_answers.at(caller).front().ok);
    CHECK(w.machine.held());
    holds(w);
}

TEST_CASE("life: a question about another server of the same name is none of ours") {
    life_world w;
    approval_record other;
    other.name = "up";
    other.place = binding_place("https://elsewhere.example/mcp", "auto");
    other.login_scopes = other.shown.requested = {"read"};
    other.shown.id = "other";
    other.shown.expires_at = w.now + 15min;
    w.tell(life::remote_approval{other});
    CHECK(w.open.empty());
    const auto r = w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    CHECK(w.told.at(r) != "other");
    holds(w);
}

TEST_CASE("life: what is too old, or was decided here, is not opened again") {
    life_world w;
    w.refuse(challenge_kind::unauthorized, "read");
    w.settle();
    const auto id = w.only_question();
    const auto open = w.shared.at(id);
    w.deny(id);
    w.tell(life::remote_approval{open}); // told late
    CHECK(w.open.empty());
    auto old = open;
    old.shown.id = "old";
    w.pass(16min);
    w.tell(life::remote_approval{old});
    CHECK(w.open.empty());
    holds(w);
}

TEST_CASE("life: a question whose sign-in came through before its process died is closed") {
    life_world w;
    approval_record left;
    left.name = "up";
    left.place = binding_place(w.machine.whose().url, w.machine.whose().resource);
    left.login_scopes = left.shown.requested = {"read"};
    left.shown.id = "left";
    left.shown.created_at = w.now;
    left.shown.expires_at = w.now + 15min;
    w.shared["left"] = left;
    w.now += 1min;
    w.server.now = w.now;
    w.rival_stores(1);
    w.tell(life::loaded{w.vault.state()});
    w.tell(life::remote_approval{left});
    CHECK(w.open.empty());
    CHECK(w.shared.at("left").shown.status == approval_status::approved);
    holds(w);
}

TEST_CASE("life: what was held before another process asked is no answer to its question") {
    life_world w;
    w.sign_in();
    approval_record theirs; // they have signed out, or were refused with what we hold
    theirs.name = "up";
    theirs.place = binding_place(w.machine.whose().url, w.machine.whose().resource);
    theirs.login_scopes = theirs.shown.requested = {"read"};
    theirs.generation = w.machine.held()->generation;
    theirs.shown.id = "theirs";
    theirs.shown.created_at = w.now;
    theirs.shown.expires_at = w.now + 15min;
    w.shared["theirs"] = theirs;
    w.tell(life::remote_approval{theirs});
    CHECK(w.only_question() == "theirs");
    holds(w);
}

TEST_CASE("life: a refresh that another process was killed in is told as what it is") {
    life_world w;
    w.sign_in();
    const auto r = w.refuse();
    REQUIRE(w.end<life::discover>());
    REQUIRE(w.end<life::lock>());
    const auto* look = w.next_of<life::look>();
    REQUIRE(look);
    CHECK(look->under_lock);
    auto state = w.vault.state();
    state.interrupted = true;
    const auto work = look->work;
    w.works.clear();
    w.tell(life::looked{work, state});
    REQUIRE(w.end<life::run>(ending::refusal)); // the old token is tried: a server may tolerate it
    w.settle();
    const auto id = w.only_question();
    CHECK(w.told.at(r) == id);
    CHECK(w.open.at(id).outcome.find("rotated just as an mcp-reauth process was ended") != std::string::npos);
    holds(w);
}

TEST_CASE("life: a confirmed question of another process looks for its server first") {
    life_world w(confirmed_target());
    w.refuse(challenge_kind::unauthorized);
    w.settle();
    approval_record q;
    {
        life_world other(confirmed_target());
        other.refuse(challenge_kind::unauthorized);
        other.settle();
        other.refuse(challenge_kind::insufficient_scope, "write");
        other.settle();
        q = other.shared.at(other.only_question());
    }
    life_world fresh(confirmed_target());
    fresh.tell(life::remote_approval{q});
    const auto caller = fresh.approve(q.shown.id);
    REQUIRE(fresh.next_of<life::discover>());
    fresh.settle();
    REQUIRE(fresh.approve_answers.contains(caller));
    CHECK(fresh.approve_answers.at(caller).front().answer->done);
    CHECK(fresh.machine.held());
    holds(fresh);

    life_world lost(confirmed_target());
    lost.tell(life::remote_approval{q});
    const auto in_vain = lost.approve(q.shown.id);
    REQUIRE(lost.end<life::discover>(ending::trouble));
    CHECK(lost.approve_answers.at(in_vain).front().answer.has_error());
    CHECK(lost.only_question() == q.shown.id); // it stays open
    holds(lost);
}

TEST_CASE("life: a sign-out elsewhere does not cover a login whose number only our unsaved credential had") {
    life_world w;
    w.sign_in();
    w.vault.writable = false;
    for (int i = 0; i < 2; ++i) { // two renewals that could not be stored: numbers that the vault never saw
        w.refuse();
        w.settle();
    }
    REQUIRE_FALSE(w.machine.saved());
    REQUIRE(w.machine.held()->generation == 3);
    w.vault.writable = true;
    w.rival_signs_out();
    REQUIRE(w.vault.generation == 2);
    w.tell(life::vault_changed{w.vault.state()});
    CHECK_FALSE(w.machine.held());
    w.rival_stores(3);
    w.tell(life::vault_changed{w.vault.state()});
    CHECK(token_of(w.machine.held()) == w.vault.value->access_token.reveal());
    holds(w);
}

TEST_CASE("a shared question is read as it was written") {
    approval_record q;
    q.session = true;
    q.name = "acme";
    q.place = binding_place("https://idp.example/x", "client");
    q.login_scopes = {"openid"};
    q.silent_scopes = {"read", "write"};
    q.silent = {recovery_step::enterprise_mint, recovery_step::refresh};
    q.person = recovery_step::idp_login;
    q.step_up = true;
    q.generation = 7;
    q.rule = "a rule";
    q.resource_metadata = "https://mcp.example/prm";
    q.pending_state = secret("state");
    q.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
    q.browser_binding = secret("cookie");
    auto& a = q.shown;
    a.id = "id";
    a.link_secret = secret("link");
    a.kind = approval_kind::idp_login;
    a.status = approval_status::authorizing;
    a.upstream = "up";
    a.principal = "ada";
    a.reason = "unauthorized";
    a.granted = {"a"};
    a.requested = {"b"};
    a.added = {"c"};
    a.tool = "tool";
    a.method = "tools/call";
    a.client_name = "client \xff not UTF-8";
    a.upstream_host = "h1";
    a.issuer = "https://as.example";
    a.login_host = "h2";
    a.token_host = "h3";
    a.completes_without_login = true;
    a.created_at = world_start;
    a.expires_at = world_start + 15min;
    a.location = "https://as.example/authorize";
    a.outcome = "so far";
    const auto read = record_from_json(record_to_json(q));
    REQUIRE(read.has_value());
    CHECK(record_to_json(*read).reveal() == record_to_json(q).reveal());
    CHECK(read->silent == q.silent);
    CHECK(read->shown.status == a.status);
    CHECK(read->shown.expires_at == a.expires_at);
    CHECK(read->browser_binding->equals("cookie"));
    CHECK(record_from_json(secret("{}")).has_error());
    CHECK(record_from_json(secret("nonsense")).has_error());
}
