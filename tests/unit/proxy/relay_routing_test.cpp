// Which upstream a target goes to, what is asked of it there, and which paths are refused.
#include "conf/load.hpp"
#include "proxy/relay/routing.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

namespace {

struct map_of {
    credential_numbers numbers;
    std::shared_ptr<const routing_table> table;

    explicit map_of(const std::string& upstreams) {
        config_inputs inputs;
        inputs.environment = {{"HOME", "/nonexistent"}};
        auto loaded =
            load_config_text("vault: {backend: memory}\nupstreams:\n" + upstreams, "t.yaml", inputs);
        if (!loaded)
            FAIL(loaded.error().describe());
        auto made = make_routing_table(std::make_shared<const config>(std::move(*loaded)), numbers);
        REQUIRE(made.has_value());
        table = *made;
    }
    /// "NAME TARGET", or "none".
    std::string of(const std::string& target) const {
        const auto match = find_route(table->mounts, target);
        if (!match.to)
            return "none";
        std::string out = match.to->upstream->name + " ";
        append_upstream_target(*match.to, match, out);
        return out;
    }
};

bool refused(const std::string& target) {
    return unsafe_path(target) != nullptr;
}

} // namespace

TEST_CASE("the prefix chooses the upstream, the rest follows its path, the query is kept") {
    map_of m("  github: {url: \"https://api.example/mcp\"}\n  root: {url: \"https://r.example\"}\n");
    CHECK(m.of("/github") == "github /mcp");
    CHECK(m.of("/github?a=b&c=%2F") == "github /mcp?a=b&c=%2F");
    CHECK(m.of("/github/") == "github /mcp/");
    CHECK(m.of("/github/x/y?z") == "github /mcp/x/y?z");
    CHECK(m.of("/root") == "root /");
    CHECK(m.of("/root/x") == "root /x");
    CHECK(m.of("/githubber") == "none");
    CHECK(m.of("/GitHub") == "none");
    CHECK(m.of("/") == "none");
    CHECK(m.of("*") == "none");
    CHECK(m.of("/git%68ub") == "none");
}

TEST_CASE("the longest prefix wins and the root takes the rest") {
    map_of m("  all: {url: \"https://a.example/base\", path: /}\n  deep: {url: \"https://d.example/d/\", "
             "path: /x/y}\n");
    CHECK(m.of("/x/y/z") == "deep /d/z");
    CHECK(m.of("/x/y") == "deep /d/");
    CHECK(m.of("/x/yz") == "all /base/x/yz");
    CHECK(m.of("/") == "all /base");
    CHECK(m.of("/?q=1") == "all /base?q=1");
}

TEST_CASE("a query of the upstream's URL comes first") {
    map_of m("  q: {url: \"https://q.example/mcp?tenant=1\"}\n");
    CHECK(m.of("/q") == "q /mcp?tenant=1");
    CHECK(m.of("/q?x=2") == "q /mcp?tenant=1&x=2");
    CHECK(m.of("/q?") == "q /mcp?tenant=1");
}

TEST_CASE("an upstream with a listener of its own answers there at the root and at its own path") {
    map_of m("  own: {url: \"https://o.example/v1/mcp\", listen: \"127.0.0.1:8980\"}\n  other: {url: "
             "\"https://x.example\"}\n");
    listener_identity here;
    here.address = "127.0.0.1:8980";
    here.dedicated = true;
    const auto target = [&](const std::string& t) {
        const auto match = find_route(here.mounts(*m.table), t);
        std::string out;
        if (match.to)
            append_upstream_target(*match.to, match, out);
        return out;
    };
    CHECK(target("/") == "/v1/mcp");
    CHECK(target("/v1/mcp") == "/v1/mcp");
    CHECK(target("/v1/mcp/x") == "/v1/mcp/x");
    CHECK(target("/x") == "/v1/mcp/x");
    here.address = "127.0.0.1:9";
    CHECK(target("/").empty());
}

TEST_CASE("dot segments are refused in every spelling") {
    for (const auto* path :
         {"/a/../b", "/..", "/.", "/a/.", "/a/./b", "/a/%2e%2e/b", "/a/%2E%2e", "/a/.%2e/b", "/a/%2e./b",
          "/a/%2e", "/a/..;x/b", "/a/.;/b", "/%2e%2e;v=1/b", "/a/..?q"}) {
        INFO(path);
        CHECK(refused(path));
    }
    for (const auto* path :
         {"/a/...", "/a/..b", "/a/.well-known", "/a/b..", "/a/%2eb", "/a?x=../..", "/a/%252e%252e", "/"}) {
        INFO(path);
        CHECK_FALSE(refused(path));
    }
}

TEST_CASE("encoded slashes, backslashes and NUL are refused") {
    for (const auto* path : {"/a%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb", "/a\\b", "/a%00", "/%2f"}) {
        INFO(path);
        CHECK(refused(path));
    }
    CHECK_FALSE(refused("/a?x=%2f%5c%00"));
    CHECK_FALSE(refused("/a%2"));
    CHECK_FALSE(refused("/a%"));
}

TEST_CASE("OAuth metadata is recognised wherever clients look for it") {
    for (const auto* path :
         {"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/github",
          "/.well-known/oauth-authorization-server?x", "/github/.well-known/openid-configuration",
          "/.well-known/openid-configuration/github"})
        CHECK(oauth_metadata_path(path));
    for (const auto* path :
         {"/.well-known/agent.json", "/x?/.well-known/oauth-protected-resource", "/well-known/oauth-x"})
        CHECK_FALSE(oauth_metadata_path(path));
}

TEST_CASE("an upstream's origin and resource keep their number for life, another origin gets another one") {
    credential_numbers numbers;
    const auto a = numbers.number("u", "https://a auto");
    CHECK(numbers.number("v", "https://a auto") != a);
    CHECK(numbers.number("u", "https://b auto") != a);
    CHECK(numbers.number("u", "https://a auto") == a);
}

TEST_CASE("a principal is one value, whoever names it, and its credential another one for each upstream") {
    const auto ada = principal_id::of("ada");
    CHECK(ada == principal_id::of(std::string("ad") + "a"));
    CHECK_FALSE(ada == principal_id::of("grace"));
    CHECK(ada.name() == "ada");
    CHECK(principal_id() == principal_id::of("local"));
    route here, there;
    here.binding = 1;
    there.binding = 2;
    const request_target a{nullptr, &here, ada}, b{nullptr, &there, ada},
        c{nullptr, &here, principal_id::of("grace")};
    CHECK(a.credential() != b.credential());
    CHECK(a.credential() != c.credential());
    CHECK(a.credential() == request_target{nullptr, &here, principal_id::of("ada")}.credential());
}
