// What the relay remembers of clients and servers.
#include "proxy/relay/client_names.hpp"
#include "proxy/relay/old_transports.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

TEST_CASE("a client's name is found by its session and its credential, and nowhere else") {
    client_names names;
    names.remember(1, "s-1", "cursor");
    names.remember(2, "s-1", "claude-code");
    names.remember(1, "", "nobody");
    CHECK(names.find(1, "s-1") == "cursor");
    CHECK(names.find(2, "s-1") == "claude-code");
    CHECK(names.find(1, "s-2").empty());
    CHECK(names.find(1, "").empty());
    names.remember(1, "s-1", "vscode");
    CHECK(names.find(1, "s-1") == "vscode");
}

TEST_CASE("client names are bounded: the oldest sessions are forgotten, and a name has a length") {
    client_names names;
    for (std::size_t i = 0; i <= client_names::most_sessions; ++i)
        names.remember(1, std::to_string(i), "c");
    CHECK(names.find(1, "0").empty());
    CHECK(names.find(1, "1") == "c");
    names.remember(1, "long", std::string(100'000, 'x'));
    CHECK(names.find(1, "long").size() == 120);
}

TEST_CASE("an old transport is learned by URL, or told by its path") {
    old_transports old;
    CHECK_FALSE(old.is_old("https://a.example/mcp"));
    CHECK(old.is_old("https://a.example/sse"));
    old.learn("https://a.example/mcp");
    CHECK(old.is_old("https://a.example/mcp"));
    CHECK_FALSE(old.is_old("https://b.example/mcp"));
}
