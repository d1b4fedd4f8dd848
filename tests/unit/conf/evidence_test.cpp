// recorder, audit, trace, observe: read, and refused where they are wrong.
#include "conf/load.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/text.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

result<config> load(const std::string& more) {
    config_inputs inputs;
    inputs.environment = {{"HOME", "/home/ada"}, {"OTLP_KEY", "secret-of-the-collector"}};
    return load_config_text(
        "vault: {backend: memory}\nupstreams: {up: {url: \"https://mcp.example/mcp\"}}\n" + more,
        "/etc/t.yaml", inputs);
}

std::string wrong(const std::string& more) {
    const auto c = load(more);
    REQUIRE(c.has_error());
    return c.error().message;
}

} // namespace

TEST_CASE("evidence: without keys timelines are kept for a week, nothing is audited and nothing is sent") {
    const auto c = load("").value();
    CHECK(c.recorder.keep == 7 * 24h);
    CHECK(c.recorder.max == 10'000);
    CHECK_FALSE(c.recorder.header);
    CHECK(c.audit.file.empty());
    CHECK_FALSE(c.trace.enabled());
    CHECK(c.trace.sample < 0);
}

TEST_CASE("evidence: all keys are read, paths are made absolute, and values of headers are secrets") {
    const auto c =
        load("recorder: {keep: 30d, max: 50, header: true}\n"
             "audit: {file: audit.jsonl, rotate: 1MiB, keep: 3, sign: {key: {file: audit.key}, every: 10, "
             "within: 1m}, required: true, journald: true}\n"
             "trace: {otlp: \"http://127.0.0.1:4318/\", headers: {Authorization: {env: OTLP_KEY}}, "
             "sample: 0.25}\n"
             "policy: [{action: deny, observe: true}]\n")
            .value();
    CHECK(c.recorder.keep == 30 * 24h);
    CHECK(c.recorder.max == 50);
    CHECK(c.recorder.header);
    CHECK(c.audit.file == "/etc/audit.jsonl");
    CHECK(c.audit.rotate == 1u << 20);
    CHECK(c.audit.keep == 3);
    CHECK(c.audit.key.name == "/etc/audit.key");
    CHECK(c.audit.every == 10);
    CHECK(c.audit.within == 1min);
    CHECK(c.audit.required);
    CHECK(c.audit.journald);
    CHECK(c.trace.otlp == "http://127.0.0.1:4318");
    REQUIRE(c.trace.headers.size() == 1);
    CHECK(c.trace.headers[0].second.equals("secret-of-the-collector"));
    CHECK(c.trace.sample == Approx(0.25));
    CHECK(c.policy.rules.front().observe);
    CHECK(load("trace: {otlp: \"https://t.example\", sample: all}\n").value().trace.sample == 1);
}

TEST_CASE("evidence: what is wrong is told with its place and the fix") {
    CHECK(has(wrong("trace: {otlp: \"http://c\", sample: sometimes}\n"), "recoveries, all, or a share"));
    CHECK(has(wrong("trace: {otlp: \"http://c\", sample: 1.5}\n"), "trace.sample"));
    CHECK(has(wrong("trace: {sample: all}\n"), "trace.otlp"));
    CHECK(has(wrong("trace: {otlp: nowhere}\n"), "must be a URL"));
    CHECK(has(wrong("audit: {required: true}\n"), "audit.file"));
    CHECK(has(wrong("audit: {file: a, sign: {every: 5}}\n"), "audit.sign.key"));
    CHECK(has(wrong("recorder: {kepe: 3d}\n"), "keep"));
    CHECK(has(wrong("recorder: {keep: 5s}\n"), "recorder.keep"));
}

TEST_CASE("a rule with observe: true hides none behind it") {
    const auto c = load("policy: [{action: deny, observe: true}, {action: silent}]\n").value();
    for (const auto& w : c.warnings)
        CHECK_FALSE(has(w, "never reached"));
}
