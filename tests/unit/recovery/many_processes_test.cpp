// What one manager hears of others on the same vault, and what an earlier run has left to it.
#include "tests/support/text.hpp"
#include "tests/unit/recovery/recovery_world.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

using verdict = recovery_verdict::kind;

const std::string register_url = "https://as.example/register";
const std::string credential_key = joined_key({"local", "up", "https://as.example"});

/// A vault that others write to; nobody is signed in, one request waits for a person.
struct asked_among_others : recovery_world {
    std::shared_ptr<pending_recovery> request;
    std::string id;
    asked_among_others() {
        records.others_may_write = true;
        start();
        request = refused();
        until([&] { return !request->approval_link.empty(); }, "an approval");
        id = request->approval_id;
        until([&] { return !store.approvals().value().empty(); }, "the question in the vault");
    }
    approval_record question() {
        const auto all = store.approvals().value();
        for (const auto& q : all)
            if (q.shown.id == id)
                return q;
        throw std::runtime_error("the vault does not hold the question");
    }
    /// Another process decides.
    void decide(approval_status status) {
        auto q = question();
        q.shown.status = status;
        q.shown.outcome = "Decided elsewhere.";
        REQUIRE_FALSE(store.store_approval(q, now, false).value().has_value());
        records.tell({record_kind::approval, credential_store::approval_key(q)});
    }
};

registered_client registration(const std::string& id, const std::string& redirect_uri) {
    registered_client client;
    client.identity.id = id;
    client.issuer = "https://as.example";
    client.origin = client_origin::dynamic;
    client.redirect_uri = redirect_uri;
    return client;
}

} // namespace

TEST_CASE("a sign-in of another process is heard of, and whoever waits goes on") {
    asked_among_others w;
    w.stored_before();
    w.records.tell({record_kind::credential, credential_key});
    CHECK(w.verdict_of(w.request).is == verdict::replay);
    CHECK(w.attached() == "access-0");
    CHECK(w.book.waiting().empty());
    CHECK(w.network.asked(token_url) == 0);
}

TEST_CASE("a sign-out of another process is heard of, and nothing is stored again") {
    recovery_world w;
    w.records.others_may_write = true;
    w.stored_before();
    w.start();
    REQUIRE(w.attached() == "access-0");
    REQUIRE(w.store.erase_credential("local", "up", "https://as.example", 0).has_value());
    w.records.tell({record_kind::credential, credential_key});
    w.until([&] { return w.attached().empty(); }, "the sign-out");
    CHECK(w.in_vault().empty());
    CHECK(w.network.asked(token_url) == 0);
}

TEST_CASE("a denial of another process answers who waits here, and the page tells it") {
    asked_among_others w;
    w.decide(approval_status::denied);
    CHECK(w.verdict_of(w.request).why.code == fault::approval_denied);
    REQUIRE(w.book.find(w.id));
    CHECK(w.book.find(w.id)->status == approval_status::denied);
    CHECK(w.wait(w.manager->persons().deny(w.id)).has_error());
}

TEST_CASE("after news that were missed everything is read again") {
    asked_among_others w;
    w.stored_before();
    w.records.tell({record_kind::credential, ""});
    CHECK(w.verdict_of(w.request).is == verdict::replay);
}

TEST_CASE("a question of another process is shown, and joined by whoever needs the same") {
    recovery_world w;
    w.records.others_may_write = true;
    w.start();
    approval_record q;
    {
        asked_among_others other;
        q = other.question();
    }
    REQUIRE_FALSE(w.store.store_approval(q, w.now, true).value().has_value());
    w.records.tell({record_kind::approval, credential_store::approval_key(q)});
    w.until([&] { return w.book.waiting().size() == 1; }, "the question");
    const auto r = w.refused();
    w.until([&] { return !r->approval_link.empty(); }, "the link");
    CHECK(r->approval_id == q.shown.id);
    CHECK(has(r->approval_link, std::string(q.shown.link_secret.reveal())));
    CHECK(w.manager->counters().approvals == 0); // asked once, by the other
}

TEST_CASE("where another process has asked first, its question is the one that is shown") {
    recovery_world w;
    approval_record first;
    {
        asked_among_others other;
        first = other.question();
    }
    first.shown.id = "first-id";
    w.start();
    // stored after we have looked: nobody has told us yet
    w.network.hold(server_metadata_url);
    const auto r = w.refused();
    w.until([&] { return w.network.asked(server_metadata_url) == 1; }, "discovery");
    REQUIRE_FALSE(w.store.store_approval(first, w.now, true).value().has_value());
    w.network.let_go(server_metadata_url);
    w.until([&] { return r->approval_id == "first-id"; }, "the question that was first");
    CHECK(w.book.waiting().size() == 1);
    CHECK(w.manager->counters().approvals == 0);
}

