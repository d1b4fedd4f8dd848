// The typed layer: what recovery stores comes back whole, under its own names only.
#include "proxy/vault/credential_store.hpp"
#include "tests/unit/proxy/vault_fixture.hpp"

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

std::string token_of(const result<std::optional<credential>>& found) {
    REQUIRE(found.has_value());
    return found->has_value() ? std::string((*found)->access_token.reveal()) : "(none)";
}

} // namespace

TEST_CASE("a credential comes back whole") {
    store_of_one s;
    const auto put = some_credential("one");
    REQUIRE(s.store.store_credential("local", "github", put).has_value());
    const auto found = s.store.find_credential("local", "github", "https://as.example").value().value();
    CHECK(found.access_token == put.access_token);
    CHECK(found.refresh_token == put.refresh_token);
    CHECK(found.dpop_key == put.dpop_key);
    CHECK(found.requested == put.requested);
    CHECK(found.granted == put.granted);
    CHECK(found.resource == put.resource);
    CHECK(found.client_id == put.client_id);
    CHECK(found.obtained_at == put.obtained_at);
    CHECK(found.expires_at == put.expires_at);
}

TEST_CASE("credentials are told apart by principal, upstream and issuer") {
    store_of_one s;
    REQUIRE(s.store.store_credential("ada", "github", some_credential("ada's")).has_value());
    CHECK(token_of(s.store.find_credential("bob", "github", "https://as.example")) == "(none)");
    CHECK(token_of(s.store.find_credential("ada", "gitlab", "https://as.example")) == "(none)");
    CHECK(token_of(s.store.find_credential("ada", "github", "https://as.example/")) == "(none)");
    CHECK(token_of(s.store.find_credential("ada", "github", "https://as.example")) == "ada's");
}

TEST_CASE("names with separators in them do not meet in one key") {
    store_of_one s;
    REQUIRE(s.store.store_credential("a b", "c", some_credential("x")).has_value());
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

TEST_CASE("generations rise with every credential, past what the caller knew, and across an erase") {
    store_of_one s;
    CHECK(s.store.store_credential("local", "u", some_credential("1")).value().generation == 1);
    CHECK(s.store.store_credential("local", "u", some_credential("2")).value().generation == 2);
    CHECK(s.store.store_credential("local", "other", some_credential("1")).value().generation == 1);
    REQUIRE(s.store.erase_credential("local", "u", "https://as.example").has_value());
    CHECK(token_of(s.store.find_credential("local", "u", "https://as.example")) == "(none)");
    CHECK(s.store.credentials().value().size() == 1);
    auto known = some_credential("3");
    CHECK(s.store.store_credential("local", "u", known).value().generation == 3);
    known.generation = 9;
    CHECK(s.store.store_credential("local", "u", known).value().generation == 10);
    CHECK(s.store.find_credential("local", "u", "https://as.example").value()->generation == 10);
    CHECK(s.store.erase_credential("local", "nobody", "https://as.example").has_value());
}

TEST_CASE("all credentials are listed with their owners") {
    store_of_one s;
    REQUIRE(s.store.store_credential("ada", "github", some_credential("x")).has_value());
    REQUIRE(
        s.store.store_credential("bob", "my server", some_credential("y", "https://b.example")).has_value());
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
    const auto found = s.store.find_registration("https://as.example", "u").value();
    REQUIRE(found.has_value());
    CHECK(found->identity.id == "dynamic-1");
    CHECK(found->identity.client_secret == client.identity.client_secret);
    CHECK(found->redirect_uri == client.redirect_uri);
    CHECK_FALSE(s.store.find_registration("https://other.example", "u").value().has_value());
    CHECK_FALSE(s.store.find_registration("https://as.example", "v").value().has_value());
    REQUIRE(s.store.erase_registration("https://as.example", "u").has_value());
    CHECK_FALSE(s.store.find_registration("https://as.example", "u").value().has_value());
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
    REQUIRE(s.store.store_session("ada", session).has_value());
    const auto found = s.store.find_session("ada", "acme").value();
    REQUIRE(found.has_value());
    CHECK(found->id_token == session.id_token);
    CHECK(found->refresh_token == session.refresh_token);
    CHECK(found->subject == session.subject);
    CHECK_FALSE(s.store.find_session("bob", "acme").value().has_value());
    const auto all = s.store.sessions().value();
    REQUIRE(all.size() == 1);
    CHECK(all[0].principal == "ada");
    REQUIRE(s.store.erase_session("ada", "acme").has_value());
    CHECK_FALSE(s.store.find_session("ada", "acme").value().has_value());
}
