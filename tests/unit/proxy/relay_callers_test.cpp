// Who calls: bearers, tokens, certificates and a gateway's word, and what a stranger hears.
#include "proxy/relay/caller_answer.hpp"
#include "proxy/relay/caller_gate.hpp"

#include "core/crypto/jose.hpp"
#include "core/crypto/random.hpp"
#include "core/json/json_fields.hpp"

#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

using namespace reauth;
using nlohmann::json;
using check_kind = caller_check::kind;

namespace {

const std::string host_line = "Host: mcp.acme.example\r\n";

client_auth_entry bearer_entry(std::string principal, std::string token) {
    client_auth_entry e;
    e.principal = std::move(principal);
    e.bearer = secret(std::move(token));
    return e;
}

client_auth_entry jwt_entry(std::string issuer, std::string name) {
    client_auth_entry e;
    e.proof = caller_proof::jwt;
    e.name = std::move(name);
    e.jwt.issuer = std::move(issuer);
    e.jwt.audience = {"https://mcp.acme.example"};
    return e;
}

client_auth_entry gateway_entry(std::string secret_name) {
    client_auth_entry e;
    e.proof = caller_proof::header;
    e.name = "gateway";
    e.header = {"X-User", "X-Groups", std::move(secret_name), secret("gateway-secret-123456")};
    return e;
}

client_auth_entry certificate_entry(certificate_name which) {
    client_auth_entry e;
    e.proof = caller_proof::mtls;
    e.name = "mtls";
    e.mtls.principal = which;
    return e;
}

struct caller_door {
    std::shared_ptr<config> settings = std::make_shared<config>();
    credential_numbers numbers;
    std::shared_ptr<const routing_table> table;
    listener_identity listener;
    caller_gate gate{system_random()};
    std::optional<shown_certificate> certificate;
    secret key = generate_ec_jwk().value();
    issuer_keys keys{keys_of(key), std::chrono::steady_clock::now()};

    explicit caller_door(std::vector<client_auth_entry> entries) {
        listener.port = 8970;
        settings->client_auth = std::move(entries);
        load();
    }
    void load() { table = make_routing_table(settings, numbers).value(); }
    static std::string keys_of(const secret& k) {
        return json{{"keys", json::array({public_jwk(k).value()})}}.dump();
    }
    std::string token(const std::string& subject, const std::string& issuer = "https://idp.acme.example",
                      json groups = json::array()) const {
        const auto now = wall_clock::now().time_since_epoch() / std::chrono::seconds(1);
        return "Authorization: Bearer " +
               sign_jwt(key, "ES256", {{"typ", "at+jwt"}},
                        {{"iss", issuer},
                         {"aud", "https://mcp.acme.example"},
                         {"sub", subject},
                         {"groups", std::move(groups)},
                         {"exp", now + 60}})
                   .value() +
               "\r\n";
    }
    /// With every token verified that is new.
    caller_check knock(const std::string& fields) {
        text = "POST /x HTTP/1.1\r\n" + host_line + fields + "\r\n";
        REQUIRE(parse_request_head(text, head).is == head_outcome::kind::complete);
        const auto* shown = certificate ? &*certificate : nullptr;
        auto check = gate.look(head, table, shown, listener, std::chrono::steady_clock::now());
        std::optional<token_fault> why;
        while (check.is == check_kind::verify) {
            ++verified;
            auto found = gate.verify(head, table, check.entry, keys, wall_clock::now());
            if (found.who)
                return {check_kind::known, found.who, check.entry, {}};
            why = found.why;
            check =
                gate.look(head, table, shown, listener, std::chrono::steady_clock::now(), check.entry + 1);
        }
        check.why = check.why ? check.why : why;
        return check;
    }
    std::string name(const std::string& fields) {
        const auto check = knock(fields);
        return check.is == check_kind::known ? check.who->principal.name() : "nobody";
    }
    std::string text;
    request_head head;
    int verified = 0;
};

} // namespace

TEST_CASE("where clients are told apart, each bearer is its principal and nothing else comes in") {
    caller_door d({bearer_entry("ada", "token-of-ada"), bearer_entry("grace", "token-of-grace")});
    CHECK(d.name("Authorization: Bearer token-of-ada\r\n") == "ada");
    CHECK(d.name("Authorization: bearer token-of-grace\r\n") == "grace");
    for (const auto* wrong : {"Bearer token-of-grac", "Bearer token-of-grace2", "Bearer ", "Bearer",
                              "Basic token-of-ada", "token-of-ada", "Bearer TOKEN-OF-ADA"}) {
        INFO(wrong);
        CHECK(d.knock("Authorization: " + std::string(wrong) + "\r\n").is == check_kind::refused);
    }
    CHECK(d.knock("").is == check_kind::refused);
    CHECK(caller_door({}).name("") == "local");
}

