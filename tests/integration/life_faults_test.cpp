// What once crashed, leaked or was lost in recovery, on the running server: a sign-out, a denial or a vault
// that can't be written, at the worst moment.
#include "tests/integration/relay_signed_in.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <future>

using namespace relay_test;

namespace {

/// Holds the write lock of a SQLite vault, as another process may.
class busy_vault {
public:
    explicit busy_vault(const std::string& path) {
        if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK)
            throw std::runtime_error("the test can't open the vault");
        sqlite3_busy_timeout(db_, 20'000);
        if (sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK)
            throw std::runtime_error("the test can't lock the vault");
    }
    ~busy_vault() { release(); }
    busy_vault(const busy_vault&) = delete;
    void release() {
        if (!db_)
            return;
        sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
        sqlite3_close(std::exchange(db_, nullptr));
    }

private:
    sqlite3* db_ = nullptr;
};

/// Made before the proxy that uses it, and gone after it.
struct vault_file {
    demo_directory where;
    std::string path = where.path() + "/vault.db";

    void use(config& c) const {
        c.vault.backend = vault_backend::sqlite;
        c.vault.path = path;
        c.vault.key_file = path + ".key";
    }
};

/// Signed in, with a vault in a file.
class stored_house : public vault_file, public protected_house {
public:
    stored_house() : protected_house({}, [this](config& c) { use(c); }) {
        set_faults();
        sign_in();
    }
};

http_response post_json(const running_proxy& proxy, const std::string& path, const json& body) {
    return demo_http("POST", proxy.page + "/api/" + path,
                     {{"Authorization", "Bearer " + proxy.proxy->operator_token()},
                      {"Content-Type", "application/json"}},
                     body.dump(), std::chrono::seconds(60))
        .value();
}

http_response logout(const running_proxy& proxy, const std::string& upstream = "up") {
    return post_json(proxy, "logout", {{"upstream", upstream}});
}

json credential_of_up(const running_proxy& proxy) {
    const auto all = json::parse(proxy.api("GET", "credentials").body);
    return all["credentials"][0];
}

json say(const running_proxy& proxy, const std::string& id, const std::string& verb) {
    return json::parse(proxy.api("POST", "approvals/" + id + "/" + verb).body);
}

} // namespace

TEST_CASE("a sign-out while a refresh waits for the vault neither crashes nor is undone", "[life]") {
    stored_house house;
    house.as.kill_access_tokens();
    busy_vault busy(house.path);
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}})));
    CHECK(house.proxy->await("waiting_requests", 1) == 1);
    auto out = std::async(std::launch::async, [&] { return logout(*house.proxy).status; });
    house.await([&] { return credential_of_up(*house.proxy)["held"] == false; });
    busy.release();
    CHECK(out.get() == 200);
    CHECK(credential_of_up(*house.proxy)["held"] == false);
    house.proxy->deny();
    CHECK(read_message(client).parsed()["error"]["data"]["code"] == "approval_denied");
    CHECK(house.as.counters().refresh_reuses == 0);
}

TEST_CASE("a sign-out sticks although a refresh was under way, after a restart too", "[life]") {
    stored_house house;
    house.as.kill_access_tokens();
    house.as.token_gate().close();
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}})));
    house.await([&] { return house.as.token_gate().waiting() == 1; });
    CHECK(logout(*house.proxy).status == 200);
    house.as.token_gate().open();
    house.await([&] { return house.as.token_gate().waiting() == 0; });
    CHECK(credential_of_up(*house.proxy)["held"] == false);
    house.proxy->deny();
    CHECK(read_message(client).parsed()["error"]["data"]["code"] == "approval_denied");
    running_proxy again(running_proxy::upstream(house.upstream.url()), [&](config& c) { house.use(c); });
    CHECK(credential_of_up(again)["held"] == false);
}

TEST_CASE("a denied approval can't be completed at the provider", "[life]") {
    protected_house house;
    house.set_faults();
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.initialize()));
    const auto id = house.proxy->approval()["id"].get<std::string>();
    const auto said = say(*house.proxy, id, "approve");
    REQUIRE(said["status"] == "redirect");
    house.proxy->deny();
    const auto page = demo_browse(said["location"].get<std::string>()).value();
    CHECK(page.status == 400);
    CHECK(has(page.body, "Denied."));
    CHECK(credential_of_up(*house.proxy)["held"] == false);
    CHECK(house.as.counters().codes_exchanged == 0);
    CHECK(read_message(client).parsed()["error"]["data"]["code"] == "approval_denied");
}

