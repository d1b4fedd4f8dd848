// What persons and operators do to the credential manager, at the worst moments.
#include "tests/support/text.hpp"
#include "tests/unit/recovery/recovery_world.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

using verdict = recovery_verdict::kind;

/// Nobody is signed in, one request waits, one approval is open.
struct asked : recovery_world {
    std::shared_ptr<pending_recovery> request;
    std::string id;
    asked() {
        start();
        request = refused();
        until([&] { return !request->approval_link.empty(); }, "an approval");
        id = request->approval_id;
    }
};

} // namespace

TEST_CASE("login: approve, go there, come back; the request goes on") {
    asked w;
    CHECK(has(w.request->approval_link, "http://127.0.0.1:8971/a/"));
    const auto there = w.wait(w.manager->persons().approve(w.id, approver::operator_token, false));
    REQUIRE(there.has_value());
    CHECK(has(there->location, "https://as.example/authorize?"));
    CHECK(has(there->location, "code_challenge="));
    const auto page = w.wait(w.manager->persons().callback(w.sign_in_at(there->location), std::nullopt));
    CHECK(page.ok);
    CHECK(has(page.detail, "The request that waited goes on."));
    const auto said = w.verdict_of(w.request);
    CHECK(said.is == verdict::replay);
    CHECK(said.person_waited);
    CHECK(w.attached() == "access-1");
    CHECK(w.in_vault() == "access-1");
    CHECK(w.book.waiting().empty());
    const auto twice = w.wait(w.manager->persons().callback(w.sign_in_at(there->location), std::nullopt));
    CHECK_FALSE(twice.ok);
    CHECK(w.network.asked(token_url) == 1);
}

TEST_CASE("two approvals at once are given the same place to go to") {
    asked w;
    w.network.hold("https://as.example/register");
    const auto one = w.begin(w.manager->persons().approve(w.id, approver::operator_token, false));
    const auto two = w.begin(w.manager->persons().approve(w.id, approver::operator_token, false));
    w.until([&] { return w.network.asked("https://as.example/register") == 1; }, "the registration");
    w.network.let_go("https://as.example/register");
    const auto first = w.end(one, "the first"), second = w.end(two, "the second");
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(first->location == second->location);
}

TEST_CASE("who approves while somebody denies is told what became of it") {
    asked w;
    w.records.close();
    const auto approving = w.begin(w.manager->persons().approve(w.id, approver::operator_token, true));
    w.until([&] { return w.records.waited_for(); }, "the vault to be asked");
    const auto again = w.begin(w.manager->persons().approve(w.id, approver::operator_token, false));
    REQUIRE(w.wait(w.manager->persons().deny(w.id)).has_value());
    w.records.open();
    CHECK_FALSE(w.end(approving, "the first").has_value());
    CHECK_FALSE(w.end(again, "the second").has_value());
    CHECK(w.verdict_of(w.request).why.code == fault::approval_denied);
    CHECK(w.book.find(w.id)->status == approval_status::denied);
}

TEST_CASE("a denied approval is not completed at the provider, whatever comes back") {
    asked w;
    const auto there = w.wait(w.manager->persons().approve(w.id, approver::operator_token, false));
    REQUIRE(there.has_value());
    w.network.hold(token_url);
    const auto page = w.begin(w.manager->persons().callback(w.sign_in_at(there->location), std::nullopt));
    w.until([&] { return w.network.asked(token_url) == 1; }, "the code to be redeemed");
    REQUIRE(w.wait(w.manager->persons().deny(w.id)).has_value());
    w.network.let_go(token_url);
    CHECK_FALSE(w.end(page, "the page").ok);
    w.until([&] { return w.network.asked(revocation_url) > 0; }, "the token to be given back");
    CHECK(w.attached().empty());
    CHECK(w.in_vault().empty());
    const auto late = w.wait(w.manager->persons().callback(w.sign_in_at(there->location), std::nullopt));
    CHECK(late.title == "This sign-in has ended");
}

TEST_CASE("a sign-out while a refresh is under way: what it brings is given back, not used") {
    recovery_world w;
    w.stored_before();
    w.start();
    w.network.hold(token_url);
    const auto r = w.refused();
    w.until([&] { return w.network.asked(token_url) == 1; }, "the refresh");
    CHECK(w.wait(w.manager->persons().logout("up", "local")).has_value());
    CHECK(w.attached().empty());
    const auto before = w.network.asked(revocation_url);
    w.network.let_go(token_url);
    w.until([&] { return w.network.asked(revocation_url) > before; }, "it to be given back");
    CHECK(w.attached().empty());
    CHECK(w.in_vault().empty());
    w.until([&] { return !r->approval_link.empty(); }, "a person to be asked");
}

TEST_CASE("a sign-out while a refresh waits for the vault is not undone by it") {
    recovery_world w;
    w.stored_before();
    w.start();
    w.records.close();
    const auto r = w.refused();
    w.until([&] { return w.records.waited_for(); }, "the vault to be asked");
    const auto out = w.begin(w.manager->persons().logout("up", "local"));
    w.records.open();
    CHECK(w.end(out, "the sign-out").has_value());
    w.until([&] { return !r->approval_link.empty(); }, "a person to be asked");
    CHECK(w.attached().empty());
    CHECK(w.in_vault().empty());
}

TEST_CASE("a sign-out that the vault can't hear of is said, and made good") {
    recovery_world w;
    w.stored_before();
    w.start();
    w.records.writable = false;
    const auto said = w.wait(w.manager->persons().logout("up", "local"));
    REQUIRE_FALSE(said.has_value());
    CHECK(has(said.error().message, "the vault does not know it yet"));
    CHECK(w.attached().empty());
    CHECK(w.in_vault() == "access-0");
    w.records.writable = true;
    w.now += 40s;
    w.manager->pass_time();
    w.until([&] { return w.in_vault().empty(); }, "the vault to hear of it");
}

TEST_CASE("an approval expires by the clock, and who waited is told") {
    asked w;
    w.now += 16min;
    w.manager->pass_time();
    CHECK(w.verdict_of(w.request).why.code == fault::approval_timeout);
    CHECK(w.book.find(w.id)->status == approval_status::expired);
    CHECK_FALSE(w.wait(w.manager->persons().approve(w.id, approver::operator_token, false)).has_value());
}

TEST_CASE("a login that was begun before a restart is completed after it") {
    recovery_world w;
    w.start();
    const auto id = w.wait(w.manager->persons().login("up", "local"));
    REQUIRE(id.has_value());
    const auto there = w.wait(w.manager->persons().approve(*id, approver::operator_token, false));
    REQUIRE(there.has_value());
    w.restart();
    const auto page = w.wait(w.manager->persons().callback(w.sign_in_at(there->location), std::nullopt));
    CHECK(page.ok);
    CHECK(w.attached() == "access-1");
}

TEST_CASE("what the configuration does not know is refused by name") {
    recovery_world w;
    w.start();
    const auto login = w.wait(w.manager->persons().login("down", "local"));
    REQUIRE_FALSE(login.has_value());
    CHECK(has(login.error().message, "down"));
    CHECK(has(login.error().fix, "known upstreams: up"));
    CHECK_FALSE(w.wait(w.manager->persons().logout("down", "local")).has_value());
    CHECK_FALSE(w.wait(w.manager->persons().logout_idp("acme", "local")).has_value());
    CHECK_FALSE(w.wait(w.manager->persons().deny("no-such")).has_value());
}
