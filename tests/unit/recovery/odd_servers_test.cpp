// Authorization servers that forget clients, let secrets lapse, and refuse to register.
#include "tests/support/text.hpp"
#include "tests/unit/recovery/recovery_world.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

using verdict = recovery_verdict::kind;

const std::string registration_endpoint = "https://as.example/register";

void registers(recovery_world& w, const std::string& id) {
    w.network.on(registration_endpoint, 201,
                 "{\"client_id\":\"" + id + "\",\"token_endpoint_auth_method\":\"none\"}");
}

/// Somebody is asked to sign in; the approval's id.
std::string question(recovery_world& w) {
    const auto r = w.refused();
    w.until([&] { return !r->approval_link.empty(); }, "an approval");
    return r->approval_id;
}

/// A step-up is asked for.
std::string question_for(recovery_world& w, const std::string& scope) {
    const auto r = w.refused(challenge_kind::insufficient_scope, scope);
    w.until([&] { return !r->approval_link.empty(); }, "an approval");
    return r->approval_id;
}

std::string place_to_go(recovery_world& w, const std::string& id) {
    const auto there = w.wait(w.manager->persons().approve(id, approver::operator_token, false));
    REQUIRE(there.has_value());
    return there->location;
}

/// A client of an earlier day is registered, and a login is on its way with it.
struct forgotten : recovery_world {
    std::string id;
    forgotten() {
        start();
        id = question(*this);
        REQUIRE(has(place_to_go(*this, id), "client_id=client-1"));
        now += 11min; // its registration is not of this moment
        registers(*this, "client-2");
    }
};

std::vector<std::string> clients(recovery_world& w, bool retired) {
    std::vector<std::string> out;
    const auto all = w.store.registrations("https://as.example", "up").value();
    for (const auto& c : all)
        if (c.retired == retired)
            out.push_back(c.identity.id);
    return out;
}

} // namespace

TEST_CASE("a login that comes back with the client refused registers anew at the next approve, once") {
    for (const char* word : {"unauthorized_client", "invalid_request"}) {
        forgotten w;
        auto back = w.sign_in_at(place_to_go(w, w.id));
        back.code.reset();
        back.error = word;
        const auto page = w.wait(w.manager->persons().callback(back, std::nullopt));
        CHECK_FALSE(page.ok);
        CHECK(has(page.detail, "approve once more"));
        CHECK(has(page.detail, word));
        const auto again = place_to_go(w, w.id);
        CHECK(has(again, "client_id=client-2"));
        // and again: the new client is not the cause
        registers(w, "client-3");
        back = w.sign_in_at(again);
        back.code.reset();
        back.error = word;
        CHECK_FALSE(w.wait(w.manager->persons().callback(back, std::nullopt)).ok);
        CHECK(w.network.asked(registration_endpoint) == 2);
        CHECK(clients(w, true) == std::vector<std::string>{"client-1"});
        CHECK(clients(w, false) == std::vector<std::string>{"client-2"});
    }
}

TEST_CASE("after a login that never came back and was denied, the next one registers anew") {
    forgotten w; // the server answered 422 to /authorize, and the person gives up
    REQUIRE(w.wait(w.manager->persons().deny(w.id)).has_value());
    w.until([&] { return !clients(w, true).empty(); }, "the client to be put aside");
    CHECK(has(place_to_go(w, question(w)), "client_id=client-2"));
}

TEST_CASE("a client that is put aside still renews what was issued to it") {
    forgotten w;
    w.stored_before();
    auto client = w.store.registrations("https://as.example", "up").value().front();
    client.retired = true;
    REQUIRE(w.store.store_registration("up", client).has_value());
    w.restart();
    CHECK(w.verdict_of(w.refused()).is == verdict::replay);
    CHECK(has(w.network.last_body(token_url), "client_id=client-1"));
}

TEST_CASE("a sign-out forgets the registrations, also where nothing is held") {
    forgotten w;
    CHECK(w.wait(w.manager->persons().logout("up", "local")).has_value());
    CHECK(w.store.registrations({}, "up").value().empty());
    CHECK(has(place_to_go(w, question(w)), "client_id=client-2"));
}

