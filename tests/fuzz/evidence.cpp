// Fuzzes what evidence reads again: traceparent, times, recorded judgements, timelines, lines of the audit.
// What was read is written the same, and read again.
#include "core/http/trace_context.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/time_text.hpp"
#include "proxy/evidence/audit_verify.hpp"
#include "proxy/evidence/timeline.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto trace = parse_traceparent(text))
        if (!parse_traceparent(trace->text()))
            __builtin_trap();
    if (const auto at = parse_rfc3339(text); at && *at != time_point::max() && *at > time_point())
        if (parse_rfc3339(rfc3339_ms(*at)) != std::chrono::floor<std::chrono::milliseconds>(*at))
            __builtin_trap();
    if (const auto head = audit_head::parse(text); head && !audit_head::parse(head->text()))
        __builtin_trap();
    (void)read_audit_line(text);
    (void)verify_audit({{"f", std::string(text)}}, {});
    const auto json = read_json(text);
    if (!json)
        return 0;
    if (const auto judged = judgement_from_json(*json)) {
        const auto again = judgement_from_json(judgement_json(*judged));
        if (!again || judgement_json(*again) != judgement_json(*judged))
            __builtin_trap();
        (void)judged_again({builtin_rules()}, *judged, {}, grant_kind::enterprise);
    }
    if (const auto t = timeline_from_json(*json)) {
        const auto written = timeline_json(*t);
        const auto again = timeline_from_json(written);
        if (!again || timeline_json(*again) != written)
            __builtin_trap();
        (void)merged({*t, *again});
    }
    return 0;
}
