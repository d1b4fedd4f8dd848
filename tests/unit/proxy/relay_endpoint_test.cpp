// HTTP+SSE through us: where messages go, and that nothing else is reached by it.
#include "proxy/relay/old_endpoint.hpp"
#include "tests/support/text.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using reauth::test::has;

namespace {

old_stream_place stream(const std::string& prefix = "/old") {
    return {"https://mcp.example", "/v1/sse", prefix, secret("key")};
}

/// What a place of ours leads to.
std::optional<std::string> there(const std::string& here, const old_stream_place& place = stream()) {
    const auto rest = here.substr(place.prefix.size());
    const auto mark = rest.find('?');
    return endpoint_there(place, std::string_view(rest).substr(0, mark),
                          mark == std::string::npos ? std::string_view()
                                                    : std::string_view(rest).substr(mark));
}

} // namespace

TEST_CASE("an endpoint becomes a place of ours, and leads back to where it was") {
    for (const auto& [told, target] : std::vector<std::pair<std::string, std::string>>{
             {"/messages?session=1", "/messages?session=1"},
             {"messages/?session=a%2Fb", "/v1/messages/?session=a%2Fb"},
             {"https://mcp.example/m", "/m"},
             {"?session=1", "/v1/sse?session=1"},
             {" /m \r\n", "/m"}}) {
        const auto here = endpoint_here(stream(), told);
        REQUIRE(here);
        CHECK(here->starts_with("/old/.endpoint/"));
        CHECK(there(*here) == target);
    }
    CHECK(endpoint_here(stream(""), "/m")->starts_with("/.endpoint/"));
}

TEST_CASE("another origin, and a signature that is not ours, lead nowhere") {
    for (const char* told : {"https://evil.example/m", "http://mcp.example/m", "//evil.example/m",
                             "https://mcp.example:8443/m", "javascript:alert(1)"})
        CHECK(endpoint_here(stream(), told).value_or("") == "");
    const auto here = *endpoint_here(stream(), "/messages?session=1");
    CHECK_FALSE(there(here + "2"));
    auto forged = here;
    forged.replace(forged.find("/messages"), 9, "/admin/it");
    CHECK_FALSE(there(forged));
    auto other = stream();
    other.origin = "https://other.example";
    CHECK_FALSE(there(here, other));
    other = stream();
    other.key = secret("another");
    CHECK_FALSE(there(here, other));
    CHECK_FALSE(endpoint_there(stream(), "/.endpoint/", ""));
    CHECK_FALSE(endpoint_there(stream(), "/.endpoint/00", ""));
}

TEST_CASE(
    "only the first event of a stream is looked at, comments go on at once, and every byte of the rest") {
    endpoint_rewriter rewriter(stream());
    CHECK(rewriter.feed(": hello\n\n") == ": hello\n\n");
    CHECK(rewriter.feed(": half a comm").empty());
    CHECK(rewriter.feed("ent\nretry: 5\n") == ": half a comment\n");
    CHECK(rewriter.feed("\nevent: endp") == "retry: 5\n\n");
    const auto first = rewriter.feed("oint\ndata: /m\n\ndata: {\"a\":1}\n\nda");
    CHECK(has(first, "event: endpoint\ndata: /old/.endpoint/"));
    CHECK(has(first, "\n\ndata: {\"a\":1}\n\nda"));
    CHECK(rewriter.feed("ta: event: endpoint\n\n") == "ta: event: endpoint\n\n");

    endpoint_rewriter plain(stream());
    CHECK(plain.feed("data: x\n\nevent: endpoint\ndata: /m\n\n") ==
          "data: x\n\nevent: endpoint\ndata: /m\n\n");
    endpoint_rewriter foreign(stream());
    const std::string leads_away = "event: endpoint\ndata: https://evil.example/m\n\n";
    CHECK(foreign.feed(leads_away) == leads_away); // the client refuses it, as it would without us
    endpoint_rewriter endless(stream());
    std::size_t out = 0;
    for (int i = 0; i < 40; ++i)
        out += endless.feed(std::string(4096, 'x')).size();
    CHECK(out == 40 * 4096); // no event at all: nothing is held for ever

    endpoint_filter chunked(stream(), true);
    CHECK(has(std::string(*chunked.pass("event: endpoint\ndata: /m\n\n")), "\r\nevent: endpoint"));
    CHECK(chunked.end() == "0\r\n\r\n");
}