TEST_CASE("a client whose secret has lapsed is not replaced for a refresh of what it was issued") {
    recovery_world w;
    w.stored_before();
    auto client = w.store.registrations("https://as.example", "up").value().front();
    client.identity.client_secret = secret("s1");
    client.identity.method = client_auth_method::client_secret_post;
    client.secret_expires_at = w.now - 1h;
    REQUIRE(w.store.store_registration("up", client).has_value());
    registers(w, "client-2");
    w.start();
    const auto id = question(w); // the next step
    CHECK(w.network.asked(token_url) == 0);
    CHECK(has(place_to_go(w, id), "client_id=client-2"));
}

TEST_CASE("a registration that is refused for now is told to who approves and to who waits, with the time") {
    recovery_world w;
    http_response busy;
    busy.status = 429;
    busy.headers = {{"Retry-After", "30"}};
    busy.body = R"({"message":"slow down"})";
    w.network.on(registration_endpoint, [&](const http_request&) { return busy; });
    w.start();
    const auto r = w.refused();
    w.until([&] { return !r->approval_link.empty(); }, "an approval");
    const auto there = w.wait(w.manager->persons().approve(r->approval_id, approver::operator_token, false));
    REQUIRE_FALSE(there.has_value());
    CHECK(has(there.error().describe(), "429"));
    w.until([&] { return has(r->waits_for.trouble, "slow down"); }, "the trouble to be told");
    CHECK(has(r->waits_for.trouble, "30 s"));
    CHECK(has(w.book.find(r->approval_id)->outcome, "429"));
    registers(w, "client-1");
    place_to_go(w, r->approval_id);
    w.until([&] { return r->waits_for.trouble.empty(); }, "the trouble to be over");
}

TEST_CASE("the page and the API show the scopes that the authorization URL asks for") {
    recovery_world w;
    w.network.on(
        server_metadata_url, 200,
        R"({"issuer":"https://as.example","authorization_endpoint":"https://as.example/authorize",)"
        R"("token_endpoint":"https://as.example/token","registration_endpoint":"https://as.example/register",)"
        R"("scopes_supported":["read","offline_access"],"code_challenge_methods_supported":["S256"]})");
    w.network.on(resource_metadata_url, 200,
                 R"({"resource":"https://mcp.example/mcp","authorization_servers":["https://as.example"],)"
                 R"("scopes_supported":["read"]})");
    w.start();
    const auto id = question(w);
    CHECK(w.book.find(id)->requested == scope_set{"read", "offline_access"});
    CHECK(has(place_to_go(w, id), "scope=read%20offline_access"));
}

TEST_CASE("an operator's login asks the upstream first, and then what it asks for") {
    recovery_world w;
    w.network.on(
        resource_metadata_url, 200,
        "{\"resource\":\"https://mcp.example/mcp\",\"authorization_servers\":[\"https://as.example\"],"
        "\"scopes_supported\":[\"read\",\"write\",\"admin\"]}");
    SECTION("what the challenge names") {
        http_response challenge;
        challenge.status = 401;
        challenge.headers = {{"WWW-Authenticate", "Bearer scope=\"read\""}};
        w.network.on(mcp_url, [&](const http_request&) { return challenge; });
        w.start();
        const auto id = w.wait(w.manager->persons().login("up", "local"));
        REQUIRE(id.has_value());
        CHECK(w.book.find(*id)->requested == scope_set{"read"});
    }
    SECTION("where it does not say, what its metadata lists") {
        w.start();
        const auto id = w.wait(w.manager->persons().login("up", "local"));
        REQUIRE(id.has_value());
        CHECK(w.book.find(*id)->requested == scope_set{"read", "write", "admin"});
    }
    CHECK(w.network.asked(mcp_url) == 1);
}

TEST_CASE("a token endpoint that nothing is let out to is refused before anybody signs in") {
    recovery_world w;
    w.network.forbidden = {token_url};
    w.start();
    const auto there = w.wait(w.manager->persons().approve(question(w), approver::operator_token, false));
    REQUIRE_FALSE(there.has_value());
    CHECK(there.error().code == fault::egress_refused);
    CHECK(has(there.error().message, "https://as.example/token"));
}

