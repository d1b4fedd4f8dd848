// What the approval page says, without any socket.
#include "proxy/approval/approval_json.hpp"
#include "proxy/approval/approval_page.hpp"
#include "proxy/approval/approval_words.hpp"

#include "core/text/time_text.hpp"
#include "tests/support/catch.hpp"

using namespace reauth;
using namespace std::chrono_literals;

namespace {

approval question() {
    approval a;
    a.id = "aaaa";
    a.upstream = "github";
    a.reason = "unauthorized";
    a.method = "tools/list";
    a.upstream_host = a.login_host = a.token_host = "as.example";
    a.issuer = "https://as.example";
    a.created_at = time_point(1'800'000'000s);
    a.expires_at = a.created_at + 15min;
    return a;
}

std::string page_of(const approval& a, std::string notice = {}) {
    return render_approval_page(a, {"", "/a/s", a.created_at, std::move(notice), true});
}

bool shows(const std::string& page, const std::string& text) {
    return page.find(text) != std::string::npos;
}

} // namespace

TEST_CASE("each kind and state of an approval has its own words") {
    auto a = question();
    CHECK(shows(page_of(a), "Sign in to github?"));
    CHECK(shows(page_of(a), "The server names none"));
    a.kind = approval_kind::idp_login;
    CHECK(shows(page_of(a), "Sign in with your organization for github?"));
    a.kind = approval_kind::step_up;
    a.added = scope_set{"write"};
    CHECK(shows(page_of(a), "Allow more on github?"));
    CHECK(shows(page_of(a), "one permission"));
    a.outcome = "The refresh token was probably rotated <just> as a process was ended: sign in once.";
    CHECK(shows(page_of(a), "rotated &lt;just&gt; as a process was ended: sign in once."));
    a.outcome.clear();
    a.status = approval_status::authorizing;
    CHECK(shows(page_of(a), "Continue to the sign-in at as.example"));
    CHECK(shows(page_of(a), "<details open>"));
    a.outcome = "The provider said: access_denied.";
    for (const auto s : {approval_status::approved, approval_status::denied, approval_status::expired,
                         approval_status::failed}) {
        a.status = s;
        CHECK(shows(page_of(a), "The provider said: access_denied."));
        CHECK_FALSE(shows(page_of(a), "<form"));
    }
}

TEST_CASE("the operator's own wish is not blamed on a client") {
    auto a = question();
    a.reason = a.method = "";
    CHECK(shows(page_of(a), "You asked to sign in to"));
    CHECK_FALSE(shows(page_of(a), "waits until you decide"));
}

TEST_CASE("principals other than local are named") {
    auto a = question();
    CHECK_FALSE(shows(page_of(a), "On behalf of"));
    a.principal = "ada";
    CHECK(shows(page_of(a), "On behalf of"));
}

TEST_CASE("a provider on another host than the server is stated, not warned about") {
    auto a = question();
    a.login_host = a.token_host = "login.example";
    a.issuer = "https://issuer.example/t";
    CHECK(host_warnings(a).empty());
    CHECK(shows(page_of(a), "login.example"));
    CHECK_FALSE(shows(page_of(a), "Look twice"));
}

TEST_CASE(
    "login and token host that differ are warned about, and so is what was another when it was approved") {
    auto a = question();
    a.login_host = "login.example";
    a.token_host = "token.example";
    auto all = host_warnings(a);
    REQUIRE(all.size() == 1);
    CHECK(all[0].find("You sign in at login.example, but the access is issued by token.example") == 0);
    CHECK(shows(page_of(a), "Look twice before you go on"));
    a = question();
    a.issuer_before = "https://old.example";
    a.login_host_before = a.token_host_before = "old.example";
    all = host_warnings(a);
    REQUIRE(all.size() == 3);
    CHECK(all[0].find("So far https://old.example gave access; now the server names https://as.example") ==
          0);
    a.status = approval_status::approved;
    CHECK_FALSE(shows(page_of(a), "Look twice"));
}

TEST_CASE("a port makes another host, and look-alike names are shown in punycode") {
    auto a = question();
    a.login_host = "as.example:8443";
    CHECK_FALSE(host_warnings(a).empty());
    CHECK(shown_host("localhost:9000") == "localhost:9000");
    CHECK(shown_host("[::1]:9000") == "[::1]:9000");
    CHECK(shown_host("\xd0\xb0pple.example").find("xn--") == 0);
}

TEST_CASE("nobody is said to wait after the client has given up, and a decided approval asks for nothing") {
    auto a = question();
    CHECK(shows(page_of(a), "waits until you decide"));
    CHECK(shows(render_approval_page(a, {"", "/a/s", a.created_at, "", false}), "its next try works"));
    a.status = approval_status::denied;
    a.outcome = "Denied.";
    CHECK(shows(page_of(a), "You said no"));
    CHECK_FALSE(shows(page_of(a), ">Denied.<"));
    CHECK_FALSE(shows(page_of(a), "Newly"));
    CHECK(shows(page_of(a), "Was requested"));
}

TEST_CASE("backticks become code, and a lone one stays") {
    CHECK(with_code("run `mcp-reauth login <x>` now", 100).text ==
          "run <code>mcp-reauth login &lt;x&gt;</code> now");
    CHECK(with_code("a ` b", 100).text.find("<code>") == std::string::npos);
    auto a = question();
    a.outcome = "run `mcp-reauth doctor github`";
    CHECK(shows(page_of(a), "<code>mcp-reauth doctor github</code>"));
}

TEST_CASE("a call's page shows what would be sent, escaped, and that only the operator may say yes") {
    auto a = question();
    a.kind = approval_kind::call;
    a.reason = "policy";
    a.method = "tools/call";
    a.tool = "delete_repo";
    a.client_name = "cursor";
    a.calls.calls = {{"tools/call", "delete_repo", "{\n  \"name\": \"<b>\",\n  \"x  y\": 1\n}", ""}};
    a.target = "https://api.example/mcp?all=1";
    a.digest = "0123456789abcdefXYZ";
    a.completes_without_login = true;
    a.login_host = a.token_host = a.issuer = "";
    const auto page = page_of(a);
    CHECK(shows(page, "Send this call to github?"));
    CHECK(shows(page, "<strong>cursor</strong> wants to call <code>delete_repo</code>"));
    CHECK(shows(page, "  &quot;name&quot;: &quot;&lt;b&gt;&quot;"));
    CHECK(shows(page, "mcp-reauth approve aaaa"));
    CHECK(shows(page, "0123456789abcdef"));
    CHECK_FALSE(shows(page, "Permissions (scopes)"));
    CHECK_FALSE(shows(page, "class=\"primary\""));
    CHECK(approval_json(a, "")["kind"] == "call");
    CHECK(shows(page, "&quot;x  y&quot;")); // every space of it
    CHECK(shows(page, "https://api.example/mcp?all=1"));
    CHECK_FALSE(shows(page, "Not shown"));
    CHECK(approval_json(a, "")["arguments"] == a.calls.calls[0].arguments);
    CHECK(approval_json(a, "")["calls"][0]["tool"] == "delete_repo");
    CHECK_FALSE(approval_json(a, "").contains("not_shown"));
    CHECK(approval_json(a, "")["digest"] == a.digest);
}

TEST_CASE("a batch is shown whole, each message of it, and what is not shown stands beside the buttons") {
    auto a = question();
    a.kind = approval_kind::call;
    a.method = "tools/call";
    a.tool = "delete\xe2\x80\x8b_all  x";
    a.completes_without_login = true;
    a.calls.calls = {{"tools/call", "delete_all", "{}", "{\n  \"task\": {}\n}"},
                     {"tools/call", "read_x", "[1]", ""},
                     {"", "", "", "{\n  \"result\": 1\n}"}};
    a.calls.hidden = 4711;
    const auto page = page_of(a);
    CHECK(shows(page, "Send these 3 messages to github?"));
    CHECK(shows(page, "there are <strong>2 more</strong>"));
    CHECK(shows(page, "<code>tools/call read_x</code>"));
    CHECK(shows(page, "&quot;task&quot;: {}"));
    CHECK(shows(page, "a response"));
    CHECK(shows(page, "Not shown: 4711 bytes"));
    CHECK(page.find("Not shown: 4711 bytes") > page.find("Where this goes"));
    CHECK(shows(page, "delete\\u200b_all \\u0020x"));
    const auto j = approval_json(a, "");
    CHECK(j["not_shown"] == 4711);
    CHECK(j["calls"].size() == 3);
    CHECK(j["arguments"].get<std::string>().find("tools/call read_x\n[1]") != std::string::npos);
    CHECK(j["arguments"].get<std::string>().ends_with("not shown: 4711 bytes"));
}

TEST_CASE("form-action gets well-formed origins only") {
    auto a = question();
    CHECK(form_targets(a) == "https://as.example");
    a.location = "https://other.example:444/authorize?x=y";
    CHECK(form_targets(a) == "https://other.example:444 https://as.example");
    a.login_host = "localhost:9000";
    a.location = "javascript:alert(1)";
    CHECK(form_targets(a) == "http://localhost:9000");
    for (const auto* host : {"a.example; script-src *", "a.example 'unsafe-inline'", "*", "a.example\r\nX: y",
                             "a.example,b.example"}) {
        a.login_host = host;
        CHECK(form_targets(a).empty());
    }
}

TEST_CASE("times are RFC 3339 in UTC") {
    CHECK(rfc3339(time_point(0s)) == "1970-01-01T00:00:00Z");
}

TEST_CASE("the API's JSON holds cleaned text and only the link it is given") {
    auto a = question();
    a.link_secret = secret("do-not-show");
    a.client_name = "x\x1b[0m\xe2\x80\xaey";
    CHECK(approval_json(a, "")["client"] == "x[0my");
    CHECK_FALSE(approval_json(a, "").contains("link"));
    CHECK(to_text(approval_json(a, "")).find("do-not-show") == std::string::npos);
    a.client_name = "\xff\xfe";
    CHECK_NOTHROW(to_text(approval_json(a, "")));
}
