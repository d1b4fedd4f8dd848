// The flight recorder: what each kind of episode leaves, that it is found by every process and after a
// restart, and what the audit and an unreachable vault do.
#include "tests/support/text.hpp"
#include "tests/unit/recovery/recovery_world.hpp"

#include "core/crypto/uuid.hpp"
#include "core/json/json_reader.hpp"

#include <set>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

std::set<std::string> words_of(const timeline& t) {
    std::set<std::string> out;
    for (const auto& s : t.steps)
        out.insert(s.what);
    return out;
}

const timeline_step* step(const timeline& t, const std::string& what) {
    for (const auto& s : t.steps)
        if (s.what == what)
            return &s;
    return nullptr;
}

std::string fact(const timeline_step* s, const std::string& name) {
    if (s)
        for (const auto& [key, value] : s->facts)
            if (key == name)
                return value;
    return {};
}

struct recorded_world : recovery_world {
    using recovery_world::recovery_world;
    timeline read(const std::string& id) {
        until([&] { return manager->kept().quiet(); }, "the recorder");
        const auto found = wait(manager->evidence().timeline_of(id));
        REQUIRE(found.has_value());
        return *found;
    }
    std::vector<history_entry> entries(history_query q = {}) {
        until([&] { return manager->kept().quiet(); }, "the recorder");
        return wait(manager->evidence().history(std::move(q)));
    }
};

struct held_world : recorded_world {
    explicit held_world(const std::string& more = {}) : recorded_world("url: \"" + mcp_url + "\"", more) {
        stored_before();
        start();
    }
};

} // namespace

TEST_CASE("recorder: a refresh leaves challenge, judgement, lock, exchange, store and outcome; the request "
          "knows its id") {
    held_world w;
    const auto verdict = w.verdict_of(w.refused());
    REQUIRE(is_uuid(verdict.recovery));
    const auto t = w.read(verdict.recovery);
    const auto words = words_of(t);
    for (const auto* needed : {"challenge", "judged", "lock", "token request", "exchange", "store",
                               "in force", "recovery", "request"})
        CHECK(words.contains(needed));
    CHECK(fact(step(t, "challenge"), "kind") == "invalid_token");
    CHECK(fact(step(t, "judged"), "outcome") == "silent");
    CHECK(fact(step(t, "judged"), "rule") == "renewals silent, a login only where one is needed");
    const auto asked = std::find_if(t.steps.begin(), t.steps.end(), [](const auto& s) {
        return s.what == "exchange" && fact(&s, "path") == "/token";
    });
    REQUIRE(asked != t.steps.end());
    CHECK(fact(&*asked, "host") == "as.example");
    CHECK(fact(&*asked, "status") == "200");
    CHECK(fact(&*asked, "method") == "POST");
    CHECK(fact(step(t, "request"), "outcome") == "sent again");
    REQUIRE(t.entries.size() == 1);
    CHECK(t.entries[0].how == "refresh");
    CHECK(t.entries[0].recovery == t.id);
    REQUIRE(t.judged.size() == 1);
    CHECK(t.judged[0].outcome == "silent");
}

TEST_CASE("recorder: no secret of an exchange is in a timeline") {
    held_world w;
    const auto t = w.read(w.verdict_of(w.refused()).recovery);
    const auto text = json_text(timeline_json(t));
    for (const auto* secret : {"refresh-0", "refresh-1", "access-0", "access-1"})
        CHECK_FALSE(has(text, secret));
}

TEST_CASE("recorder: requests that join a recovery share its timeline, and the next one begins another") {
    held_world w;
    w.network.hold(token_url);
    const auto one = w.refused();
    w.until([&] { return w.network.asked(token_url) == 1; }, "the refresh");
    const auto two = w.refused();
    w.network.let_go(token_url);
    const auto first = w.verdict_of(one).recovery;
    CHECK(w.verdict_of(two).recovery == first);
    w.now += 2min;
    const auto next = w.verdict_of(w.refused()).recovery;
    CHECK(next != first);
    CHECK(next > first);
}

TEST_CASE("recorder: a failed recovery is told with its cause, also in what the request gets") {
    held_world w;
    w.network.on(token_url, 400, R"({"error":"invalid_request"})");
    w.network.on("https://as.example/authorize", 200, "");
    auto r = w.refused();
    w.until([&] { return r->verdict.has_value() || !r->approval_id.empty(); }, "an approval or a verdict");
    const auto id = r->verdict ? r->verdict->recovery : r->recovery;
    REQUIRE(is_uuid(id));
    const auto t = w.read(id);
    const auto* failed = step(t, "token request");
    REQUIRE(failed);
    CHECK_FALSE(fact(failed, "code").empty());
    CHECK(words_of(t).contains("approval"));
}