TEST_CASE("a token is verified once, and then known until it ends or the configuration changes") {
    caller_door d({jwt_entry("https://idp.acme.example", "acme")});
    const auto token = d.token("ada");
    CHECK(d.name(token) == "acme/ada");
    CHECK(d.name(token) == "acme/ada");
    CHECK(d.verified == 1);
    CHECK(d.name(d.token("grace")) == "acme/grace");
    CHECK(d.verified == 2);
    d.load();
    CHECK(d.name(token) == "acme/ada");
    CHECK(d.verified == 3);
    const auto who = d.knock(token).who;
    const auto late = who->until;
    CHECK(d.gate.look(d.head, d.table, nullptr, d.listener, late).is == check_kind::verify);
}

TEST_CASE("the same subject of two issuers is two principals, and no subject can pose as another") {
    caller_door d({jwt_entry("https://a.example", "a.example"), jwt_entry("https://b.example", "b.example")});
    CHECK(d.name(d.token("ada", "https://a.example")) == "a.example/ada");
    CHECK(d.name(d.token("ada", "https://b.example")) == "b.example/ada");
    CHECK(d.name(d.token("ada", "https://c.example")) == "nobody");
    CHECK(d.name(d.token("auth0|7\"\n /../x?y#z%41", "https://a.example")) ==
          "a.example/auth0%7C7%22%0A%20/../x%3Fy%23z%2541");
    CHECK(d.name(d.token("\xc3\xa9", "https://a.example")) == "a.example/%C3%A9");
}

TEST_CASE("entries are tried in their order, and one that does not fit leaves the others their turn") {
    caller_door d({bearer_entry("robot", "token-of-robot"), jwt_entry("https://idp.acme.example", "acme"),
                   gateway_entry("X-Secret"), certificate_entry(certificate_name::uri)});
    CHECK(d.name("Authorization: Bearer token-of-robot\r\n") == "robot");
    CHECK(d.name(d.token("ada")) == "acme/ada");
    CHECK(d.name("X-User: bob\r\nX-Secret: gateway-secret-123456\r\n") == "gateway/bob");
    d.certificate =
        shown_certificate{"spiffe://acme/ns/x", {}, {}, std::chrono::steady_clock::time_point::max()};
    CHECK(d.name("") == "mtls/spiffe://acme/ns/x");
    CHECK(d.name(d.token("ada", "https://other.example")) == "mtls/spiffe://acme/ns/x");
}

TEST_CASE("a gateway's word is believed with its secret, or over a Unix socket, and if it is one word") {
    caller_door d({gateway_entry("X-Secret")});
    const std::string secret = "X-Secret: gateway-secret-123456\r\n";
    CHECK(d.name("X-User: ada\r\n" + secret) == "gateway/ada");
    CHECK(d.name("X-User: ada\r\n") == "nobody");
    CHECK(d.name("X-User: ada\r\nX-Secret: gateway-secret-12345\r\n") == "nobody");
    CHECK(d.name("X-User: ada\r\n" + secret + secret) == "nobody");
    CHECK(d.name("X-User: ada\r\nX-User: eve\r\n" + secret) == "nobody");
    CHECK(d.name("X-User:\r\n" + secret) == "nobody");
    const auto grouped = d.knock("X-User: ada\r\nX-Groups: b, a,,b\r\n" + secret);
    CHECK(grouped.who->groups == std::vector<std::string>{"a", "b"});
    CHECK(grouped.who->groups_key != d.knock("X-User: ada\r\n" + secret).who->groups_key);
    CHECK(grouped.who->principal == d.knock("X-User: ada\r\n" + secret).who->principal);

    caller_door socket({gateway_entry("")});
    CHECK(socket.name("X-User: ada\r\n") == "nobody");
    socket.listener.port = 0;
    CHECK(socket.name("X-User: ada\r\n") == "gateway/ada");
}

