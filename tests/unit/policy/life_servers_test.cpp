// The life of a credential at servers of the field: what is known of them stays known, and refusals in every
// form lead on.
#include "core/oauth/credential_json.hpp"
#include "tests/unit/policy/life_checks.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

failure bare_refusal() {
    failure f = failure::permanent(fault::reauth_failed, "the token endpoint answered status 403: Forbidden",
                                   "log in again");
    f.status = 403;
    return f;
}

/// The process ends and another one takes up what the vault holds.
std::unique_ptr<life_world> restarted(life_world& before, credential_binding whose = world_target()) {
    auto after = std::make_unique<life_world>(std::move(whose), before.commons);
    after->now = before.now;
    after->tell(life::loaded{before.vault.state()});
    return after;
}

life::request_id notice_of_expiry(life_world& w) {
    life::refused e;
    e.request = ++w.requests;
    e.what.challenge.kind = challenge_kind::token_expired;
    e.what.notice_only = true;
    e.what.sent_generation = e.what.first_generation = w.machine.held()->generation;
    e.what.operations.push_back({"tools/call", "echo"});
    w.waiting.insert(e.request);
    w.tell(e);
    return e.request;
}

/// A request for which the credential was renewed is refused again.
life::request_id refused_once_more(life_world& w, bool in_session) {
    life::refused e;
    e.request = ++w.requests;
    e.what.challenge.kind = challenge_kind::invalid_token;
    e.what.operations.push_back({"tools/call", "echo"});
    e.what.sent_generation = w.machine.held()->generation;
    e.what.first_generation = e.what.sent_generation - 1;
    e.what.in_session = in_session;
    w.waiting.insert(e.request);
    w.tell(e);
    w.settle();
    return e.request;
}

} // namespace

TEST_CASE("life: after a restart a refresh needs no discovery") {
    life_world w;
    w.sign_in();
    REQUIRE(w.vault.value->found);
    CHECK(w.vault.value->found->server.token_endpoint == world_metadata().server.token_endpoint);
    w.vault.value = credential_from_json(credential_to_json(*w.vault.value)).value();
    auto after = restarted(w);
    after->now += 1h;
    const auto id = notice_of_expiry(*after);
    CHECK_FALSE(after->next_of<life::discover>());
    after->settle();
    CHECK(replayed(*after, id));
    CHECK(after->open.empty());
    holds(*after);
}

TEST_CASE("life: what an upstream says anew is looked for where its credential was found") {
    auto found = world_metadata();
    found.prm_url = "https://mcp.example/meta";
    life_world w;
    w.refuse(challenge_kind::unauthorized);
    const auto work = w.next_of<life::discover>()->work;
    w.works.clear();
    w.tell(life::discovered{work, found});
    w.settle();
    w.come_back(w.send_to_provider());
    w.settle();
    auto after = restarted(w);
    after->refuse(); // long before its time: the upstream may have moved
    REQUIRE(after->next_of<life::discover>());
    CHECK(after->next_of<life::discover>()->resource_metadata == "https://mcp.example/meta");
    after->end<life::discover>(ending::trouble); // and what was known stays in force
    after->settle();
    CHECK(after->open.empty());
    holds(*after);
}

TEST_CASE("life: what a credential remembers gives way to the configuration") {
    life_world w;
    w.sign_in();
    auto named = world_target();
    named.issuer = "https://other.example";
    auto after = restarted(w, named);
    after->now += 1h;
    notice_of_expiry(*after);
    CHECK(after->next_of<life::discover>());
    auto endpoints = world_target();
    endpoints.server.token_endpoint = "https://as.example/t2";
    auto overridden = restarted(w, endpoints);
    overridden->now += 1h;
    notice_of_expiry(*overridden);
    CHECK(overridden->next_of<life::discover>());
}

TEST_CASE(
    "life: a refresh that is refused without a word leads to a person, and is sent again after a minute") {
    life_world w;
    w.sign_in();
    const auto first = w.refuse();
    w.send_refresh();
    const auto work = w.next_of<life::run>()->work;
    w.works.clear();
    w.tell(life::flow_ended{work, bare_refusal()});
    w.settle();
    CHECK(w.told[first] == w.only_question());
    const auto runs = w.runs;
    w.refuse();
    w.settle();
    CHECK(w.runs == runs); // not again for every request
    w.pass(61s);
    const auto later = w.refuse();
    w.settle();
    CHECK(w.runs == runs + 1);
    CHECK(replayed(w, later));
    CHECK(replayed(w, first));
    holds(w);
}