TEST_CASE("open questions, their links and flows outlive the process") {
    asked_among_others w;
    const auto link = w.request->approval_link;
    const auto there = w.wait(w.manager->persons().approve(w.id, approver::operator_token, false));
    REQUIRE(there.has_value());
    w.restart();
    REQUIRE(w.book.waiting().size() == 1);
    CHECK(w.book.waiting()[0]->id == w.id);
    CHECK(w.book.link(*w.book.waiting()[0]) == link);
    const auto again = w.wait(w.manager->persons().approve(w.id, approver::operator_token, false));
    REQUIRE(again.has_value());
    CHECK(again->location == there->location);
    const auto page = w.wait(w.manager->persons().callback(w.sign_in_at(there->location), std::nullopt));
    CHECK(page.ok);
    CHECK(w.attached() == "access-1");
    CHECK(w.book.waiting().empty());
}

TEST_CASE("of two processes that begin a flow at once everybody is sent on the one the vault knew first") {
    asked_among_others w;
    w.network.hold(register_url);
    const auto approving = w.begin(w.manager->persons().approve(w.id, approver::operator_token, false));
    w.until([&] { return w.network.asked(register_url) == 1; }, "the registration");
    auto q = w.question();
    q.shown.status = approval_status::authorizing;
    q.shown.location = "https://as.example/authorize?of=another+process";
    q.pending_state = secret("its state");
    q.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
    REQUIRE_FALSE(w.store.store_approval(q, w.now, false).value().has_value());
    w.network.let_go(register_url);
    const auto there = w.end(approving, "where to go");
    REQUIRE(there.has_value());
    CHECK(there->location == q.shown.location);
}

TEST_CASE("a flow that comes back to another address than ours is not gone on with") {
    asked_among_others w;
    auto q = w.question();
    q.shown.status = approval_status::authorizing;
    q.shown.location = "https://as.example/authorize?redirect_uri=elsewhere";
    q.pending_state = secret("its state");
    q.redirect_uri = "http://127.0.0.1:9999/oauth/callback";
    REQUIRE_FALSE(w.store.store_approval(q, w.now, false).value().has_value());
    w.restart();
    REQUIRE(w.book.waiting().size() == 1);
    CHECK(w.book.waiting()[0]->status == approval_status::pending);
    const auto there = w.wait(w.manager->persons().approve(w.id, approver::operator_token, false));
    REQUIRE(there.has_value());
    CHECK(has(there->location, "redirect_uri=http%3A%2F%2F127.0.0.1%3A8971%2Foauth%2Fcallback"));
    CHECK(w.wait(w.manager->persons().callback(w.sign_in_at(there->location), std::nullopt)).ok);
    CHECK(w.attached() == "access-1");
}

TEST_CASE("a question that nobody had acted on is approved after a restart") {
    asked_among_others w;
    w.restart();
    const auto there = w.wait(w.manager->persons().approve(w.id, approver::operator_token, false));
    REQUIRE(there.has_value()); // where its server is was looked up again
    CHECK(w.wait(w.manager->persons().callback(w.sign_in_at(there->location), std::nullopt)).ok);
    CHECK(w.attached() == "access-1");
}

TEST_CASE("a refresh goes by the client that the credential was issued to, whatever our redirect URI") {
    recovery_world w;
    w.stored_before();
    REQUIRE(w.store.erase_registration("https://as.example", "up").has_value());
    REQUIRE(w.store.store_registration("up", registration("client-1", "http://127.0.0.1:9999/oauth/callback"))
                .has_value());
    w.start();
    CHECK(w.verdict_of(w.refused()).is == verdict::replay);
    CHECK(w.network.asked(register_url) == 0);
    CHECK(has(w.network.last_body(token_url), "client_id=client-1"));
    CHECK(w.store.registrations("https://as.example", "up").value().size() == 1);
}

