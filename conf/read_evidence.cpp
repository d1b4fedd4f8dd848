// Recorder, audit, traces: what is kept of what happened.
#include "conf/readers.hpp"

#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <charconv>

namespace reauth {

using namespace std::chrono_literals;

void read_recorder(section s, recorder_config& out) {
    s.duration("keep", out.keep, 1min);
    s.number("max", out.max, 0, 1'000'000);
    s.boolean("header", out.header);
    s.finish();
}

void read_audit(section s, audit_config& out) {
    s.path("file", out.file);
    s.size("rotate", out.rotate, 4096);
    s.number("keep", out.keep, 1, 10'000);
    auto sign = s.sub("sign");
    out.key = sign.secret_value("key", secret_file::made_if_missing);
    sign.number("every", out.every, 1, 1'000'000);
    sign.duration("within", out.within, 1s);
    if (sign.present())
        sign.require("key", "say where it is, e.g. {file: audit.key}: a missing file is made.");
    sign.finish();
    s.boolean("required", out.required);
    s.boolean("journald", out.journald);
    if (s.present())
        s.require("file", "say where the lines go, e.g. audit.jsonl.");
    s.finish();
}

namespace {

/// recoveries: negative; all: 1; else a number from 0 to 1.
void read_sample(section& s, double& out) {
    std::string given = "recoveries";
    s.text("sample", given);
    if (given == "recoveries")
        return;
    if (given == "all") {
        out = 1;
        return;
    }
    const auto* end = given.data() + given.size();
    double share = -1;
    const auto read = std::from_chars(given.data(), end, share);
    if (read.ec != std::errc() || read.ptr != end || !(share >= 0 && share <= 1))
        s.error("sample", "must be recoveries, all, or a share of the requests from 0 to 1, not '" +
                              clean_text(given, 60) + "'.");
    else
        out = share;
}

} // namespace

void read_trace(section s, trace_config& out) {
    s.text("otlp", out.otlp);
    for (auto& [name, value] : s.pairs("headers"))
        out.headers.emplace_back(name.text, secret(value));
    read_sample(s, out.sample);
    s.readable_file("ca_file", out.ca_file);
    if (s.present())
        s.require("otlp", "say where spans go, e.g. http://127.0.0.1:4318.");
    if (!out.otlp.empty()) {
        while (out.otlp.ends_with('/'))
            out.otlp.pop_back();
        const auto url = parse_http_url(out.otlp);
        if (!url || url->has_query)
            s.error("otlp", "must be a URL (http or https) without a query.");
    }
    s.finish();
}

} // namespace reauth
