// mcp-remote's arguments, each as a key of ours.
#include "conf/remote_arguments.hpp"
#include "core/mcp/mcp_remote.hpp"
#include "tests/support/text.hpp"
#include "tests/unit/conf/given.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using given::temporary_file;
using reauth::test::has;

namespace {

struct outcome {
    config settings;
    std::vector<std::string> notes;

    const upstream_config& upstream() const { return settings.upstreams.front(); }
};

config_inputs remote_home() {
    config_inputs in;
    in.environment = {{"HOME", "/home/ada"}, {"ID", "the-id"}, {"SECRET", "hush"}};
    return in;
}

result<outcome> translated(const remote_arguments& given,
                           const std::string& url = "https://mcp.example.com/mcp",
                           std::vector<std::string> headers = {}) {
    stdio_target target{url, "", std::move(headers)};
    auto inputs = remote_home();
    auto notes = apply_remote_arguments(given, target, inputs);
    if (!notes)
        return notes.error();
    auto c = config_for_stdio(target, inputs);
    if (!c)
        return c.error();
    return outcome{std::move(*c), std::move(*notes)};
}

outcome fine(const remote_arguments& given, const std::string& url = "https://mcp.example.com/mcp",
             std::vector<std::string> headers = {}) {
    auto o = translated(given, url, std::move(headers));
    if (!o)
        FAIL(o.error().message);
    return std::move(*o);
}

} // namespace

TEST_CASE("mcp-remote's switches are keys of the upstream") {
    remote_arguments a;
    a.device_code = a.id_token = a.ipv4 = a.no_cookies = a.no_resource = a.debug = true;
    a.protocol = "auto";
    a.callback_path = "/custom/callback";
    a.connect_timeout = "1.5";
    a.headers_timeout = "0";
    const auto o = fine(a);
    CHECK(o.upstream().login == login_kind::device);
    CHECK(o.upstream().bearer == bearer_kind::id_token);
    CHECK(o.upstream().prefer == address_family::ipv4);
    CHECK(o.upstream().cookies == cookie_mode::strip);
    CHECK(o.upstream().resource == "omit");
    CHECK(o.upstream().era == era_mode::bridge);
    CHECK(o.upstream().callback_path == "/custom/callback");
    CHECK(o.settings.log.level == "debug");
    CHECK(o.settings.limits.upstream_connect == milliseconds(1500));
    CHECK(o.settings.limits.upstream_answer == milliseconds(86'400'000));
    CHECK(o.notes.empty());
    CHECK(fine({}).upstream().cookies == cookie_mode::jar);
}

TEST_CASE("plain http is for those who say so, and is warned about") {
    remote_arguments a;
    CHECK(translated(a, "http://mcp:8000/mcp").has_error());
    a.allow_http = true;
    const auto o = fine(a, "http://mcp:8000/mcp");
    CHECK(o.upstream().allow_http);
    REQUIRE_FALSE(o.settings.warnings.empty());
    CHECK(has(o.settings.warnings.front(), "unprotected"));
}

TEST_CASE("a resource, parameters and a client make a sign-in of their own") {
    remote_arguments a, b, params, client;
    a.resource = "https://tenant1.example/";
    b.resource = "https://tenant2.example/";
    params.authorize_params = {"access_type=offline", "prompt=consent", "audience=a=b"};
    client.client_info = R"({"client_id": "one"})";
    CHECK(fine(a).upstream().resource == "https://tenant1.example/");
    const std::set<std::string> names{fine({}).upstream().name, fine(a).upstream().name,
                                      fine(b).upstream().name, fine(params).upstream().name,
                                      fine(client).upstream().name};
    CHECK(names.size() == 5);
    const auto sent = fine(params).upstream().authorize_params;
    CHECK(sent == std::vector<std::pair<std::string, std::string>>{
                      {"access_type", "offline"}, {"audience", "a=b"}, {"prompt", "consent"}});
    remote_arguments none;
    none.resource = " ";
    CHECK(fine(none).upstream().resource == "omit");
    CHECK(fine(none).upstream().name == fine({}).upstream().name);
}

TEST_CASE("a client that is registered comes back to the port that mcp-remote would use") {
    remote_arguments a;
    a.client_info =
        R"({"client_id": "${ID}", "client_secret": "${SECRET}", "token_endpoint_auth_method": "client_secret_post"})";
    a.issuer = "https://as.example";
    auto o = fine(a);
    CHECK(o.upstream().client.id == "the-id");
    CHECK(o.upstream().client.client_secret.equals("hush"));
    CHECK(o.upstream().client.auth == "client_secret_post");
    CHECK(o.upstream().client.issuer == "https://as.example");
    CHECK(o.notes.empty());
    const auto port = mcp_remote_port({"https://mcp.example.com/mcp", "", {}});
    CHECK(port >= 3335);
    CHECK(o.settings.approval.listen.port == port);
    CHECK(o.settings.approval.public_url == "http://localhost:" + std::to_string(port));
    a.port = "3334";
    a.host = "127.0.0.1";
    o = fine(a);
    CHECK(o.settings.approval.public_url == "http://127.0.0.1:3334");
    CHECK(o.settings.approval.listen.port == 3334);
    // nobody has registered anything: what we register is ours
    remote_arguments dynamic;
    dynamic.port = "3334";
    o = fine(dynamic);
    CHECK(o.settings.approval.listen.port == 8971);
    REQUIRE(o.notes.size() == 1);
    CHECK(has(o.notes[0], "3334"));
}