TEST_CASE("a certificate has the name that is asked for, until it ends") {
    const auto end = std::chrono::steady_clock::now() + std::chrono::hours(1);
    const shown_certificate shown{"spiffe://acme/a", "Ada", "ada@acme.example", end};
    const auto name = [&](certificate_name which, shown_certificate what) {
        caller_door d({certificate_entry(which)});
        d.certificate = std::move(what);
        return d.name("");
    };
    CHECK(name(certificate_name::uri, shown) == "mtls/spiffe://acme/a");
    CHECK(name(certificate_name::cn, shown) == "mtls/Ada");
    CHECK(name(certificate_name::email, shown) == "mtls/ada@acme.example");
    auto other = shown;
    other.uri.clear();
    CHECK(name(certificate_name::uri, other) == "nobody");
    other = shown;
    other.until = std::chrono::steady_clock::now();
    CHECK(name(certificate_name::uri, other) == "nobody");
}

TEST_CASE("who is not kept any more is verified again, under another number") {
    caller_door d({jwt_entry("https://idp.acme.example", "acme")});
    const auto token = d.token("ada");
    auto number = d.knock(token).who->principal.number();
    CHECK(d.gate.known() == 1);
    d.gate.forget({number});
    CHECK(d.gate.known() == 0);
    CHECK(d.knock(token).who->principal.number() != number);
}

TEST_CASE("a principal from outside lives as long as somebody holds it; its number is never another's") {
    auto one = std::make_optional(principal_id::from_outside("x/ada"));
    const auto copy = *one;
    const auto number = one->number();
    CHECK(principal_id::from_outside("x/ada") == copy);
    one.reset();
    CHECK(principal_id::from_outside("x/ada").number() == number);
    CHECK(principal_id::from_outside("x/grace").number() != number);
    CHECK_FALSE(principal_id::of("ada").outside());
    CHECK(principal_id::of("ada") == principal_id::of("ada"));
}

TEST_CASE("a stranger hears where to sign in, and one word of what is wrong with its token") {
    caller_door d({jwt_entry("https://idp.acme.example", "acme")});
    d.settings->client_auth[0].jwt.scopes = scope_set{"mcp"};
    const auto said = [&](caller_check refused) {
        std::string out;
        append_caller_refusal(out, *d.settings, "mcp.acme.example", "/github?x", refused, false, false);
        return out;
    };
    caller_check none;
    CHECK_THAT(said(none),
               Catch::StartsWith("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer scope=\"mcp\", "
                                 "resource_metadata=\"https://mcp.acme.example/.well-known/"
                                 "oauth-protected-resource/github\"\r\n"));
    caller_check expired;
    expired.why = token_fault::expired;
    CHECK_THAT(said(expired), Catch::Contains("error=\"invalid_token\", error_description=\"expired\""));
    caller_check narrow;
    narrow.why = token_fault::scope;
    CHECK_THAT(said(narrow), Catch::StartsWith("HTTP/1.1 403 Forbidden"));
    CHECK_THAT(said(narrow), Catch::Contains("error=\"insufficient_scope\""));
    caller_check down;
    down.is = check_kind::unavailable;
    CHECK_THAT(said(down), Catch::StartsWith("HTTP/1.1 503 Service Unavailable\r\nRetry-After: "));
    caller_door old({bearer_entry("ada", "token-of-ada")});
    std::string out;
    append_caller_refusal(out, *old.settings, "mcp.acme.example", "/", none, false, false);
    CHECK_THAT(out, Catch::StartsWith("HTTP/1.1 403 Forbidden"));
    CHECK_THAT(out, !Catch::Contains("WWW-Authenticate"));
}

TEST_CASE(
    "our protected resource metadata names the issuer, the scopes, and a resource that covers the URL") {
    caller_door d({jwt_entry("https://idp.acme.example", "acme")});
    d.settings->client_auth[0].jwt.scopes = scope_set{"mcp"};
    std::string_view path;
    REQUIRE(protected_resource_path("/.well-known/oauth-protected-resource/github?x", path));
    CHECK(path == "/github");
    CHECK_FALSE(protected_resource_path("/.well-known/oauth-protected-resourcex", path));
    CHECK_FALSE(protected_resource_path("/github/.well-known/oauth-protected-resource", path));
    auto doc = json::parse(protected_resource(*d.settings, "mcp.acme.example", "/github"));
    CHECK(doc == json{{"resource", "https://mcp.acme.example"},
                      {"authorization_servers", {"https://idp.acme.example"}},
                      {"scopes_supported", {"mcp"}},
                      {"bearer_methods_supported", {"header"}}});
    doc = json::parse(protected_resource(*d.settings, "127.0.0.1:8970", "/github"));
    CHECK(doc["resource"] == "http://127.0.0.1:8970/github");
}
