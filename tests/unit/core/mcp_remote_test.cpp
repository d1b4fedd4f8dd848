// What mcp-remote keeps, as it writes it.
#include "core/mcp/mcp_remote.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using namespace std::chrono_literals;

namespace {
const auto read_at = time_point(std::chrono::seconds(1'800'000'000));
const char* const client =
    R"({"redirect_uris":["http://localhost:3334/oauth/callback"],"client_id":"c1","client_secret":"s",
  "token_endpoint_auth_method":"client_secret_post","client_id_issued_at":1700000000,"client_secret_expires_at":0,"issuer":"https://as.example"})";
} // namespace

TEST_CASE("mcp-remote's files are found by the URL as it was given, whatever slash it ended with") {
    // md5 of the text, as its getServerUrlHash() makes it
    CHECK(mcp_remote_keys({"https://mcp.example.com/mcp", "", {}}) ==
          std::vector<std::string>{"94baabe3c3fadb285b26c035e4e86046", "009f3d837fca855373ee6bc0a55639f0"});
    CHECK(mcp_remote_keys({"https://a.example/mcp", "https://r.example", {{"B", "2"}, {"A", "1"}}}).front() ==
          "b782bb94d41e802851c549c37e4d7242");
}

TEST_CASE("tokens and client of mcp-remote become a credential and a registration") {
    const secret tokens(
        R"({"access_token":"a","token_type":"bearer","refresh_token":"r","expires_in":3600,"scope":"read write",
      "expires_at":1800000600000,"requested_scope":"read write admin"})");
    const auto read = read_mcp_remote(tokens, secret(client), read_at);
    REQUIRE(read.has_value());
    CHECK(read->held.access_token.equals("a"));
    CHECK(read->held.refresh_token.equals("r"));
    CHECK(read->held.expires_at == read_at + 600s);
    CHECK(read->held.granted.to_string() == "read write");
    CHECK(read->held.requested.to_string() == "read write admin");
    CHECK(read->held.issuer == "https://as.example");
    CHECK(read->held.client_id == "c1");
    REQUIRE(read->client);
    CHECK(read->client->identity.method == client_auth_method::client_secret_post);
    CHECK_FALSE(read->client->secret_expires_at);
    CHECK(read->client->redirect_uri == "http://localhost:3334/oauth/callback");
}

TEST_CASE("a token of mcp-remote that would forge a header field is not taken over") {
    for (const auto* tokens :
         {R"({"access_token":"a\r\nX-Evil: 1"})", R"({"access_token":"a b"})",
          R"({"access_token":"a\u0000"})", R"({"access_token":"a","refresh_token":"r\n"})",
          R"({"access_token":"a\u00e4"})"}) {
        const auto read = read_mcp_remote(secret(tokens), secret(client), read_at);
        REQUIRE(read.has_error());
        CHECK(read.error().code == fault::invalid_configuration);
        CHECK(read.error().message.find("Evil") == std::string::npos);
    }
}

TEST_CASE("what mcp-remote does not say is not made up, and what it does not write is refused") {
    auto read = read_mcp_remote(secret(R"({"access_token":"a","refresh_token":"r"})"), secret(), read_at);
    REQUIRE(read.has_value());
    CHECK(read->held.expires_at == read_at); // not known: it is renewed before it is used
    CHECK_FALSE(read->client);
    read = read_mcp_remote(secret(R"({"access_token":"a"})"), secret(), read_at);
    REQUIRE(read.has_value());
    CHECK_FALSE(read->held.expires_at);
    for (const char* text :
         {"", "[]", "{", R"({"refresh_token":"r"})", R"({"access_token":"a","token_type":"DPoP"})"})
        CHECK_FALSE(read_mcp_remote(secret(text), secret(), read_at).has_value());
    CHECK_FALSE(read_mcp_remote(secret(R"({"access_token":"a"})"), secret("{}"), read_at).has_value());
}
