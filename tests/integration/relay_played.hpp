// An upstream that the test plays, behind an authorization server: for what real servers do not answer.
#pragma once

#include "proxy/demo/authorization_server.hpp"
#include "tests/integration/relay_fixture.hpp"

namespace relay_test {

/// An authorization server, an upstream that the test plays, and the proxy; waiting calls stream at once.
struct played_house {
    asio::io_context io;
    demo_authorization_server as;
    std::string issuer, yaml;
    std::thread thread;
    std::unique_ptr<played_upstream> up;
    std::unique_ptr<running_proxy> proxy;

    explicit played_house(const std::string& more = {}) : played_house(more, nullptr) {
        proxy = std::make_unique<running_proxy>(yaml);
    }
    /// Without a proxy: that is up to whoever derives from it.
    played_house(const std::string& more, std::nullptr_t) : as(io.get_executor(), options()) {
        as.start().value();
        issuer = as.issuer();
        thread = std::thread([this] { io.run(); });
        up = std::make_unique<played_upstream>([this](const std::string& url) {
            return json{{"resource", url}, {"authorization_servers", {issuer}}}.dump();
        });
        yaml = "policy: [{match: {upstream: up}, action: interactive, wait: {mode: stream, grace: 0s}}]\n" +
               running_proxy::upstream(up->url(), more);
    }
    ~played_house() {
        proxy.reset();
        up.reset();
        as.stop();
        thread.join();
    }
    static demo_authorization_options options() {
        demo_authorization_options made;
        made.access_lifetime = std::chrono::hours(1);
        made.auto_approve = true;
        return made;
    }
    std::string call(const std::string& fields = {}) const {
        return proxy->request("POST /up", json_fields + fields,
                              rpc(7, "tools/call", {{"name", "echo"}}).dump());
    }
    /// A call that is challenged, and the upstream's connection for its replay, signed in.
    wire replayed(wire& client, const std::string& challenge) {
        client.send(call());
        auto first = up->accept();
        read_message(first);
        first.send(challenge);
        CHECK(field(client.head(), "Content-Type") == "text/event-stream"); // it waits in our stream
        proxy->approve();
        auto second = up->accept(); // a fresh one, since a person was waited for
        const auto again = read_message(second);
        CHECK(has(again.head, "Authorization: Bearer "));
        CHECK(has(again.head, "Accept-Encoding: identity\r\n"));
        return second;
    }
    std::string challenge(const std::string& status = "401 Unauthorized",
                          const std::string& scheme = "Bearer") const {
        return answer(
            "",
            "WWW-Authenticate: " + scheme + " resource_metadata=\"http://" + up->authority() +
                "/.well-known/oauth-protected-resource/mcp\"\r\nLocation: https://login.example/\r\n",
            status);
    }
};

inline std::vector<json> events_in(const std::string& text) {
    std::vector<json> out;
    for (std::size_t at = 0; (at = text.find("data: ", at)) != std::string::npos; ++at)
        out.push_back(json::parse(text.substr(at + 6, text.find('\n', at) - at - 6), nullptr, false));
    return out;
}

} // namespace relay_test
