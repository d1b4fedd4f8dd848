// Timelines: kept, put together from what several processes wrote, drawn, told as spans.
#include "proxy/approval/timeline_page.hpp"
#include "proxy/evidence/span.hpp"
#include "proxy/evidence/tar_archive.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/text.hpp"

#include <zlib.h>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

const time_point start(1'800'000'000s);

timeline sample() {
    timeline t;
    t.id = "01a3185c-507b-7000-8000-000000000001";
    t.process = "one";
    t.began = t.ended = start;
    t.upstream = "up";
    t.principal = "ada";
    t.add({start, -1ms, "challenge", {{"kind", "invalid_token"}, {"description", "a \x01 b <script>"}}});
    t.add({start + 2ms, -1ms, "judged", {{"rule", "quietly"}}});
    t.add({start + 3ms,
           40ms,
           "exchange",
           {{"method", "POST"},
            {"host", "as.example:8443"},
            {"path", "/token"},
            {"status", "400"},
            {"sent", "120"},
            {"received", "33"},
            {"purpose", "token request"}}});
    t.add({start + 3ms, 45ms, "token request", {{"code", "reauth_failed"}}});
    history_entry e;
    e.at = start + 50ms;
    e.what = "recovery";
    e.how = "refresh";
    e.code = "reauth_failed";
    e.rule = "quietly";
    e.took = 47ms;
    e.recovery = t.id;
    t.entries.push_back(e);
    return t;
}

const timeline_facts& attributes(const span& s) {
    return s.attributes;
}

std::string attribute(const span& s, const std::string& name) {
    for (const auto& [key, value] : attributes(s))
        if (key == name)
            return value;
    return {};
}

} // namespace

TEST_CASE("timeline: what is stored comes back, cleaned") {
    const auto t = sample();
    const auto read = timeline_from_json(timeline_json(t));
    REQUIRE(read);
    CHECK(read->id == t.id);
    CHECK(read->began == t.began);
    CHECK(read->ended == start + 48ms);
    REQUIRE(read->steps.size() == 4);
    CHECK(read->steps[2].took == 40ms);
    CHECK(read->steps[0].took < 0ms);
    REQUIRE(read->entries.size() == 1);
    CHECK(read->entries[0].took == 47ms);
    CHECK(timeline_json(*read) == timeline_json(*timeline_from_json(timeline_json(*read))));
    CHECK_FALSE(has(timeline_json(t).dump(), "\\u0001"));
    for (const auto* bad : {"{}", "[]", "1", "{\"began\":\"never\"}"})
        CHECK_FALSE(timeline_from_json(nlohmann::json::parse(bad)));
}

TEST_CASE("timeline: it is bounded, and says what was left off") {
    auto t = sample();
    for (int i = 0; i < 500; ++i)
        t.add({start + 1s, -1ms, "look", {}});
    CHECK(t.steps.size() == timeline::most_steps);
    CHECK(t.left_off == 504 - timeline::most_steps);
}

TEST_CASE("timeline: parts of several processes are one, in the order of time") {
    auto one = sample();
    timeline two;
    two.id = one.id;
    two.process = "two";
    two.began = start + 10ms;
    two.ended = start + 5min;
    two.steps = {{start + 10ms, -1ms, "approval", {}}, {start + 5min, -1ms, "decision", {}}};
    const auto whole = merged({two, one});
    CHECK(whole.process == "one, two");
    CHECK(whole.began == start);
    CHECK(whole.ended == start + 5min);
    REQUIRE(whole.steps.size() == 6);
    CHECK(whole.steps[4].what == "approval");
}

TEST_CASE("timeline page: every step has its bar and its words, and nothing of outside is markup") {
    const auto html = render_timeline_page("", sample());
    std::size_t bars = 0;
    for (auto at = html.find("<svg"); at != html.npos; at = html.find("<svg", at + 1))
        ++bars;
    CHECK(bars == 4);
    CHECK_FALSE(has(html, "<script>"));
    CHECK(has(html, "&lt;script&gt;"));
    CHECK(has(html, "refresh: reauth failed"));
    CHECK(has(html, "took 40 ms"));
    CHECK_FALSE(has(html, "nan"));
    timeline empty;
    empty.began = empty.ended = start;
    CHECK(has(render_timeline_page("/prefix", empty), "Nothing was decided"));
}

TEST_CASE("spans: a recovery is one, its pieces are its children, its moments are events") {
    auto t = sample();
    t.trace = "00-" + std::string(32, 'a') + "-" + std::string(16, 'b') + "-01";
    const auto spans = spans_of(t);
    REQUIRE(spans.size() == 3);
    CHECK(spans[0].trace_id == std::string(32, 'a'));
    CHECK(spans[0].parent == std::string(16, 'b'));
    CHECK(spans[0].error == "reauth_failed");
    CHECK(spans[0].events.size() == 2);
    CHECK(spans[1].parent == spans[0].id);
    CHECK(spans[1].kind == span_kind::client);
    CHECK(attribute(spans[1], "server.address") == "as.example");
    CHECK(attribute(spans[1], "http.request.method") == "POST");
    CHECK(attribute(spans[1], "error.type") == "400");
    CHECK(spans[1].ended - spans[1].began == 40ms);
    CHECK(spans[1].id != spans[2].id);
}

TEST_CASE("spans: without a trace of the request's the timeline's id is the trace's; what follows later is "
          "its child") {
    auto t = sample();
    const auto first = spans_of(t);
    CHECK(first[0].trace_id == "01a3185c507b70008000000000000001");
    CHECK(first[0].parent.empty());
    const auto told = t.steps.size();
    t.add({start + 1min, -1ms, "approval", {}});
    const auto later = spans_of(t, told);
    REQUIRE(later.size() == 1);
    CHECK(later[0].trace_id == first[0].trace_id);
    CHECK(later[0].parent == first[0].id);
    CHECK(later[0].id != first[0].id);
}

TEST_CASE("spans are written as OTLP has them") {
    const auto j =
        nlohmann::json::parse(otlp_json(spans_of(sample()), {{"service.name", "mcp-reauth"}}, "1.0"));
    const auto& s = j["resourceSpans"][0]["scopeSpans"][0]["spans"][1];
    CHECK(s["startTimeUnixNano"] == "1800000000003000000");
    CHECK(s["kind"] == 3);
    CHECK(s["status"]["code"] == 2);
    CHECK(j["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"] == "mcp-reauth");
}

TEST_CASE("an archive holds what was put in, under harmless names") {
    tar_archive a(start);
    a.add("about.txt", "hello\n");
    a.add("doctor/../we ird\n.json", std::string(700, 'x'));
    CHECK(a.names() == std::vector<std::string>{"about.txt", "doctor/../we_ird_.json"});
    const auto packed = a.compressed();
    std::string out(8192, '\0');
    z_stream z{};
    REQUIRE(inflateInit2(&z, 15 + 16) == Z_OK);
    auto in = packed;
    z.next_in = reinterpret_cast<Bytef*>(in.data());
    z.avail_in = static_cast<uInt>(in.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END);
    out.resize(z.total_out);
    inflateEnd(&z);
    CHECK(out.size() == 512 * 2 + 512 * 3 + 1024);
    CHECK(out.substr(0, 9) == "about.txt");
    CHECK(out.substr(257, 5) == "ustar");
    CHECK(out.substr(512, 6) == "hello\n");
}
