// The fetcher's rules on where it goes: resolved addresses, redirects, and what travels along.
#include "tests/integration/fetcher_fixture.hpp"
#include "tests/support/text.hpp"

using namespace reauth;
using namespace reauth::test;

namespace {

std::string redirect(unsigned status, const std::string& to) {
    return answer_of(status, "", "Location: " + to + "\r\n");
}

} // namespace

TEST_CASE("a public name that resolves to this machine or network is refused before a connection") {
    scripted_server server(always(answer_of(200, "{}")));
    for (const auto* address : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fd00::1"}) {
        const auto why = failed(fetched(get("https://as.example:" + std::to_string(server.port()) + "/"), {},
                                        resolves_to({address})));
        CHECK(why.code == fault::egress_refused);
        CHECK(has(why.message, "as.example"));
    }
    CHECK(failed(fetched(get("http://as.example/"), {}, resolves_to({"127.0.0.1"}))).code ==
          fault::egress_refused);
    CHECK(server.requests().empty());
}

TEST_CASE("literal private and link-local addresses are refused") {
    for (const auto* url :
         {"https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[fe80::1]/",
          "https://0.0.0.0/", "http://1.1.1.1/", "https://[::ffff:169.254.169.254]/"})
        CHECK(failed(fetched(get(url))).code == fault::egress_refused);
}

TEST_CASE("a name is resolved once for a request") {
    int asked = 0;
    auto counting = [&asked](std::string host) {
        ++asked;
        return resolves_to({"127.0.0.1"})(std::move(host));
    };
    fetch_options options;
    options.trusted_hosts = {"mcp.example"};
    // nothing speaks TLS there: what counts is that the checked address was the one connected to
    scripted_server server(always(answer_of(200, "{}")));
    const auto why =
        failed(fetched(get("https://mcp.example:" + std::to_string(server.port()) + "/"), options, counting));
    CHECK(why.code == fault::authorization_server_unavailable);
    CHECK(has(why.message, "no TLS connection"));
    CHECK(asked == 1);
}

TEST_CASE("a GET follows redirects, a relative one too") {
    const auto status = GENERATE(301u, 302u, 303u, 307u, 308u);
    scripted_server server([status](const std::string& request) {
        if (has(request, "GET /a "))
            return redirect(status, "/b");
        if (has(request, "GET /b "))
            return redirect(status, "c?d=e#f");
        return answer_of(200, has(request, "GET /c?d=e ") ? "here" : "lost");
    });
    auto request = get(server.url("/a"));
    request.authorization = secret("Bearer kept");
    const auto answer = fetched(request);
    REQUIRE(answer.has_value());
    CHECK(answer->body == "here");
    CHECK(has(server.requests().at(2), "Authorization: Bearer kept"));
}

TEST_CASE("a redirect loop ends after three") {
    scripted_server server(always(redirect(302, "/again")));
    const auto why = failed(fetched(get(server.url("/"))));
    CHECK(has(why.message, "more than 3 times"));
    CHECK(server.requests().size() == 4);
}

TEST_CASE("a redirected POST is refused, its body goes nowhere") {
    scripted_server elsewhere(always(answer_of(200, "{}")));
    const auto status = GENERATE(302u, 307u, 308u);
    scripted_server server(always(redirect(status, elsewhere.url("/token"))));
    const auto why = failed(fetched(post(server.url("/token"), "refresh_token=x")));
    CHECK(why.code == fault::egress_refused);
    CHECK(has(why.message, "redirects a POST request"));
    CHECK(elsewhere.requests().empty());
}

TEST_CASE("credentials do not follow a redirect to another origin") {
    scripted_server elsewhere(always(answer_of(200, "{}")));
    scripted_server server(always(redirect(302, elsewhere.url("/x"))));
    auto request = get(server.url("/x"));
    request.authorization = secret("Bearer mine");
    request.headers = {{"Cookie", "a=b"}, {"DPoP", "proof"}, {"X-Kept", "yes"}};
    REQUIRE(fetched(request).has_value());
    CHECK(has(server.requests().at(0), "Bearer mine"));
    const auto seen = elsewhere.requests().at(0);
    CHECK_FALSE(has(seen, "Authorization"));
    CHECK_FALSE(has(seen, "Cookie"));
    CHECK_FALSE(has(seen, "DPoP"));
    CHECK(has(seen, "X-Kept: yes"));
}

TEST_CASE("a redirect is held to the egress rules like any request") {
    for (const auto* target : {"http://169.254.169.254/", "https://10.0.0.1/", "http://as.example/",
                               "file:///etc/passwd", "https://user:pw@127.0.0.1/", "https://as.example/"}) {
        scripted_server server(always(redirect(302, target)));
        INFO(target);
        CHECK(fetched(get(server.url()), {}, resolves_to({"192.168.0.1"})).has_error());
    }
    scripted_server nowhere(always("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://[\r\n\r\n"));
    CHECK(failed(fetched(get(nowhere.url()))).code == fault::egress_refused);
}

TEST_CASE("304 and other answers without a place to go are answers") {
    scripted_server server(always("HTTP/1.1 304 Not Modified\r\n\r\n"));
    CHECK(fetched(get(server.url()))->status == 304);
}
