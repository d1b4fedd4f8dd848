// The typed layer: what recovery stores comes back whole, under its own names only.
#include "proxy/vault/credential_store.hpp"
#include "tests/unit/proxy/vault_fixture.hpp"

#include <algorithm>

using namespace reauth;
using namespace reauth::test;

namespace {

struct store_of_one {
    std::unique_ptr<vault> v = opened(memory_settings());
    credential_store store{*v};
};

time_point now() {
    return std::chrono::floor<std::chrono::milliseconds>(wall_clock::now());
}

credential some_credential(const std::string& token, const std::string& issuer = "https://as.example") {
    credential c;
    c.access_token = secret(token);
    c.refresh_token = secret("refresh " + token);
    c.requested = {"a", "b"};
    c.granted = {"a"};
    c.issuer = issuer;
    c.resource = "https://mcp.example/mcp";
    c.client_id = "client";
    c.obtained_at = now();
    c.expires_at = c.obtained_at + std::chrono::seconds(60);
    c.dpop_key = secret("{}");
    return c;
}

std::string token_of(const result<life::stored_state>& found) {
    REQUIRE(found.has_value());
    return found->value ? std::string(found->value->access_token.reveal()) : "(none)";
}

/// Stores over whatever is there; its generation.
std::uint64_t put(store_of_one& s, const std::string& principal, const std::string& upstream,
                  credential value) {
    const auto there = s.store.find_credential(principal, upstream, value.issuer).value().generation;
    value.generation = there + 1;
    const auto newer = s.store.store_credential(principal, upstream, value, there);
    REQUIRE(newer.has_value());
    REQUIRE_FALSE(newer->has_value());
    return value.generation;
}

} // namespace

TEST_CASE("a credential comes back whole") {
    store_of_one s;
    const auto one = some_credential("one");
    put(s, "local", "github", one);
    const auto found = s.store.find_credential("local", "github", "https://as.example").value().value.value();
    CHECK(found.access_token == one.access_token);
    CHECK(found.refresh_token == one.refresh_token);
    CHECK(found.dpop_key == one.dpop_key);
    CHECK(found.requested == one.requested);
    CHECK(found.granted == one.granted);
    CHECK(found.resource == one.resource);
    CHECK(found.client_id == one.client_id);
    CHECK(found.obtained_at == one.obtained_at);
    CHECK(found.expires_at == one.expires_at);
}

TEST_CASE("credentials are told apart by principal, upstream and issuer") {
    store_of_one s;
    put(s, "ada", "github", some_credential("ada's"));
    CHECK(token_of(s.store.find_credential("bob", "github", "https://as.example")) == "(none)");
    CHECK(token_of(s.store.find_credential("ada", "gitlab", "https://as.example")) == "(none)");
    CHECK(token_of(s.store.find_credential("ada", "github", "https://as.example/")) == "(none)");
    CHECK(token_of(s.store.find_credential("ada", "github", "https://as.example")) == "ada's");
}

TEST_CASE("names with separators in them do not meet in one key") {
    store_of_one s;
    put(s, "a b", "c", some_credential("x"));
    CHECK(token_of(s.store.find_credential("a", "b c", "https://as.example")) == "(none)");
    CHECK(token_of(s.store.find_credential("a%20b", "c", "https://as.example")) == "(none)");
    for (const auto& parts :
         {std::vector<std::string_view>{"a b", "", "%41\n"}, {"", ""}, {"ä|b", "c"}, {""}}) {
        const auto back = split_key(joined_key(parts));
        REQUIRE(back.has_value());
        CHECK(std::equal(parts.begin(), parts.end(), back->begin(), back->end()));
    }
    CHECK_FALSE(split_key("%zz").has_value());
}

TEST_CASE("a store is refused where the vault holds something newer, and tells what") {
    store_of_one s;
    auto ours = some_credential("ours");
    ours.generation = 1;
    REQUIRE_FALSE(s.store.store_credential("local", "u", ours, 0).value().has_value());
    auto theirs = some_credential("theirs");
    theirs.generation = 2;
    REQUIRE_FALSE(s.store.store_credential("local", "u", theirs, 1).value().has_value());
    ours.generation = 2;
    const auto newer = s.store.store_credential("local", "u", ours, 1).value();
    REQUIRE(newer.has_value());
    CHECK(newer->generation == 2);
    CHECK(newer->value->access_token == theirs.access_token);
    CHECK(token_of(s.store.find_credential("local", "u", "https://as.example")) == "theirs");
}

TEST_CASE("an erased credential leaves its generation, which goes on rising") {
    store_of_one s;
    put(s, "local", "u", some_credential("1"));
    CHECK(put(s, "local", "u", some_credential("2")) == 2);
    CHECK(s.store.erase_credential("local", "u", "https://as.example", 2).value() == 3);
    const auto gone = s.store.find_credential("local", "u", "https://as.example").value();
    CHECK_FALSE(gone.value.has_value());
    CHECK(gone.generation == 3);
    CHECK(s.store.credentials().value().empty());
    CHECK(s.store.store_credential("local", "u", some_credential("late"), 2).value()->generation == 3);
    CHECK(put(s, "local", "u", some_credential("3")) == 4);
    CHECK(s.store.erase_credential("local", "u", "https://as.example", 9, 3).value() == 0);
    CHECK(token_of(s.store.find_credential("local", "u", "https://as.example")) == "3");
    CHECK(s.store.erase_credential("local", "u", "https://as.example", 9).value() == 9);
    CHECK(s.store.erase_credential("local", "nobody", "https://as.example", 0).value() == 1);
}

