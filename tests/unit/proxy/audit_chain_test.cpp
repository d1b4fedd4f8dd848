// The audit: each line holds the hash of the one before; whatever is changed, missing, moved or cut is found,
// and told by its line.
#include "core/crypto/random.hpp"
#include "proxy/evidence/audit_verify.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/text.hpp"

#include <algorithm>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

struct written {
    signing_key key = signing_key::from_pem(signing_key::make_pem()).value();
    audit_head head{"log-1", 0, {}};
    std::vector<std::string> lines;
    int n = 0;

    void write(std::string event, bool sign, std::vector<std::pair<std::string, std::string>> details = {}) {
        details.emplace_back("n", std::to_string(++n));
        const audit_event what{time_point(1'800'000'000s), std::move(event), std::move(details), sign};
        lines.push_back(audit_line(head, what, "p", sign ? &key : nullptr));
    }
    /// A start that tells the key, ten lines, every third of them signed.
    written() {
        write("start", true, {{"public_key", key.public_text()}});
        for (int i = 1; i <= 10; ++i)
            write("recovery", i % 3 == 0);
    }
    std::string text(std::size_t from = 0, std::size_t to = 100) const {
        std::string out;
        for (std::size_t i = from; i < std::min(to, lines.size()); ++i)
            out += lines[i] + "\n";
        return out;
    }
    audit_expectations trusted() const {
        return {{verifying_key::from_pem(secret(key.public_pem())).value()}, {}};
    }
};

std::string all_findings(const audit_report& r) {
    std::string out;
    for (const auto& f : r.findings)
        out += f.where + ": " + f.what + "\n";
    return out;
}

std::string found_in(const std::string& text, const audit_expectations& expected = {}) {
    return all_findings(verify_audit({{"a.jsonl", text}}, expected));
}

} // namespace

TEST_CASE("audit: an untouched file is whole, with its signatures counted") {
    const written w;
    const auto r = verify_audit({{"a.jsonl", w.text()}}, w.trusted());
    CHECK(r.findings.empty());
    REQUIRE(r.chains.size() == 1);
    CHECK(r.chains[0].lines == 11);
    CHECK(r.chains[0].signatures == 4);
    CHECK(r.chains[0].unsigned_tail == 1);
    CHECK(r.chains[0].keys == std::vector<std::string>{w.key.id()});
}

TEST_CASE("audit: a changed line is named, wherever it stands") {
    const written w;
    for (std::size_t i = 0; i + 1 < w.lines.size(); ++i) {
        auto changed = w;
        auto& line = changed.lines[i];
        line.replace(line.find("\"n\":\""), 5, "\"m\":\"");
        INFO("line " << i + 1);
        const auto found = found_in(changed.text(), w.trusted());
        CHECK(has(found, "a.jsonl:" + std::to_string(i + 1) + ": "));
    }
}

TEST_CASE("audit: any single byte that is changed is found") {
    const written w;
    const auto text = w.text(0, 10); // the last line is signed
    for (std::size_t at = 0; at < text.size(); at += 7) {
        auto changed = text;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        INFO("byte " << at << ": " << text.substr(at, 12));
        CHECK_FALSE(found_in(changed, w.trusted()).empty());
    }
}

TEST_CASE("audit: lines that are missing, moved, put in twice, or cut are told as that") {
    const written w;
    CHECK(has(found_in(w.text(0, 3) + w.text(5)), "a.jsonl:4: lines 4 to 5 are missing before it"));
    CHECK(has(found_in(w.text(0, 3) + w.text(4)), "line 4 is missing before it"));
    CHECK(
        has(found_in(w.text(0, 3) + w.text(4, 5) + w.text(3, 4) + w.text(5)), "line 4 stands behind line 5"));
    CHECK(has(found_in(w.text(0, 3) + w.text(2, 3) + w.text(3)), "put in twice"));
    auto cut = w.text();
    cut.resize(cut.size() - 40);
    CHECK(has(found_in(cut), "a.jsonl:11: is cut"));
    cut = w.text();
    cut.pop_back();
    CHECK(has(found_in(cut), "line feed is missing"));
}

TEST_CASE("audit: whoever writes all hashes anew lacks the key") {
    const written w;
    audit_head head{"log-1", 0, {}};
    const auto stranger = signing_key::from_pem(signing_key::make_pem()).value();
    std::string forged;
    for (int i = 1; i <= 6; ++i)
        forged += audit_line(head, {time_point(1s), "recovery", {{"n", std::to_string(i)}}, false}, "p",
                             i % 3 == 0 ? &stranger : nullptr) +
                  "\n";
    CHECK(has(found_in(forged, w.trusted()), "which nobody has vouched for"));
    // a start of his own tells his own key: nobody trusts it
    head = {"log-1", 0, {}};
    forged = audit_line(head, {time_point(1s), "start", {{"public_key", stranger.public_text()}}, true}, "p",
                        &stranger) +
             "\n";
    CHECK(has(found_in(forged, w.trusted()), "which nobody has vouched for"));
    CHECK(found_in(forged)
              .empty()); // without a trusted key that can't be told, and the report says whose it is
}

TEST_CASE("audit: an end that was cut off is found by the line that was written last") {
    const written w;
    auto expected = w.trusted();
    expected.heads = {w.head};
    CHECK(found_in(w.text(), expected).empty());
    CHECK(verify_audit({{"a.jsonl", w.text()}}, expected).chains[0].head_known);
    CHECK(has(found_in(w.text(0, 10), expected), "the end is cut off: line 11 was written"));
    CHECK(has(found_in("", expected), "is missing altogether"));
    expected.heads[0].hash = std::string(64, 'f');
    CHECK(has(found_in(w.text(), expected), "is not the one that was written"));
}

TEST_CASE("audit: rotated files are one chain in whatever order they are given, and a missing one is told") {
    const written w;
    const std::vector<audit_file_text> all{
        {"a.jsonl", w.text(8)}, {"a.jsonl.2", w.text(0, 4)}, {"a.jsonl.1", w.text(4, 8)}};
    CHECK(verify_audit(all, w.trusted()).findings.empty());
    const auto r = verify_audit({all[0], all[1]}, w.trusted());
    CHECK(has(all_findings(r), "a.jsonl:1: lines 5 to 8 are missing before it"));
}

TEST_CASE("audit: replicas have chains of their own") {
    const written one;
    written other;
    other.head = {"log-2", 0, {}};
    other.lines.clear();
    other.write("start", true, {{"public_key", other.key.public_text()}});
    const auto r = verify_audit({{"b.jsonl", other.text()}, {"a.jsonl", one.text()}}, {});
    CHECK(r.findings.empty());
    CHECK(r.chains.size() == 2);
    CHECK(has(all_findings(verify_audit({{"a.jsonl", one.text() + other.text()}}, {})),
              "belongs to another audit"));
}

TEST_CASE("audit: a new key is taken where the old one vouches for it") {
    written w;
    const auto next = signing_key::from_pem(signing_key::make_pem()).value();
    w.write("key", true, {{"public_key", next.public_text()}});
    const auto trusted = w.trusted();
    w.key = next;
    w.write("decision", true);
    const auto r = verify_audit({{"a.jsonl", w.text()}}, trusted);
    CHECK(all_findings(r).empty());
    CHECK(r.chains[0].keys.size() == 2);
    written unvouched;
    const auto first = unvouched.trusted();
    unvouched.write("key", false, {{"public_key", next.public_text()}});
    unvouched.key = next;
    unvouched.write("decision", true);
    CHECK(has(found_in(unvouched.text(), first), "which nobody has vouched for"));
}

TEST_CASE("audit: values are cleaned and capped, empty ones left out, and no line holds a line feed") {
    audit_head head{"log", 0, {}};
    const auto line =
        audit_line(head,
                   {time_point(1s),
                    "decision",
                    {{"tool", "a\nb\xe2\x80\xae"}, {"empty", ""}, {"long", std::string(5000, 'x')}},
                    false},
                   "p", nullptr);
    CHECK_FALSE(has(line, "\n"));
    CHECK_FALSE(has(line, "empty"));
    CHECK(line.size() < 2000);
    CHECK(read_audit_line(line).has_value());
}

TEST_CASE("audit: a head is written and read") {
    const audit_head head{"log", 12, std::string(64, 'a')};
    const auto read = audit_head::parse(head.text());
    REQUIRE(read);
    CHECK(read->text() == head.text());
    for (const auto* bad : {"", "log", "log:x:", "log:1:abc", ":1:aa"})
        CHECK_FALSE(audit_head::parse(bad));
}