TEST_CASE("approvals that are decided while the vault is busy answer everybody with the outcome", "[life]") {
    stored_house house;
    CHECK(logout(*house.proxy).status == 200);
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}})));
    const auto approval = house.proxy->approval();
    const auto id = approval["id"].get<std::string>();
    const auto link = approval["link"].get<std::string>();
    const auto origin = house.proxy->page;
    busy_vault busy(house.path);
    auto from_page = std::async(std::launch::async, [&] {
        return demo_http("POST", link + "/approve",
                         {{"Origin", origin},
                          {"Sec-Fetch-Site", "same-origin"},
                          {"Content-Type", "application/x-www-form-urlencoded"}},
                         "", std::chrono::seconds(60))
            .value()
            .status;
    });
    auto from_api = std::async(
        std::launch::async, [&] { return house.proxy->api("POST", "approvals/" + id + "/approve").status; });
    house.await(
        [&] { return from_page.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready; });
    CHECK(house.proxy->api("POST", "approvals/" + id + "/deny").status == 200);
    busy.release();
    CHECK(from_api.get() == 409);
    CHECK(from_page.get() != 303);
    CHECK(read_message(client).parsed()["error"]["data"]["code"] == "approval_denied");
    CHECK(house.proxy->approvals().empty());
}

TEST_CASE("two approve calls at once get the same location", "[life]") {
    protected_house house;
    house.set_faults();
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.initialize()));
    const auto id = house.proxy->approval()["id"].get<std::string>();
    std::vector<std::future<json>> calls;
    for (int i = 0; i < 8; ++i)
        calls.push_back(std::async(std::launch::async, [&] { return say(*house.proxy, id, "approve"); }));
    std::set<std::string> locations;
    for (auto& c : calls) {
        const auto said = c.get();
        CHECK(said["status"] == "redirect");
        locations.insert(said.value("location", ""));
    }
    CHECK(locations.size() == 1);
    house.proxy->deny();
    read_message(client);
}

TEST_CASE("a rotated refresh token survives a vault that can't be written for a while", "[life]") {
    stored_house house;
    house.as.kill_access_tokens();
    house.as.token_gate().close();
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "echo", {{"text", "x"}})));
    house.await([&] { return house.as.token_gate().waiting() == 1; });
    busy_vault busy(house.path);
    house.as.token_gate().open();
    // the vault gives up after its busy time-out: the answer comes all the same, from memory
    CHECK(read_message(client).parsed()["result"]["content"][0]["text"] == "x");
    CHECK(credential_of_up(*house.proxy)["saved"] == false);
    CHECK(house.proxy->count("unsaved_credentials") == 1);
    busy.release();
    house.await([&] { return credential_of_up(*house.proxy)["saved"] == true; });
    house.as.kill_access_tokens();
    auto next = house.proxy->connect();
    REQUIRE(next.send(house.call(2, "echo", {{"text", "y"}})));
    CHECK(read_message(next).parsed()["result"]["content"][0]["text"] == "y");
    CHECK(house.as.counters().refresh_reuses == 0);
    CHECK(house.as.counters().refreshes == 2);
    CHECK(house.as.counters().authorizations == 1);
}

TEST_CASE("a sign-out ends a pending step-up: approving it signs nobody in", "[life]") {
    signed_in house;
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "publish", {{"text", "x"}})));
    const auto id = house.proxy->approval()["id"].get<std::string>();
    const auto said = say(*house.proxy, id, "approve");
    REQUIRE(said["status"] == "redirect");
    CHECK(logout(*house.proxy).status == 200);
    CHECK(demo_browse(said["location"].get<std::string>()).value().status == 400);
    CHECK(house.proxy->api("POST", "approvals/" + id + "/approve").status == 409);
    CHECK(credential_of_up(*house.proxy)["held"] == false);
    house.proxy->deny(); // the request was judged anew
    read_message(client);
}

TEST_CASE("a configured token can't be signed out of, and its file is read again when it changes", "[life]") {
    protected_house house;
    demo_directory where;
    const auto file = where.path() + "/token";
    demo_authority authority;
    authority.scopes = scope_set{"mcp:tools"};
    std::ofstream(file) << house.as.issue_access_token(authority) << '\n';
    running_proxy proxy(
        running_proxy::upstream(house.upstream.url(), "grant: static, token: {file: " + file + "}"));
    const auto ask = [&] {
        auto client = proxy.connect();
        client.send(proxy.request(
            "POST /up", json_fields,
            rpc(0, "initialize", {{"protocolVersion", "2025-11-25"}, {"capabilities", json::object()}})
                .dump()));
        return read_message(client).parsed();
    };
    CHECK(ask().contains("result"));
    const auto out = logout(proxy);
    CHECK(out.status / 100 == 4);
    CHECK(has(out.body, "comes from the configuration"));
    CHECK(ask().contains("result"));
    house.as.kill_access_tokens();
    CHECK(ask()["error"]["data"]["code"] == "reauth_failed");
    std::ofstream(file, std::ios::trunc) << house.as.issue_access_token(authority) << '\n';
    CHECK(ask().contains("result"));
}