TEST_CASE("recorder: an approval carries the id, and what a person does goes on in the same timeline") {
    recorded_world w;
    w.start();
    const auto r = w.refused();
    w.until([&] { return !r->approval_id.empty(); }, "the approval");
    const auto id = r->approval_id;
    const auto shown = w.book.find(id);
    REQUIRE(shown);
    CHECK(shown->recovery == r->recovery);
    const auto there =
        w.wait(w.manager->persons().approve(id, approver::operator_token, false, {}, "operator"));
    REQUIRE(there.has_value());
    CHECK(w.wait(w.manager->persons().callback(w.sign_in_at(there->location), std::nullopt)).ok);
    CHECK(w.verdict_of(r).recovery == shown->recovery);
    const auto t = w.read(shown->recovery);
    const auto words = words_of(t);
    for (const auto* needed :
         {"challenge", "discovery", "approval", "begin sign-in", "redeem code", "sign_in", "request"})
        CHECK(words.contains(needed));
    CHECK(t.entries.back().how == "login");
    CHECK(t.entries.back().approval == id);
}

TEST_CASE("recorder: an approval goes on in the timeline that it was opened in, whoever waits for it since") {
    recorded_world w;
    w.start();
    const auto first = w.refused();
    w.until([&] { return !first->approval_id.empty(); }, "the approval");
    const auto opened_in = first->recovery;
    w.manager->requests().abandon(first);
    w.now += 1s;
    const auto second = w.refused();
    w.until([&] { return !second->approval_id.empty(); }, "the same approval");
    CHECK(second->approval_id == first->approval_id);
    const auto there = w.wait(
        w.manager->persons().approve(first->approval_id, approver::operator_token, false, {}, "operator"));
    REQUIRE(there.has_value());
    CHECK(w.wait(w.manager->persons().callback(w.sign_in_at(there->location), std::nullopt)).ok);
    const auto own = w.verdict_of(second).recovery;
    CHECK(own != opened_in);
    const auto t = w.read(opened_in);
    CHECK(words_of(t).contains("redeem code"));
    CHECK(t.entries.back().how == "login");
    const auto waited = w.read(own);
    CHECK(fact(step(waited, "waits"), "recovery") == opened_in);
    CHECK(fact(step(waited, "request"), "outcome") == "sent again");
}

TEST_CASE("recorder: who was told no is in the timeline, with whoever said it") {
    recorded_world w;
    w.start();
    const auto r = w.refused();
    w.until([&] { return !r->approval_id.empty(); }, "the approval");
    REQUIRE(w.wait(w.manager->persons().deny(r->approval_id, "operator")).has_value());
    const auto t = w.read(w.verdict_of(r).recovery);
    CHECK(t.entries.back().how == "denied");
    CHECK(t.entries.back().by == "operator");
    CHECK(fact(step(t, "request"), "code") == "approval_denied");
}

TEST_CASE("recorder: each call that is approved has a timeline of its own, with the digest that was bound") {
    held_world w("policy: [{match: {tool: echo}, action: approve}]\n");
    const auto one = w.called("digest-one"), two = w.called("digest-two");
    w.until([&] { return !one->approval_id.empty() && !two->approval_id.empty(); }, "both approvals");
    CHECK(one->recovery != two->recovery);
    REQUIRE(w.wait(w.manager->persons().approve(one->approval_id, approver::operator_token, false, {},
                                                "operator"))
                .has_value());
    CHECK(w.verdict_of(one).recovery == one->recovery);
    const auto t = w.read(one->recovery);
    CHECK(fact(step(t, "judged"), "digest") == "digest-one");
    CHECK(t.entries.back().how == "call approved");
    REQUIRE(t.judged.size() == 1);
    CHECK(t.judged[0].call);
    CHECK(t.judged[0].outcome == "approve");
    CHECK_FALSE(has(json_text(timeline_json(t)), "digest-two"));
}

TEST_CASE("recorder: a sign-out leaves one") {
    held_world w;
    REQUIRE(w.wait(w.manager->persons().logout("up", "local")).has_value());
    const auto all = w.entries();
    REQUIRE(all.size() == 1);
    CHECK(all[0].how == "logout");
    const auto words = words_of(w.read(all[0].recovery));
    CHECK(words.contains("revocation"));
    CHECK(words.contains("erase"));
}