TEST_CASE("a secret in the list of processes is told, one of a file or a variable is not") {
    remote_arguments a;
    a.client_info = R"({"client_id": "one", "client_secret": "plain"})";
    auto o = fine(a);
    REQUIRE(o.notes.size() == 1);
    CHECK(has(o.notes[0], "list of processes"));
    CHECK_FALSE(has(o.notes[0], "plain\""));
    const temporary_file file(R"({"client_id": "one", "client_secret": "plain"})");
    a.client_info = "@" + file.path;
    CHECK(fine(a).notes.empty());
    CHECK(fine(a).upstream().client.client_secret.equals("plain"));
    remote_arguments headers;
    const temporary_file lines("# comment\nAuthorization: Bearer abc\n\nX-Team: blue\r\n");
    headers.header_files = {lines.path};
    o = fine(headers);
    CHECK(o.upstream().grant == grant_kind::static_token);
    CHECK(o.upstream().token.value.equals("abc"));
    CHECK(o.upstream().headers == std::vector<std::pair<std::string, std::string>>{{"X-Team", "blue"}});
    CHECK(o.settings.warnings.empty());
}

TEST_CASE("client credentials go to the endpoint that is named") {
    remote_arguments a;
    a.client_credentials = true;
    a.client_info = R"({"client_id": "one", "client_secret": "${SECRET}"})";
    a.token_endpoint = "https://auth.example.com/oauth/token";
    a.client_metadata =
        R"({"scope": "mcp.read mcp.write", "token_endpoint_auth_method": "client_secret_basic", "client_name": "x"})";
    const auto o = fine(a);
    CHECK(o.upstream().grant == grant_kind::client_credentials);
    CHECK(o.upstream().authorization_server.token_endpoint == "https://auth.example.com/oauth/token");
    CHECK(o.upstream().client.issuer == "https://auth.example.com");
    CHECK(o.upstream().client.auth == "client_secret_basic");
    CHECK(o.upstream().scopes->to_string() == "mcp.read mcp.write");
    REQUIRE(o.notes.size() == 1);
    CHECK(has(o.notes[0], "client_name"));
    a.client_credentials = false;
    CHECK(translated(a).error().message.starts_with("--token-endpoint"));
}

TEST_CASE("what can't be meant is an error that names the flag") {
    const auto says = [](auto&& change, const std::string& words) {
        remote_arguments a;
        change(a);
        const auto o = translated(a);
        REQUIRE(o.has_error());
        INFO(o.error().message);
        CHECK(has(o.error().message, words));
    };
    says([](auto& a) { a.port = "http"; }, "PORT");
    says([](auto& a) { a.authorize_params = {"nothing"}; }, "--authorize-param");
    says([](auto& a) { a.authorize_params = {"state=x"}; }, "--authorize-param");
    says([](auto& a) { a.client_info = "{"; }, "--static-oauth-client-info");
    says([](auto& a) { a.client_info = R"({"client_id": "${NOT_SET}"})"; }, "NOT_SET");
    says([](auto& a) { a.client_info = "@/nowhere/at.all"; }, "/nowhere/at.all");
    says([](auto& a) { a.header_files = {"/nowhere/at.all"}; }, "--header-file");
    says([](auto& a) { a.resource = "no uri"; }, "--resource");
    says([](auto& a) { a.callback_path = "custom"; }, "--callback-path");
    says([](auto& a) { a.client_credentials = true; }, "--client-credentials needs a client");
    says([](auto& a) { a.connect_timeout = "soon"; }, "--connect-timeout");
}

TEST_CASE("arguments that have no meaning here are told, each with the reason") {
    remote_arguments a;
    a.without_meaning = {{"--auth-timeout", "a sign-in may take its time"}};
    const auto o = fine(a);
    REQUIRE(o.notes.size() == 1);
    CHECK(o.notes[0] == "--auth-timeout has no meaning here: a sign-in may take its time");
}

TEST_CASE("arguments go over an upstream of the file too") {
    const temporary_file file("upstreams:\n  one: {url: \"https://one.example/mcp\", scopes: [a]}\n");
    for (const auto* named : {"one", "https://one.example/mcp"}) {
        stdio_target target{named, file.path, {}};
        remote_arguments a;
        a.resource = "https://other.example";
        a.client_metadata = R"({"scope": "b c"})";
        a.authorize_params = {"prompt=consent"};
        auto inputs = remote_home();
        REQUIRE(apply_remote_arguments(a, target, inputs).has_value());
        const auto c = config_for_stdio(target, inputs);
        REQUIRE(c.has_value());
        const auto& u = c->upstreams.front();
        CHECK(u.name == "one");
        CHECK(u.resource == "https://other.example");
        CHECK(u.scopes->to_string() == "b c");
        CHECK(u.authorize_params.size() == 1);
        CHECK(u.cookies == cookie_mode::strip);
    }
}