TEST_CASE("a token is never sent to another origin: reload and restart find nothing", "[life]") {
    stored_house house;
    played_upstream elsewhere;
    const auto yaml = running_proxy::upstream(elsewhere.url());
    const auto moved = [&](config& c) { house.use(c); };
    const auto first_request_of = [&](const running_proxy& proxy) {
        auto client = proxy.connect();
        client.send(proxy.request("GET /up"));
        auto server = elsewhere.accept();
        const auto head = server.head();
        server.send(answer("hello"));
        read_message(client);
        return head;
    };
    auto fresh = settings_of(yaml, house.proxy->home.path());
    moved(fresh);
    fresh.listen = {"127.0.0.1", house.proxy->port(), ""};
    REQUIRE(house.proxy->proxy->reload(std::move(fresh)).has_value());
    CHECK_FALSE(has(first_request_of(*house.proxy), "Authorization:"));
    CHECK(credential_of_up(*house.proxy)["held"] == false);
    running_proxy restarted(yaml, moved);
    CHECK_FALSE(has(first_request_of(restarted), "Authorization:"));
}

TEST_CASE("an upstream that varies its scopes opens a handful of approvals, the excess learns why",
          "[life]") {
    protected_house house("policy: [{match: {upstream: up}, action: interactive, wait: {mode: fail}}]\n");
    demo_mcp_faults faults;
    std::atomic<int> n{0};
    faults.patch_challenge = [&](unsigned, std::string& challenge) {
        challenge = "Bearer scope=\"scope-" + std::to_string(++n) + "\"";
    };
    house.set_faults(std::move(faults));
    auto client = house.proxy->connect();
    unsigned refused = 0;
    for (int i = 0; i < 30; ++i) {
        REQUIRE(client.send(house.initialize(i)));
        const auto back = read_message(client).parsed();
        refused += back["error"]["data"]["code"] == "overloaded" ? 1 : 0;
    }
    CHECK(house.proxy->approvals().size() == 5);
    CHECK(refused == 25);
}

TEST_CASE("a reload while a recovery is under way touches the vault from one thread only", "[life]") {
    stored_house house;
    for (int i = 0; i < 5; ++i) {
        house.as.kill_access_tokens();
        auto client = house.proxy->connect();
        REQUIRE(client.send(house.call(i, "echo", {{"text", "x"}})));
        auto fresh = settings_of(running_proxy::upstream(house.upstream.url()), house.proxy->home.path());
        house.use(fresh);
        fresh.listen = {"127.0.0.1", house.proxy->port(), ""};
        fresh.approval.public_url = house.proxy->page;
        REQUIRE(house.proxy->proxy->reload(std::move(fresh)).has_value());
        const auto back = read_message(client);
        INFO(back.head << back.body);
        CHECK(has(back.body, "\"text\":\"x\""));
    }
    CHECK(house.as.counters().refresh_reuses == 0);
    CHECK(house.as.counters().authorizations == 1);
}

TEST_CASE("a pass rule that depends on the tool relays that challenge alone", "[life]") {
    signed_in house("policy: [{name: theirs, match: {tool: publish}, action: pass}]\n");
    auto client = house.proxy->connect();
    REQUIRE(client.send(house.call(1, "publish", {{"text", "x"}})));
    const auto relayed = read_message(client);
    CHECK(relayed.status() == 403);
    CHECK(has(relayed.head, "WWW-Authenticate: Bearer"));
    CHECK(has(relayed.head, "insufficient_scope"));
    REQUIRE(client.send(house.call(2, "echo", {{"text", "y"}})));
    CHECK(read_message(client).parsed()["result"]["content"][0]["text"] == "y");
    CHECK(house.proxy->approvals().empty());
}

TEST_CASE("a vault file that disappears makes the proxy unready, until it is back", "[life]") {
    vault_file vault;
    const auto port = demo_free_port(0);
    protected_house house({}, [&](config& c) {
        vault.use(c);
        c.metrics = endpoint_config{"127.0.0.1", port, ""};
    });
    house.set_faults();
    house.sign_in();
    const auto ready = [&] {
        return demo_http("GET", "http://127.0.0.1:" + std::to_string(port) + "/readyz", {}).value();
    };
    CHECK(ready().status == 200);
    std::filesystem::rename(vault.path, vault.path + ".aside");
    house.await([&] { return ready().status == 503; });
    CHECK(has(ready().body, vault.path));
    CHECK(has(ready().body, "removed or replaced"));
    std::filesystem::rename(vault.path + ".aside", vault.path);
    house.await([&] { return ready().status == 200; });
}
