// Challenges that are no 401: other statuses, results, redirects to a login page, and a server's own ways.
#include "proxy/vault/credential_store.hpp"
#include "proxy/vault/open.hpp"
#include "tests/integration/relay_played.hpp"

using namespace relay_test;

namespace {

const std::string done_7 = R"({"jsonrpc":"2.0","id":7,"result":{"ok":true}})";
const std::string as_json = "Content-Type: application/json\r\n";

/// Signed in, a while ago: what is refused was not just issued. With the upstream's connection at hand.
struct signed_in_house : played_house {
    demo_directory kept;
    wire client, server;
    explicit signed_in_house(const std::string& more = {}) : played_house(more, nullptr) {
        const auto keep = [this](config& settings) {
            settings.vault.backend = vault_backend::sqlite;
            settings.vault.path = kept.path() + "/vault.db";
            settings.vault.key_file = kept.path() + "/vault.key";
        };
        proxy = std::make_unique<running_proxy>(yaml, keep);
        {
            auto first = proxy->connect();
            auto then = replayed(first, challenge());
            then.send(answer(done_7, as_json));
            first.chunks();
        }
        proxy.reset();
        make_older(keep);
        proxy = std::make_unique<running_proxy>(yaml, keep);
        client = proxy->connect();
    }
    void make_older(const std::function<void(config&)>& keep) {
        config settings;
        keep(settings);
        auto records = open_vault(settings.vault).value();
        credential_store store(*records);
        auto held = store.find_credential("local", "up", issuer).value().value.value();
        held.obtained_at -= std::chrono::minutes(1);
        const auto before = held.generation++;
        store.store_credential("local", "up", held, before).value();
    }
    /// Sends a call; the upstream's view of it.
    message ask() {
        client.send(call());
        server = up->accept();
        return read_message(server);
    }
    /// What the upstream sees after it has answered with that.
    message then(const std::string& bytes) {
        server.send(bytes);
        return read_message(server);
    }
    std::uint64_t refreshes() { return as.counters().refreshes; }
};

std::string token_in(const message& request) {
    return request.get("Authorization");
}

} // namespace

TEST_CASE("a 400 that says invalid_token is a challenge, any other 400 is the server's answer",
          "[challenge]") {
    signed_in_house house;
    const auto before = house.ask();
    const auto again =
        house.then(answer("", "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n", "400 Bad Request"));
    CHECK(token_in(again) != token_in(before));
    house.server.send(
        answer("no", "WWW-Authenticate: Bearer error=\"invalid_request\"\r\n", "400 Bad Request"));
    CHECK(read_message(house.client).status() == 400);
}

TEST_CASE("a challenge in a tool's result is one where the configuration says so", "[challenge]") {
    const std::string body =
        R"({"jsonrpc":"2.0","id":7,"result":{"isError":true,"content":[],"_meta":{"mcp/www_authenticate":)"
        R"(["Bearer error=\"invalid_token\", error_description=\"over\""]}}})";
    SECTION("not without the key") {
        signed_in_house house;
        house.ask();
        house.server.send(answer(body, as_json));
        CHECK(read_message(house.client).body == body);
    }
    const std::string event = "event: message\ndata: " + body + "\n\n";
    const std::pair<std::string, std::string> forms[] = {
        {body, as_json},
        {event, "Content-Type: text/event-stream\r\n"},
        {"id: 1\ndata:\n\n" + event, "Content-Type: text/event-stream\r\n"}};
    for (const auto& [text, type] : forms) {
        signed_in_house house("challenges: [http, result]");
        const auto before = house.ask();
        const auto again = house.then(answer(text, type));
        CHECK(token_in(again) != token_in(before));
        house.server.send(answer(done_7, as_json));
        CHECK(read_message(house.client).body == done_7);
        // and what is no challenge passes byte for byte
        for (const std::string other :
             {R"({"jsonrpc":"2.0","id":7,"result":{"text":"mcp/www_authenticate"}})",
              R"({"jsonrpc":"2.0","id":7,"result":{"_meta":{"mcp/www_authenticate":7}}})"}) {
            house.client.send(house.call());
            read_message(house.server);
            house.server.send(answer(other, as_json));
            CHECK(read_message(house.client).body == other);
        }
        const std::string large(300'000, 'x');
        house.client.send(house.call());
        read_message(house.server);
        house.server.send(answer(large, as_json));
        CHECK(read_message(house.client).body == large);
    }
}

TEST_CASE("a login page in place of a challenge costs one renewal, and then an error that names it",
          "[challenge]") {
    for (const char* status : {"302 Found", "303 See Other", "307 Temporary Redirect"}) {
        INFO(status);
        signed_in_house house;
        const auto before = house.ask();
        const auto page = answer("", "Location: /login?next=%2Fmcp\r\n", status);
        const auto again = house.then(page);
        CHECK(token_in(again) != token_in(before));
        CHECK(again.head.rfind("POST /mcp ", 0) == 0);
        house.server.send(page);
        const auto back = read_message(house.client);
        CHECK(back.status() == 200);
        CHECK(has(back.body, "redirects to /login, away from"));
        CHECK(has(back.body, "\"id\":7"));
        CHECK(house.refreshes() == 1);
    }
}

TEST_CASE(
    "a status that the configuration calls a challenge is one, but not to a token that is just obtained",
    "[challenge]") {
    signed_in_house house("treat_as_challenge: [500]");
    const auto before = house.ask();
    const auto error = answer(R"({"error":"invalid_token","error_description":"unknown"})", as_json,
                              "500 Internal Server Error");
    const auto again = house.then(error);
    CHECK(token_in(again) != token_in(before));
    house.server.send(error);
    CHECK(read_message(house.client).status() == 500);
    CHECK(house.refreshes() == 1);
}

TEST_CASE("a 500 with an OAuth error in it is relayed, whole", "[challenge]") {
    signed_in_house house;
    house.ask();
    const std::string body = R"({"error":"server_error","error_description":"x"})";
    house.server.send(answer(body, as_json, "500 Internal Server Error"));
    const auto back = read_message(house.client);
    CHECK(back.status() == 500);
    CHECK(back.body == body);
}

TEST_CASE("a server that wants a fresh sign-in gets one: no refresh is spent for it", "[challenge]") {
    signed_in_house house;
    house.ask();
    house.server.send(answer("",
                             "WWW-Authenticate: Bearer error=\"insufficient_user_authentication\", "
                             "acr_values=\"mfa\", max_age=\"60\"\r\n",
                             "401 Unauthorized"));
    CHECK(field(house.client.head(), "Content-Type") == "text/event-stream");
    const auto asked = house.proxy->approval();
    CHECK(asked["reason"] == "user_authentication");
    CHECK(asked["authentication"]["acr_values"] == "mfa");
    CHECK(asked["authentication"]["max_age"] == 60);
    const auto there =
        json::parse(house.proxy->api("POST", "approvals/" + asked["id"].get<std::string>() + "/approve")
                        .body)["location"];
    CHECK(has(there.get<std::string>(), "acr_values=mfa&max_age=60"));
    house.proxy->approve();
    auto second = house.up->accept();
    read_message(second);
    second.send(answer(done_7, as_json));
    CHECK(events_in(house.client.chunks()).back()["result"]["ok"] == true);
    CHECK(house.refreshes() == 0);
}
