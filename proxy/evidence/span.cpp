// Names and attributes by OpenTelemetry's semantic conventions, where there are any: http, server, error,
// mcp, gen_ai.
#include "proxy/evidence/span.hpp"

#include "core/crypto/digest.hpp"
#include "core/http/trace_context.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"

#include <algorithm>

namespace reauth {
namespace {

using nlohmann::json;

constexpr std::size_t longest_attribute = 300;

std::string span_id_of(const std::string& seed) {
    return hex_encode(sha256(seed)).substr(0, 16);
}

const std::string& fact(const timeline_step& s, std::string_view name) {
    static const std::string none;
    for (const auto& [key, value] : s.facts)
        if (key == name)
            return value;
    return none;
}

json attribute(const std::string& key, json value) {
    return {{"key", key}, {"value", std::move(value)}};
}

json attributes_json(const timeline_facts& texts,
                     const std::vector<std::pair<std::string, std::int64_t>>& numbers) {
    auto out = json::array();
    for (const auto& [key, value] : texts)
        if (!value.empty())
            out.push_back(attribute(key, {{"stringValue", clean_text(value, longest_attribute)}}));
    for (const auto& [key, value] : numbers)
        out.push_back(attribute(key, {{"intValue", std::to_string(value)}}));
    return out;
}

std::string nanoseconds(time_point t) {
    return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count());
}

json span_json(const span& s) {
    auto events = json::array();
    for (const auto& e : s.events)
        events.push_back({{"timeUnixNano", nanoseconds(e.at)},
                          {"name", e.name},
                          {"attributes", attributes_json(e.attributes, {})}});
    json out{{"traceId", s.trace_id},
             {"spanId", s.id},
             {"name", s.name},
             {"kind", static_cast<int>(s.kind)},
             {"startTimeUnixNano", nanoseconds(s.began)},
             {"endTimeUnixNano", nanoseconds(s.ended)},
             {"attributes", attributes_json(s.attributes, s.numbers)},
             {"events", std::move(events)},
             {"status", s.error.empty() ? json::object() : json{{"code", 2}, {"message", s.error}}}};
    if (!s.parent.empty())
        out["parentSpanId"] = s.parent;
    return out;
}

std::int64_t number(const std::string& text) {
    return text.empty() ? 0 : std::strtoll(text.c_str(), nullptr, 10);
}

/// `mcp_reauth.NAME`, as nobody else calls it.
timeline_facts own_facts(const timeline_step& s) {
    timeline_facts out;
    for (const auto& [key, value] : s.facts)
        out.emplace_back("mcp_reauth." + key, value);
    return out;
}

/// A piece of a recovery that took time.
span piece_of(const timeline_step& s, const span& whole, std::size_t number_of_step) {
    span p;
    p.trace_id = whole.trace_id;
    p.id = span_id_of(whole.id + std::to_string(number_of_step));
    p.parent = whole.id;
    p.name = s.what;
    p.began = s.at;
    p.ended = s.at + s.took;
    p.error = fact(s, "code");
    if (s.what != "exchange") {
        p.attributes = own_facts(s);
        if (!p.error.empty())
            p.attributes.emplace_back("error.type", p.error);
        return p;
    }
    p.kind = span_kind::client;
    p.name = fact(s, "method");
    const auto& host = fact(s, "host");
    const auto colon = host.rfind(':');
    const bool has_port = colon != host.npos && host.find(']', colon) == host.npos;
    p.attributes = {{"http.request.method", fact(s, "method")},
                    {"server.address", has_port ? host.substr(0, colon) : host},
                    {"url.path", fact(s, "path")},
                    {"mcp_reauth.purpose", fact(s, "purpose")}};
    const auto status = number(fact(s, "status"));
    if (has_port)
        p.numbers.emplace_back("server.port", number(host.substr(colon + 1)));
    if (status > 0)
        p.numbers.emplace_back("http.response.status_code", status);
    p.numbers.emplace_back("http.request.body.size", number(fact(s, "sent")));
    p.numbers.emplace_back("http.response.body.size", number(fact(s, "received")));
    if (status >= 400)
        p.error = std::to_string(status);
    if (!p.error.empty())
        p.attributes.emplace_back("error.type", p.error);
    return p;
}

span whole_of(const timeline& t, std::size_t from) {
    span whole;
    const auto parent = parse_traceparent(t.trace);
    auto own = t.id;
    std::erase(own, '-');
    const auto root = span_id_of(t.id + t.process);
    whole.trace_id = parent ? parent->trace_id : own;
    whole.id = from == 0 ? root : span_id_of(t.id + t.process + std::to_string(from));
    whole.parent = from > 0 ? root : parent ? parent->span_id : std::string();
    whole.name = "recovery " + t.upstream;
    whole.began = from < t.steps.size() ? t.steps[from].at : t.began;
    whole.ended = t.ended;
    whole.attributes = {{"mcp_reauth.recovery", t.id},
                        {"mcp_reauth.upstream", t.upstream},
                        {"mcp_reauth.principal", t.principal}};
    return whole;
}

} // namespace

std::vector<span> spans_of(const timeline& t, std::size_t from) {
    std::vector<span> out{whole_of(t, from)};
    for (std::size_t i = from; i < t.steps.size(); ++i) {
        const auto& s = t.steps[i];
        out.front().began = std::min(out.front().began, s.at);
        if (s.took.count() >= 0)
            out.push_back(piece_of(s, out.front(), i));
        else
            out.front().events.push_back({s.at, s.what, own_facts(s)});
    }
    auto& whole = out.front();
    if (!t.judged.empty()) {
        const auto& operations = t.judged.front().facts.request.operations;
        if (!operations.empty()) {
            whole.attributes.emplace_back("mcp.method.name", operations.front().method);
            whole.attributes.emplace_back("gen_ai.tool.name", operations.front().tool);
        }
    }
    if (!t.entries.empty()) {
        const auto& last = t.entries.back();
        whole.attributes.emplace_back("mcp_reauth.how", last.how);
        whole.attributes.emplace_back("mcp_reauth.rule", last.rule);
        whole.attributes.emplace_back("mcp_reauth.approval", last.approval);
        if (last.code != "ok") {
            whole.error = last.code;
            whole.attributes.emplace_back("error.type", last.code);
        }
    }
    return out;
}

std::string otlp_json(const std::vector<span>& spans, const timeline_facts& resource,
                      const std::string& version) {
    auto list = json::array();
    for (const auto& s : spans)
        list.push_back(span_json(s));
    const json scope{{"name", "mcp-reauth"}, {"version", version}};
    const json scoped{{"scope", scope}, {"spans", std::move(list)}};
    const json one{{"resource", {{"attributes", attributes_json(resource, {})}}},
                   {"scopeSpans", json::array({scoped})}};
    return json_text(json{{"resourceSpans", json::array({one})}});
}

} // namespace reauth