TEST_CASE("life: a 403 that asks for nothing new refreshes once, then it is final") {
    life_world w;
    w.sign_in();
    const auto id = w.refuse(challenge_kind::insufficient_scope, "read");
    w.settle();
    CHECK(replayed(w, id));
    CHECK(w.runs == 1);
    // the new token is refused in the same way
    life::refused again;
    again.request = ++w.requests;
    again.what.challenge.kind = challenge_kind::insufficient_scope;
    again.what.challenge.scope = scope_set{"read"};
    again.what.sent_generation = w.machine.held()->generation;
    again.what.first_generation = again.what.sent_generation - 1;
    again.what.operations.push_back({"tools/call", "echo"});
    w.waiting.insert(again.request);
    w.tell(again);
    w.settle();
    CHECK(code_of(w, again.request) == fault::insufficient_scope);
    const auto next = w.refuse(challenge_kind::insufficient_scope, "read");
    CHECK(code_of(w, next) == fault::insufficient_scope);
    CHECK(w.runs == 1);
    CHECK(w.open.empty());
    holds(w);
}

TEST_CASE("life: where that refresh is refused the 403 is final too, and nobody is asked") {
    life_world w;
    w.sign_in();
    const auto id = w.refuse(challenge_kind::insufficient_scope, "read");
    w.end<life::lock>();
    w.end<life::look>();
    REQUIRE(w.end<life::run>(ending::refusal));
    w.settle();
    CHECK(code_of(w, id) == fault::insufficient_scope);
    CHECK(w.answers[id].front().reason == "insufficient_scope");
    CHECK(w.open.empty());
    holds(w);
}

TEST_CASE("life: a just obtained token that is refused in a session means that the session is over") {
    life_world w;
    w.sign_in();
    w.refuse();
    w.settle(); // refreshed for it
    const bool in_session = GENERATE(true, false);
    const auto request = refused_once_more(w, in_session);
    CHECK(w.open.size() == (in_session ? 0 : 1));
    if (in_session)
        CHECK(code_of(w, request) == fault::session_over);
    holds(w);
}

TEST_CASE(
    "life: a token that was obtained for a request, and is over when it is refused, is renewed once more") {
    life_world w;
    w.sign_in();
    w.refuse();
    w.settle(); // refreshed for it
    REQUIRE(w.machine.held()->expires_at);
    w.now = *w.machine.held()->expires_at - 500ms;
    const auto runs = w.runs;
    const auto request = refused_once_more(w, true);
    CHECK(replayed(w, request));
    CHECK(w.runs == runs + 1);
    CHECK(w.open.empty());
    holds(w);
}

TEST_CASE("life: a remembered end keeps its code and its reason") {
    life_world w(world_target(grant_kind::client_credentials));
    const auto first = w.refuse(challenge_kind::unauthorized);
    w.settle();
    REQUIRE(replayed(w, first));
    life::refused e;
    e.what.challenge.kind = challenge_kind::invalid_token;
    e.what.operations.push_back({"tools/call", "echo"});
    e.what.sent_generation = w.machine.held()->generation;
    e.what.first_generation = 0;
    e.request = ++w.requests;
    w.waiting.insert(e.request);
    w.tell(e);
    w.settle();
    REQUIRE(code_of(w, e.request) == fault::reauth_failed);
    const auto message = w.answers[e.request].front().why.message;
    const auto next = w.refuse();
    w.settle();
    CHECK(code_of(w, next) == fault::reauth_failed);
    CHECK(w.answers[next].front().why.message == message);
    CHECK(w.answers[next].front().reason == "invalid_token");
    holds(w);
}

TEST_CASE("life: which form of scope a server takes outlives a login") {
    life_world w;
    w.sign_in();
    w.refuse();
    w.send_refresh();
    const auto run = *w.next_of<life::run>();
    w.works.clear();
    auto fresh = *w.server.refresh(*run.held);
    fresh.refresh_with_scope = false;
    w.tell(life::flow_ended{run.work, fresh});
    w.settle();
    w.refuse(challenge_kind::insufficient_scope, "write");
    w.come_back(w.send_to_provider());
    w.settle();
    CHECK(w.machine.held()->refresh_with_scope == false);
    holds(w);
}

TEST_CASE("life: a credential of another tenant is not used, and the tenant's own is found again") {
    auto whose = world_target();
    whose.headers = "tenant-a";
    life_world w(whose);
    w.sign_in();
    REQUIRE(w.machine.held());
    CHECK(w.machine.held()->headers == "tenant-a");
    whose.headers = "tenant-b";
    life_world other(whose);
    other.vault.value = *w.machine.held();
    other.vault.generation = w.machine.held()->generation;
    other.tell(life::loaded{other.vault.state()});
    CHECK_FALSE(other.machine.held());
    whose.headers = "tenant-a";
    life_world again(whose);
    again.vault = other.vault;
    again.tell(life::loaded{again.vault.state()});
    CHECK(again.machine.held());
    // records of before it was kept
    life_world old(whose);
    old.vault = other.vault;
    old.vault.value->headers.clear();
    old.tell(life::loaded{old.vault.state()});
    CHECK(old.machine.held());
}