TEST_CASE("all credentials are listed with their owners") {
    store_of_one s;
    put(s, "ada", "github", some_credential("x"));
    put(s, "bob", "my server", some_credential("y", "https://b.example"));
    const auto all = s.store.credentials().value();
    REQUIRE(all.size() == 2);
    CHECK(all[1].principal == "bob");
    CHECK(all[1].upstream == "my server");
    CHECK(all[1].held.issuer == "https://b.example");
}

TEST_CASE("an issuer is pinned for one principal and upstream") {
    store_of_one s;
    CHECK_FALSE(s.store.pinned_issuer("local", "u").value().has_value());
    REQUIRE(s.store.pin_issuer("local", "u", "https://as.example/").has_value());
    CHECK(s.store.pinned_issuer("local", "u").value() == "https://as.example/");
    CHECK_FALSE(s.store.pinned_issuer("ada", "u").value().has_value());
    REQUIRE(s.store.unpin_issuer("local", "u").has_value());
    CHECK_FALSE(s.store.pinned_issuer("local", "u").value().has_value());
}

TEST_CASE("a registration belongs to one issuer and upstream") {
    store_of_one s;
    registered_client client;
    client.identity.id = "dynamic-1";
    client.identity.method = client_auth_method::client_secret_basic;
    client.identity.client_secret = secret("hush");
    client.origin = client_origin::dynamic;
    client.issuer = "https://as.example";
    client.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
    REQUIRE(s.store.store_registration("u", client).has_value());
    const auto all = s.store.registrations("https://as.example", "u").value();
    REQUIRE(all.size() == 1);
    const auto& found = all.front();
    CHECK(found.identity.id == "dynamic-1");
    CHECK(found.identity.client_secret == client.identity.client_secret);
    CHECK(found.redirect_uri == client.redirect_uri);
    CHECK(s.store.registrations("https://other.example", "u").value().empty());
    CHECK(s.store.registrations("https://as.example", "v").value().empty());
    REQUIRE(s.store.erase_registration("https://as.example", "u").has_value());
    CHECK(s.store.registrations("https://as.example", "u").value().empty());
}

TEST_CASE("each client that was registered is kept, and forgotten by its client_id") {
    store_of_one s;
    registered_client client;
    client.issuer = "https://as.example";
    client.origin = client_origin::dynamic;
    for (const auto* id : {"of-8971", "of-8972"}) {
        client.identity.id = id;
        client.redirect_uri = std::string("http://127.0.0.1/") + id;
        must(s.store.store_registration("u", client));
    }
    CHECK(s.store.registrations("https://as.example", "u").value().size() == 2);
    must(s.store.erase_registration("https://as.example", "u", "of-8971"));
    const auto left = s.store.registrations("https://as.example", "u").value();
    REQUIRE(left.size() == 1);
    CHECK(left.front().identity.id == "of-8972");
}

TEST_CASE("a question is open once for the same scopes, and its decision stays") {
    store_of_one s;
    const time_point now = wall_clock::now();
    approval_record first;
    first.name = "u";
    first.shown.id = "first";
    first.shown.expires_at = now + std::chrono::minutes(15);
    first.login_scopes = scope_set{"read"};
    CHECK_FALSE(s.store.store_approval(first, now, true).value().has_value());
    auto second = first;
    second.shown.id = "second";
    const auto there = s.store.store_approval(second, now, true).value();
    REQUIRE(there.has_value());
    CHECK(there->shown.id == "first");
    auto wider = second;
    wider.login_scopes = scope_set{"read", "write"};
    CHECK_FALSE(s.store.store_approval(wider, now, true).value().has_value());
    CHECK(s.store.approvals().value().size() == 2);
    auto denied = first;
    denied.shown.status = approval_status::denied;
    denied.shown.outcome = "Denied.";
    CHECK_FALSE(s.store.store_approval(denied, now, false).value().has_value());
    // whoever is late hears of the decision, and a new question may be asked
    const auto late = s.store.store_approval(first, now, false).value();
    REQUIRE(late.has_value());
    CHECK(late->shown.status == approval_status::denied);
    CHECK(late->shown.outcome == "Denied.");
    CHECK_FALSE(s.store.store_approval(second, now, true).value().has_value());
    // what comes of the first one later than that opens nothing again
    auto late_flow = first;
    late_flow.shown.status = approval_status::authorizing;
    auto second_denied = second;
    second_denied.shown.status = approval_status::denied;
    CHECK_FALSE(s.store.store_approval(second_denied, now, false).value().has_value());
    CHECK_FALSE(s.store.store_approval(late_flow, now, false).value().has_value());
    const auto all = s.store.approvals().value();
    CHECK(std::none_of(all.begin(), all.end(), [](const auto& q) { return q.shown.id == "first"; }));
}

