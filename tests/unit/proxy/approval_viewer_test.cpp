// Who looks at the page: cookies, and what is theirs.
#include "proxy/approval/viewer.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

TEST_CASE("a person sees what is theirs, an operator everything, nobody nothing") {
    viewer nobody;
    CHECK(nobody.nobody());
    CHECK_FALSE(nobody.sees("local"));
    CHECK(nobody.name().empty());
    viewer ada;
    ada.person.emplace().principal = "acme/ada";
    CHECK(ada.sees("acme/ada"));
    CHECK_FALSE(ada.sees("acme/ad"));
    CHECK_FALSE(ada.sees("local"));
    CHECK(ada.name() == "acme/ada");
    ada.operates = true;
    CHECK(ada.sees("local"));
    CHECK(ada.name() == "acme/ada");
    viewer token;
    token.operates = true;
    CHECK(token.name() == "operator");
}

TEST_CASE("a session's text is read back, and nothing else is one") {
    page_person who;
    who.id = "id";
    who.principal = "acme/ada";
    who.shown = std::string(500, 'x');
    who.issuer = "https://i";
    who.subject = "ada";
    who.session = "s1";
    who.operates = true;
    who.issued = time_point(std::chrono::seconds(1'799'999'999));
    who.begun = time_point(std::chrono::seconds(1'800'000'000));
    who.seen = who.begun + std::chrono::minutes(5);
    const auto again = person_from_text(person_to_text(who));
    REQUIRE(again);
    CHECK(again->principal == who.principal);
    CHECK(again->session == "s1");
    CHECK(again->operates);
    CHECK(again->issued == who.issued);
    CHECK(again->begun == who.begun);
    CHECK(again->seen == who.seen);
    CHECK(again->shown.size() == 120);
    for (const auto* text :
         {"", "{}", "null", R"({"v":2,"id":"a","principal":"b","begun":1,"seen":1})", "[1]"})
        CHECK_FALSE(person_from_text(text));
}

TEST_CASE("the first cookie of a name counts, and one of another name is none") {
    service_request q;
    q.headers = {{"Cookie", "mcp-reauth-x=1; mcp-reauth=a=b; mcp-reauth=c"}, {"cookie", "mcp-reauth=d"}};
    CHECK(cookie_value(q, "mcp-reauth") == "a=b");
    CHECK(cookie_value(q, "mcp-reauth-x") == "1");
    CHECK_FALSE(cookie_value(q, "mcp"));
}

TEST_CASE("a sign-in leads to a page of ours alone, whoever has written the address") {
    CHECK(own_path("/a/abc-DEF_1") == "/a/abc-DEF_1");
    for (const auto* other :
         {"//evil.example", "/\\evil.example", "https://evil.example", "/a//evil", "/api/x", "/a/x?y",
          "/a/x\r\nSet-Cookie: y", "", "/a/../api", "javascript:alert(1)"})
        CHECK(own_path(other) == "/");
}