TEST_CASE("recorder: it survives a restart, and is asked by upstream, principal, time and number") {
    held_world w;
    const auto id = w.verdict_of(w.refused()).recovery;
    w.until([&] { return w.manager->kept().quiet(); }, "the recorder");
    const auto between = w.now + 1min;
    w.restart();
    CHECK(w.read(id).entries.size() == 1);
    w.now += 2min;
    w.verdict_of(w.refused());
    CHECK(w.entries().size() == 2);
    CHECK(w.entries()[0].at > w.entries()[1].at);
    history_query q;
    q.upstream = "other";
    CHECK(w.entries(q).empty());
    q = {};
    q.since = between;
    CHECK(w.entries(q).size() == 1);
    q = {};
    q.principal = "local";
    CHECK(w.entries(q).size() == 2);
    q.sees = [](const std::string&) { return false; };
    CHECK(w.entries(q).empty());
    q = {};
    q.most = 1;
    CHECK(w.entries(q).size() == 1);
    CHECK(w.entries().size() == 2); // a short answer is nobody else's
    CHECK_FALSE(
        w.wait(w.manager->evidence().timeline_of("01a3185c-507b-7000-8000-000000000001")).has_value());
    CHECK_FALSE(w.wait(w.manager->evidence().timeline_of("../credential")).has_value());
    CHECK(w.wait(w.manager->evidence().judgements(10)).size() == 2);
}

TEST_CASE("recorder: with max 0 nothing is stored; with max only the last ones stay") {
    held_world w("recorder: {max: 0}\n");
    w.verdict_of(w.refused());
    w.until([&] { return w.manager->kept().quiet(); }, "the recorder");
    CHECK(w.records.list(record_kind::timeline, {}).value().empty());
    CHECK(w.manager->past().size() == 1);

    recovery_world bounded;
    std::vector<timeline_part> parts;
    for (int i = 10; i < 30; ++i)
        parts.push_back({"01a3185c-507b-7000-8000-0000000000" + std::to_string(i), "p", secret("{}")});
    REQUIRE(bounded.store.store_timelines(parts, bounded.now + 1h).has_value());
    REQUIRE(bounded.store.keep_last_timelines(5).has_value());
    const auto left = bounded.store.last_timelines({}, 100).value();
    REQUIRE(left.size() == 5);
    CHECK(left.front().id == parts.back().id);
    const auto before = bounded.store.last_timelines(left[1], 100).value();
    CHECK(before.size() == 3);
}

TEST_CASE("recorder: a vault that can't be written loses none of what is in memory, and it is counted") {
    held_world w;
    w.records.writable = false;
    const auto r = w.refused();
    w.until([&] { return r->verdict.has_value(); }, "a verdict");
    w.until([&] { return w.manager->kept().quiet(); }, "the recorder");
    CHECK(w.manager->kept().lost() > 0);
    CHECK(w.read(r->verdict->recovery).entries.size() >= 1);
    w.records.writable = true;
}

TEST_CASE("recorder: watched rules are counted and told, and calls of theirs once a minute") {
    held_world w("policy: [{name: strict, match: {reason: invalid_token}, action: deny, observe: true},\n"
                 "         {name: ask, match: {tool: echo}, action: approve, observe: true}]\n");
    const auto t = w.read(w.verdict_of(w.refused()).recovery);
    CHECK(fact(step(t, "judged"), "observed") == "strict: deny");
    CHECK(fact(step(t, "judged"), "outcome") == "silent");
    challenge_facts call;
    call.upstream = "up";
    call.principal = "local";
    call.operations = {{"tools/call", "echo"}};
    const request_target where{w.table, w.table->routes[0].get(), w.table->principals[0]};
    for (int i = 0; i < 3; ++i)
        w.manager->requests().observed(where, call);
    w.until([&] { return w.manager->record().observations().contains("ask"); }, "the calls");
    w.until([&] { return w.manager->record().observations().at("ask") == 3; }, "three calls");
    CHECK(w.manager->record().observations().at("strict") == 1);
    w.until([&] { return w.manager->kept().quiet(); }, "the recorder");
    const auto judged = w.wait(w.manager->evidence().judgements(10));
    REQUIRE(judged.size() == 2);
    const auto& recorded = judged[0].judged[0].call ? judged[0].judged[0] : judged[1].judged[0];
    CHECK(recorded.outcome == "sent");
    CHECK(recorded.observed == std::vector<std::string>{"ask: approve"});
}