TEST_CASE("a refresh that was begun is known until something is stored") {
    store_of_one s;
    const refresh_mark mark{false, "local", "u", 3, "process-a"};
    must(s.store.began_refresh(mark));
    const auto known = s.store.refresh_under_way(false, "local", "u").value();
    REQUIRE(known.has_value());
    CHECK(known->generation == 3);
    CHECK(known->by == "process-a");
    auto other = mark;
    other.by = "process-b";
    must(s.store.ended_refresh(other)); // not its own
    CHECK(s.store.refresh_under_way(false, "local", "u").value().has_value());
    credential c;
    c.access_token = secret("a");
    c.issuer = "https://as.example";
    c.generation = 4;
    REQUIRE(s.store.store_credential("local", "u", c, 3).has_value());
    CHECK_FALSE(s.store.refresh_under_way(false, "local", "u").value().has_value());
}

TEST_CASE("a pending authorization survives a restart and is taken once, by its state") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    pending_authorization pending;
    pending.state = secret("the-state-value");
    pending.verifier = secret("the-verifier");
    pending.upstream = "u";
    pending.client.identity.id = "client";
    pending.server.issuer = "https://as.example";
    pending.server.token_endpoint = "https://as.example/token";
    pending.location = "https://as.example/authorize?x=y";
    pending.created_at = now();
    pending.expires_at = now() + std::chrono::minutes(15);
    {
        auto v = opened(settings);
        REQUIRE(credential_store(*v).store_pending(pending).has_value());
        const auto files = read_whole(settings.path) + read_whole(settings.path + "-wal");
        CHECK(files.find("the-state-value") == std::string::npos);
        CHECK(files.find("the-verifier") == std::string::npos);
    }
    auto v = opened(settings);
    credential_store store(*v);
    CHECK_FALSE(store.take_pending("another-state").value().has_value());
    CHECK(store.find_pending("the-state-value").value().has_value());
    const auto taken = store.take_pending("the-state-value").value();
    REQUIRE(taken.has_value());
    CHECK(taken->verifier == pending.verifier);
    CHECK(taken->location == pending.location);
    CHECK_FALSE(store.take_pending("the-state-value").value().has_value());
}

TEST_CASE("the pending authorizations of one upstream and principal are forgotten, no others") {
    store_of_one s;
    pending_authorization pending;
    pending.client.identity.id = "client";
    pending.created_at = now();
    pending.expires_at = now() + std::chrono::minutes(15);
    for (const std::string who : {"ada u", "ada v", "bob u"}) {
        pending.principal = who.substr(0, 3);
        pending.upstream = who.substr(4);
        pending.state = secret(who);
        REQUIRE(s.store.store_pending(pending).has_value());
    }
    REQUIRE(s.store.discard_pendings("ada", "u").has_value());
    CHECK_FALSE(s.store.find_pending("ada u").value().has_value());
    CHECK(s.store.find_pending("ada v").value().has_value());
    CHECK(s.store.find_pending("bob u").value().has_value());
}

TEST_CASE("a pending authorization that expired long ago is gone") {
    store_of_one s;
    pending_authorization pending;
    pending.state = secret("late");
    pending.client.identity.id = "client";
    pending.created_at = now() - std::chrono::hours(3);
    pending.expires_at = now() - std::chrono::hours(2);
    REQUIRE(s.store.store_pending(pending).has_value());
    CHECK_FALSE(s.store.take_pending("late").value().has_value());
}

TEST_CASE("an IdP session belongs to one principal and provider") {
    store_of_one s;
    idp_session session;
    session.identity_provider = "acme";
    session.issuer = "https://idp.acme.example";
    session.subject = "ada@acme.example";
    session.client_id = "client";
    session.id_token = secret("aaa.bbb.ccc");
    session.refresh_token = secret("rrr");
    session.obtained_at = now();
    session.expires_at = now() + std::chrono::minutes(5);
    session.generation = 1;
    REQUIRE_FALSE(s.store.store_session("ada", session, 0).value().has_value());
    const auto found = s.store.find_session("ada", "acme").value();
    REQUIRE(found.value.has_value());
    CHECK(found.value->access_token == session.id_token);
    CHECK(found.value->refresh_token == session.refresh_token);
    CHECK(found.value->subject == session.subject);
    CHECK(s.store.store_session("ada", session, 0).value()->generation == 1);
    CHECK_FALSE(s.store.find_session("bob", "acme").value().value.has_value());
    const auto all = s.store.sessions().value();
    REQUIRE(all.size() == 1);
    CHECK(all[0].principal == "ada");
    CHECK(s.store.erase_session("ada", "acme", 0).value() == 2);
    CHECK_FALSE(s.store.find_session("ada", "acme").value().value.has_value());
    CHECK(s.store.sessions().value().empty());
}
