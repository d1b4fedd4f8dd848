// The front channel: authorization URL and callback.
#include "core/oauth/authorization.hpp"
#include "core/text/encoding.hpp"

#include "tests/unit/core/printing.hpp"

using namespace reauth;

namespace {

authorization_request full() {
    authorization_request r;
    r.endpoint = "https://as.example/authorize?tenant=a%20b&state=old";
    r.client_id = "c";
    r.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
    r.scope = {"a", "b"};
    r.state = "s";
    r.code_challenge = "h";
    r.resource = "https://api.example";
    r.nonce = "n";
    r.extra = {{"prompt", "consent"}};
    return r;
}

callback_expectation expected(bool iss_required = false) {
    return {secret{"s"}, "https://as.example", iss_required};
}

authorization_callback callback(std::string_view query) {
    return parse_callback_query(query).value();
}

} // namespace

TEST_CASE("an authorization URL has every parameter once and keeps the endpoint's own query") {
    const auto url = authorization_url(full());
    REQUIRE(url);
    CHECK_THAT(*url, Catch::StartsWith("https://as.example/authorize?tenant=a%20b&response_type=code&"));
    const auto fields = parse_form(url->substr(url->find('?') + 1));
    CHECK(fields.size() == 11);
    CHECK(form_value(fields, "state") == "s");
    CHECK(form_value(fields, "scope") == "a b");
    CHECK(form_value(fields, "resource") == "https://api.example");
    CHECK(form_value(fields, "code_challenge") == "h");
    CHECK(form_value(fields, "code_challenge_method") == "S256");
    CHECK(form_value(fields, "redirect_uri") == "http://127.0.0.1:8971/oauth/callback");
    CHECK(form_value(fields, "nonce") == "n");
    CHECK(form_value(fields, "client_id") == "c");
    CHECK(form_value(fields, "prompt") == "consent");
}

TEST_CASE("what is empty is left out of the authorization URL") {
    authorization_request r;
    r.endpoint = "https://as.example/a";
    r.client_id = "c";
    CHECK(authorization_url(r).value() == "https://as.example/a?response_type=code&client_id=c");
    r.endpoint = "https://as.example/a?&state=1&x";
    CHECK(authorization_url(r).value() == "https://as.example/a?x&response_type=code&client_id=c");
}

TEST_CASE("a hostile authorization endpoint is never opened") {
    auto r = full();
    for (const char* bad : {"javascript:alert(1)", "file:///bin/sh", "http://as.example/a", "https://a/`id`",
                            "https://a/$(x) y", "https://as.example/a#f", ""}) {
        r.endpoint = bad;
        CHECK_FALSE(authorization_url(r));
    }
}

TEST_CASE("authorize_params cannot replace what the protocol needs") {
    for (const char* name : {"state", "resource", "redirect_uri", "code_challenge_method", "nonce"}) {
        auto r = full();
        r.extra = {{name, "x"}};
        const auto url = authorization_url(r);
        REQUIRE_FALSE(url);
        CHECK(url.error().code == fault::invalid_configuration);
        CHECK_THAT(url.error().message, Catch::Contains(name));
    }
}

TEST_CASE("a good callback gives the code") {
    CHECK(check_callback(callback("code=c%20d&state=s&other=1"), expected())->equals("c d"));
    CHECK(
        check_callback(callback("code=c&state=s&iss=https%3A%2F%2Fas.example"), expected(true))->equals("c"));
}

TEST_CASE("state is checked first of all") {
    for (const char* query :
         {"code=c", "code=c&state=", "code=c&state=t", "error=access_denied&state=t", "iss=x&state=t"}) {
        const auto r = check_callback(callback(query), expected());
        REQUIRE_FALSE(r);
        CHECK_THAT(r.error().message, Catch::Contains("state"));
        CHECK(r.error().oauth_error.empty());
    }
    callback_expectation none{secret{}, "https://as.example", false};
    CHECK_FALSE(check_callback(callback("code=c&state="), none));
}

TEST_CASE("iss is checked before error and code, with no normalisation") {
    for (const char* iss :
         {"https%3A%2F%2Fas.example%2F", "https://AS.example", "https://as.example:443", "https://evil", ""})
        for (const char* rest : {"code=c", "error=access_denied"}) {
            const auto r =
                check_callback(callback(std::string("state=s&iss=") + iss + "&" + rest), expected());
            REQUIRE_FALSE(r);
            CHECK(r.error().oauth_error.empty());
            CHECK_THAT(r.error().message, Catch::Contains("issuer"));
        }
}

TEST_CASE("an iss that is advertised and missing is refused, also with an error") {
    for (const char* query : {"state=s&code=c", "state=s&error=access_denied&error_description=evil"}) {
        const auto r = check_callback(callback(query), expected(true));
        REQUIRE_FALSE(r);
        CHECK_THAT(r.error().message, Catch::Contains("no `iss`") && !Catch::Contains("evil"));
    }
}

TEST_CASE("a provider's error is told, cleaned") {
    const auto denied =
        check_callback(callback("state=s&error=access_denied&error_description=a%0Ab%E2%80%AEc"), expected());
    CHECK(denied.error().code == fault::approval_denied);
    CHECK(denied.error().oauth_error == "access_denied");
    CHECK_THAT(denied.error().message, Catch::Contains("a bc"));
    const auto scope = check_callback(callback("state=s&error=invalid_scope&code=c"), expected());
    CHECK(scope.error().code == fault::reauth_failed);
    CHECK_THAT(scope.error().fix, Catch::Contains("scopes"));
    CHECK_THAT(check_callback(callback("state=s&error=invalid_target"), expected()).error().fix,
               Catch::Contains("resource: omit"));
    CHECK(check_callback(callback("state=s&error=temporarily_unavailable"), expected()).error().transient);
    CHECK(check_callback(callback("state=s&error=server_error"), expected()).error().transient);
    CHECK_FALSE(check_callback(callback("state=s&error=invalid_request"), expected()).error().transient);
}

TEST_CASE("a callback without code and error is refused") {
    CHECK_FALSE(check_callback(callback("state=s"), expected()));
    CHECK_FALSE(check_callback(callback("state=s&code="), expected()));
}

TEST_CASE("a callback parameter may come only once") {
    CHECK_FALSE(parse_callback_query("code=a&code=b&state=s"));
    CHECK_FALSE(parse_callback_query("state=s&state=s"));
}

TEST_CASE("a pasted callback may be a URL or its query") {
    CHECK(parse_callback_url(" http://127.0.0.1:8971/oauth/callback?code=c&state=s#x\n")->code == "c");
    CHECK(parse_callback_url("code=c&state=s")->state == "s");
    const auto bad = parse_callback_url("http://127.0.0.1:8971/");
    REQUIRE_FALSE(bad);
    CHECK_THAT(bad.error().fix, Catch::Contains("whole address"));
    CHECK_FALSE(parse_callback_url("?code=c&code=d&state=s"));
}

TEST_CASE("a parameter of the endpoint's query that is configured too comes once, as configured") {
    authorization_request request;
    request.endpoint = "https://as.example/a?prompt=login&theme=dark";
    request.client_id = "c";
    request.extra = {{"prompt", "consent"}};
    const auto url = authorization_url(request);
    REQUIRE(url);
    CHECK_THAT(*url, Catch::Contains("theme=dark") && Catch::Contains("prompt=consent"));
    CHECK_THAT(*url, !Catch::Contains("prompt=login"));
}