TEST_CASE("ID tokens as bearer are asked for with openid, and renewed as such") {
    recovery_world w("url: \"" + mcp_url + "\", bearer: id_token, scopes: [read]");
    w.start();
    const auto id = question(w);
    CHECK(w.book.find(id)->requested == scope_set{"read", "openid"});
    CHECK(has(place_to_go(w, id), "scope=read%20openid"));
}

TEST_CASE("what a refusal says holds its cause and its fix, and no secret, wherever it is told") {
    recovery_world w("url: \"" + mcp_url +
                     "\", client: {id: me, secret: {env: SECRET}, issuer: \"https://as.example\"}");
    w.stored_before();
    auto held = *w.store.find_credential("local", "up", "https://as.example")->value;
    held.client_id = "me";
    held.generation = 2;
    REQUIRE(w.store.store_credential("local", "up", held, 1).has_value());
    w.network.on(token_url, [](const http_request& r) {
        http_response echo;
        echo.status = 400;
        const auto fields = parse_form(r.body.reveal());
        echo.body = "{\"error\":\"invalid_client\",\"error_description\":\"you sent " +
                    std::string(form_value(fields, "refresh_token").value_or("")) + " and client-s3cr3t\"}";
        return echo;
    });
    w.start();
    const auto r = w.refused();
    w.until([&] { return !r->approval_link.empty() || r->verdict; }, "an end");
    const auto status = w.manager->summaries().front();
    CHECK(has(status.last_outcome_detail, "invalid_client"));
    CHECK(has(status.last_outcome_detail, "client.secret")); // what to check
    CHECK(has(status.last_outcome_detail, "[redacted]"));
    for (const std::string& told : {status.last_outcome_detail, w.book.find(r->approval_id)->outcome}) {
        CHECK_FALSE(has(told, "s3cr3t"));
        CHECK_FALSE(has(told, "refresh-0"));
    }
}

TEST_CASE("the client is told why a machine's token was refused, with the fix and without the secret") {
    recovery_world w("url: \"" + mcp_url +
                     "\", grant: client_credentials, client: {id: me, secret: {env: SECRET}, issuer: "
                     "\"https://as.example\"}");
    w.network.on(token_url, 401,
                 "{\"error\":\"invalid_client\",\"error_description\":\"bad client-s3cr3t\"}");
    w.start();
    const auto said = w.verdict_of(w.refused()).why.describe();
    CHECK(has(said, "invalid_client"));
    CHECK(has(said, "`client.secret`"));
    CHECK_FALSE(has(said, "s3cr3t"));
}

TEST_CASE("a refresh that is answered 429 is not repeated before Retry-After, also after a restart") {
    recovery_world w;
    w.stored_before();
    w.start();
    http_response busy;
    busy.status = 429;
    busy.headers = {{"Retry-After", "30"}};
    w.network.on(token_url, [busy](const http_request&) { return busy; });
    auto said = w.verdict_of(w.refused());
    CHECK(said.is == verdict::fail);
    CHECK(said.why.retry_after == 30s);
    CHECK(has(said.why.fix, "it is tried again in 30 s"));
    w.verdict_of(w.refused());
    CHECK(w.network.asked(token_url) == 1);
    w.now += 10s;
    w.restart();
    said = w.verdict_of(w.refused());
    CHECK(said.is == verdict::fail);
    CHECK(has(said.why.fix, "it is tried again in 20 s"));
    CHECK(w.network.asked(token_url) == 1);
    w.now += 20s;
    w.network.on(token_url, [&w](const http_request&) { return w.fresh_token(); });
    CHECK(w.verdict_of(w.refused()).is == verdict::replay);
}

TEST_CASE("a token that a step-up replaced is revoked by the sign-out, and nothing before it") {
    recovery_world w;
    w.stored_before();
    w.start();
    const auto id = question_for(w, "write");
    REQUIRE(w.wait(w.manager->persons().callback(w.sign_in_at(place_to_go(w, id)), std::nullopt)).ok);
    w.until([&] { return !w.store.retired(false, "local", "up").value().empty(); }, "it to be kept");
    CHECK(w.network.asked(revocation_url) == 0);
    const auto said = w.wait(w.manager->persons().logout("up", "local"));
    REQUIRE(said.has_value());
    CHECK(said->revoked == 4);
    CHECK(said->left.empty());
    CHECK(w.store.retired(false, "local", "up").value().empty());
}
