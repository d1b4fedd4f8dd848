// Spans as OTLP's JSON has them (opentelemetry-proto, JSON mapping): pure.
#pragma once

#include "core/base/time_point.hpp"
#include "proxy/evidence/timeline.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace reauth {

/// SpanKind of OTLP.
enum class span_kind { internal = 1, server = 2, client = 3 };

struct span_event {
    time_point at{};
    std::string name;
    timeline_facts attributes;
};

struct span {
    std::string trace_id, id, parent; ///< hexadecimal; parent empty: the trace begins with it
    std::string name;
    span_kind kind = span_kind::internal;
    time_point began{}, ended{};
    timeline_facts attributes;                                 ///< empty values are left out
    std::vector<std::pair<std::string, std::int64_t>> numbers; ///< further attributes
    std::vector<span_event> events;
    std::string error; ///< its status, in a word; empty: it worked
};

/// What is said of a timeline from step `from` on: a span for the recovery, one for each of its pieces that
/// took time, events for its moments. Without a trace of the request's the timeline's id is the trace's.
std::vector<span> spans_of(const timeline& t, std::size_t from = 0);

/// The body of an export (ExportTraceServiceRequest).
std::string otlp_json(const std::vector<span>& spans, const timeline_facts& resource,
                      const std::string& version);

} // namespace reauth
