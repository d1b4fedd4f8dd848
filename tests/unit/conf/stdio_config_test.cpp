// What `mcp-reauth stdio` makes of its arguments.
#include "conf/stdio_config.hpp"
#include "conf/values.hpp"
#include "tests/support/text.hpp"
#include "tests/unit/conf/given.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using given::temporary_file;
using reauth::test::has;

namespace {

config_inputs at_home() {
    config_inputs in;
    in.environment = {{"HOME", "/home/ada"}, {"TOKEN", "s3cret"}, {"TEAM", "blue"}, {"EMPTY", " "}};
    return in;
}

} // namespace

TEST_CASE("a URL needs no file, and tells its upstream apart from others on the host") {
    const auto c = config_for_stdio({"https://mcp.example.com/mcp", "", {}}, at_home());
    REQUIRE(c.has_value());
    REQUIRE(c->upstreams.size() == 1);
    CHECK(c->upstreams[0].name == "example");
    CHECK(c->upstreams[0].path == "/");
    CHECK(c->vault.path == "/home/ada/.local/state/mcp-reauth/vault.db");
    const auto name = [](const char* url) { return name_for_url(*parse_http_url(url)); };
    CHECK(name("https://mcp.example.com") == "example");
    CHECK(name("https://mcp.example.com/sse/") == "example");
    CHECK(name("https://mcp.example.com/a/mcp") != name("https://mcp.example.com/b/mcp"));
    CHECK(has(name("https://mcp.example.com/a/mcp"), "example-"));
    CHECK(name("http://127.0.0.1:3000/mcp") != name("http://127.0.0.1:3001/mcp"));
    CHECK(name("https://mcp.example.com/a/mcp") == name("https://mcp.example.com/a/mcp/"));
}

TEST_CASE("an upstream of the file is named, or has that URL, and the others' secrets are not needed") {
    const temporary_file file(
        "client_auth: {bearer: {env: NOT_SET}}\n"
        "metrics: {listen: \"127.0.0.1:1\"}\n"
        "upstreams:\n"
        "  one: {url: \"https://one.example/mcp\", scopes: [a]}\n"
        "  two: {url: \"https://two.example/mcp\", grant: static, token: {env: NOT_SET}}\n");
    auto c = config_for_stdio({"one", file.path, {}}, at_home());
    REQUIRE(c.has_value());
    CHECK(c->upstreams.size() == 1);
    CHECK(c->upstreams[0].url == "https://one.example/mcp");
    CHECK(c->client_auth.empty());
    CHECK_FALSE(c->metrics);
    c = config_for_stdio({"https://one.example/mcp", file.path, {}}, at_home());
    REQUIRE(c.has_value());
    CHECK(c->upstreams[0].name == "one");
    CHECK(c->upstreams[0].scopes);
    c = config_for_stdio({"https://three.example/mcp", file.path, {}}, at_home());
    REQUIRE(c.has_value());
    CHECK(c->upstreams[0].name == "three");
    c = config_for_stdio({"two", file.path, {}}, at_home());
    REQUIRE_FALSE(c.has_value());
    CHECK(has(c.error().message, "NOT_SET"));
    c = config_for_stdio({"onee", file.path, {}}, at_home());
    REQUIRE_FALSE(c.has_value());
    CHECK(has(c.error().message, "did you mean 'one'?"));
    c = config_for_stdio({"one", "", {}}, at_home());
    REQUIRE_FALSE(c.has_value());
    CHECK(has(c.error().fix, "--config"));
}

TEST_CASE("an Authorization of any scheme is a static token, sent as it was given") {
    const auto made = [](const char* header) {
        auto c = config_for_stdio({"https://a.example/mcp", "", {header}}, at_home());
        REQUIRE(c.has_value());
        return c->upstreams[0];
    };
    const auto basic = made("Authorization: Basic ${TOKEN}");
    CHECK(basic.grant == grant_kind::static_token);
    CHECK(basic.token_type == token_form::basic);
    CHECK(basic.token.value.equals("s3cret"));
    CHECK(made("authorization: token abc").token_type == token_form::token);
    CHECK(made("Authorization: abc").token_type == token_form::none);
    const auto other = made("Authorization: ApiKey abc");
    CHECK(other.token_type == token_form::none);
    CHECK(other.token.value.equals("ApiKey abc"));
}

TEST_CASE("headers tell tenants apart: another name, and another binding") {
    const auto made = [](std::vector<std::string> headers) {
        auto c = config_for_stdio({"https://a.example/mcp", "", std::move(headers)}, at_home());
        REQUIRE(c.has_value());
        return c->upstreams[0];
    };
    const auto none = made({}), a = made({"X-Stack: a"}), b = made({"X-Stack: b"});
    CHECK(none.header_binding == "-");
    CHECK(a.name != none.name);
    CHECK(a.name != b.name);
    CHECK(a.header_binding != b.header_binding);
    CHECK(made({"x-stack:a"}).name == a.name);
    CHECK(made({"X-Stack: a", "X-Team: b"}).name == made({"X-Team: b", "X-Stack: a"}).name);
    // the token is no tenant, and a variable's value may change
    CHECK(made({"X-Stack: a", "Authorization: Bearer ${TOKEN}"}).name == a.name);
    CHECK(made({"X-Stack: ${TEAM}"}).name != made({"X-Stack: blue"}).name);
}

TEST_CASE("headers of the command line take variables, and a bearer is a static token") {
    auto c = config_for_stdio(
        {"https://a.example/mcp", "", {"X-Team:  ${TEAM}-1", "Authorization: Bearer ${TOKEN}"}}, at_home());
    REQUIRE(c.has_value());
    const auto& u = c->upstreams[0];
    REQUIRE(u.headers.size() == 1);
    CHECK(u.headers[0] == std::pair<std::string, std::string>("X-Team", "blue-1"));
    CHECK(u.grant == grant_kind::static_token);
    CHECK(u.token.value.equals("s3cret"));
    CHECK(c->warnings.empty());
    CHECK(c->secret_variables == std::vector<std::string>{"TEAM", "TOKEN"});
    c = config_for_stdio({"https://a.example/mcp", "", {"Authorization: Bearer in-the-open"}}, at_home());
    REQUIRE(c.has_value());
    CHECK(has(c->warnings.at(0), "list of processes"));
    const auto refused = [](const char* header) {
        const auto made = config_for_stdio({"https://a.example/mcp", "", {header}}, at_home());
        return made ? std::string() : made.error().message;
    };
    CHECK(has(refused("X-A: ${MISSING}"), "MISSING"));
    CHECK(has(refused("no header"), "--header"));
    CHECK(has(refused("Authorization: Bearer ${EMPTY}"), "EMPTY, which is empty"));
    CHECK(has(refused("Authorization: Bearer $TOKEN"), "nobody has replaced"));
    CHECK(has(refused("Authorization: Bearer a b"), "white space"));
    CHECK(has(refused("Content-Length: 1"), "Content-Length"));
    CHECK(has(refused("X-A: a\nb"), "control characters"));
}
