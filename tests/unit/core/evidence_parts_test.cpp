// What evidence is made of: ids in the order of time, signatures, trace context, times as text, histograms.
#include "core/base/histogram.hpp"
#include "core/crypto/ed25519.hpp"
#include "core/crypto/uuid.hpp"
#include "core/http/trace_context.hpp"
#include "core/text/time_text.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/text.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

TEST_CASE("a UUIDv7 has version and variant, and later ones sort behind earlier ones") {
    const auto random = system_random();
    const auto at = time_point(1'800'000'000'123ms);
    const auto one = uuid_v7(at, random), two = uuid_v7(at + 1ms, random);
    CHECK(is_uuid(one));
    CHECK(one[14] == '7');
    CHECK(has("89ab", std::string(1, one[19])));
    CHECK(one < two);
    CHECK(one.substr(0, 13) == "01a3185c-507b");
    CHECK(uuid_v7(at, random) != one);
    for (const auto* bad : {"", "01a3185c-507b-7000-8000-00000000000", "01a3185c-507b-7000-8000-00000000000g",
                            "01a3185c-507b-7000-8000 000000000000", "../../../../../../../../../../etc"})
        CHECK_FALSE(is_uuid(bad));
}

TEST_CASE("Ed25519: what was signed verifies, what was changed does not, and keys have names") {
    const auto pem = signing_key::make_pem();
    const auto key = signing_key::from_pem(pem).value();
    const auto signature = key.sign("a line");
    const auto known = verifying_key::from_pem(secret(key.public_pem())).value();
    CHECK(signature.size() == 64);
    CHECK(known.verifies("a line", signature));
    CHECK_FALSE(known.verifies("a line ", signature));
    auto other = signature;
    other[5] = static_cast<char>(other[5] ^ 1);
    CHECK_FALSE(known.verifies("a line", other));
    CHECK_FALSE(known.verifies("a line", ""));
    CHECK(known.id() == key.id());
    CHECK(verifying_key::from_pem(pem).value().id() == key.id());
    const auto stranger = signing_key::from_pem(signing_key::make_pem()).value();
    CHECK(stranger.id() != key.id());
    CHECK_FALSE(known.verifies("a line", stranger.sign("a line")));
}

TEST_CASE("Ed25519: what is no such key says how one is made") {
    for (const auto* bad : {"", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "hello"}) {
        CHECK(signing_key::from_pem(secret(bad)).has_error());
        CHECK(verifying_key::from_pem(secret(bad)).has_error());
    }
    CHECK(has(signing_key::from_pem(secret("x")).error().fix, "openssl genpkey -algorithm ed25519"));
}

TEST_CASE("traceparent is read as W3C has it, and what is malformed is as if it had not come") {
    const std::string trace(32, 'a'), span(16, 'b');
    const auto read = parse_traceparent("00-" + trace + "-" + span + "-01");
    REQUIRE(read);
    CHECK(read->trace_id == trace);
    CHECK(read->span_id == span);
    CHECK(read->sampled);
    CHECK(read->text() == "00-" + trace + "-" + span + "-01");
    CHECK_FALSE(parse_traceparent("00-" + trace + "-" + span + "-00")->sampled);
    CHECK(parse_traceparent("cc-" + trace + "-" + span + "-03-what-comes-later")->sampled);
    for (const auto& bad : {std::string(), "00-" + trace + "-" + span, "ff-" + trace + "-" + span + "-01",
                            "00-" + std::string(32, '0') + "-" + span + "-01",
                            "00-" + trace + "-" + std::string(16, '0') + "-01",
                            "00-" + std::string(32, 'A') + "-" + span + "-01",
                            "00-" + trace + "-" + span + "-01-more", "00-" + trace + "-" + span + "-0g"})
        CHECK_FALSE(parse_traceparent(bad));
}

TEST_CASE("times are written to the millisecond and read again, with any offset") {
    const auto at = time_point(1'769'860'800'045ms);
    CHECK(rfc3339(at) == "2026-01-31T12:00:00Z");
    CHECK(rfc3339_ms(at) == "2026-01-31T12:00:00.045Z");
    CHECK(parse_rfc3339(rfc3339_ms(at)) == at);
    CHECK(parse_rfc3339("2026-01-31T14:00:00+02:00") == parse_rfc3339("2026-01-31T12:00:00Z"));
    CHECK(parse_rfc3339("2026-01-31T07:30:00.5-04:30") == parse_rfc3339("2026-01-31T12:00:00.500Z"));
    for (const auto* bad : {"", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00:00+0200", "yesterday",
                            "027-01-15T08:00:00Z", "1969-12-31T23:59:59Z"})
        CHECK_FALSE(parse_rfc3339(bad));
}

TEST_CASE("a histogram counts each length in the first bound that holds it") {
    histogram h;
    h.add(10us);
    h.add(50us);
    h.add(51us);
    h.add(1h);
    h.add(-1s);
    histogram::counts counts{};
    const auto sum = h.read(counts);
    CHECK(counts[0] == 3);
    CHECK(counts[1] == 1);
    CHECK(counts.back() == 1);
    CHECK(sum == Approx(3600.000111));
}