TEST_CASE("a login registers for its own redirect URI, and the other client stays") {
    recovery_world w;
    w.network.on(register_url, 201, R"({"client_id":"client-2","token_endpoint_auth_method":"none"})");
    REQUIRE(w.store.store_registration("up", registration("client-1", "http://127.0.0.1:9999/oauth/callback"))
                .has_value());
    w.start();
    const auto r = w.refused();
    w.until([&] { return !r->approval_link.empty(); }, "an approval");
    const auto there = w.wait(w.manager->persons().approve(r->approval_id, approver::operator_token, false));
    REQUIRE(there.has_value());
    CHECK(has(there->location, "client_id=client-2"));
    CHECK(w.store.registrations("https://as.example", "up").value().size() == 2);
}

TEST_CASE("a refresh token whose client is not known any more is not sent as another one") {
    recovery_world w;
    w.stored_before();
    REQUIRE(w.store.erase_registration("https://as.example", "up").has_value());
    REQUIRE(w.store.store_registration("up", registration("client-2", "http://127.0.0.1:8971/oauth/callback"))
                .has_value());
    w.start();
    const auto r = w.refused();
    w.until([&] { return !r->approval_link.empty(); }, "an approval");
    CHECK(w.network.asked(token_url) == 0);
}

TEST_CASE("a refresh in which the last process died is told as what it is") {
    recovery_world w;
    w.stored_before();
    REQUIRE(w.store.began_refresh({false, "local", "up", 1, "a process that is gone"}).has_value());
    w.network.on(token_url, 400, R"({"error":"invalid_grant"})");
    w.start();
    const auto r = w.refused();
    w.until([&] { return !w.book.waiting().empty(); }, "an approval");
    CHECK(has(w.book.waiting()[0]->outcome, "rotated just as an mcp-reauth process was ended"));
    CHECK(w.network.asked(token_url) == 1); // a server may tolerate it
}

TEST_CASE("a refresh that ended, well or not, leaves no mark") {
    recovery_world w;
    w.stored_before();
    w.start();
    w.network.on(token_url, 503, "");
    w.network.hold(token_url);
    const auto r = w.refused();
    w.until([&] { return w.network.asked(token_url) == 1; }, "the refresh");
    CHECK(w.store.refresh_under_way(false, "local", "up").value().has_value());
    w.network.let_all_go();
    w.verdict_of(r);
    w.until([&] { return w.manager->quiet(); }, "the end");
    CHECK_FALSE(w.store.refresh_under_way(false, "local", "up").value().has_value());
}

namespace {

/// A call waits here; the vault is shared.
struct call_among_others : recovery_world {
    std::shared_ptr<pending_recovery> request;
    std::string id;
    call_among_others() {
        records.others_may_write = true;
        start();
        ask();
    }
    void ask() {
        request = called("d1");
        until([&] { return !request->approval_link.empty(); }, "an approval");
        id = request->approval_id;
        until([&] { return !store.approvals().value().empty(); }, "the question in the vault");
    }
    approval_record stored() {
        const auto all = store.approvals().value();
        for (const auto& q : all)
            if (q.shown.id == id)
                return q;
        throw std::runtime_error("the vault does not hold the call");
    }
    void decide_elsewhere(approval_status status) {
        auto q = stored();
        q.shown.status = status;
        REQUIRE_FALSE(store.store_approval(q, now, false).value().has_value());
        records.tell({record_kind::approval, credential_store::approval_key(q)});
    }
};

} // namespace

TEST_CASE("a call that another process's person approved is sent here, once, and the vault knows") {
    call_among_others w;
    w.decide_elsewhere(approval_status::approved);
    CHECK(w.verdict_of(w.request).is == verdict::replay);
    CHECK(w.stored().shown.used);
    const auto used = w.id;
    w.ask();
    CHECK(w.id != used);
}

TEST_CASE("of two processes one sends an approved call") {
    call_among_others w;
    w.manager->requests().abandon(w.request);
    auto q = w.stored();
    q.shown.status = approval_status::approved;
    REQUIRE_FALSE(w.store.store_approval(q, w.now, false).value().has_value());
    CHECK(w.store.take_call(q, w.now).value()); // the other one was faster
    CHECK_FALSE(w.store.take_call(q, w.now).value());
    w.records.tell({record_kind::approval, credential_store::approval_key(q)});
    const auto used = w.id;
    w.request = w.called("d1");
    w.until([&] { return !w.request->approval_link.empty() && w.request->approval_id != used; },
            "another one");
    CHECK_FALSE(w.request->verdict.has_value());
}

TEST_CASE("a call that was denied at another process is not sent here") {
    call_among_others w;
    w.decide_elsewhere(approval_status::denied);
    CHECK(w.verdict_of(w.request).why.code == fault::approval_denied);
}
