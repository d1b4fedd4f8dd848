// Bounded, written, read, put together.
#include "proxy/evidence/timeline.hpp"

#include "core/json/json_fields.hpp"
#include "core/text/display_text.hpp"
#include "core/text/time_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

using nlohmann::json;

constexpr std::size_t longest_fact = 300;

json step_json(const timeline_step& s) {
    auto facts = json::object();
    for (const auto& [name, value] : s.facts)
        if (!value.empty())
            facts[name] = clean_text(value, longest_fact);
    json out{{"at", rfc3339_ms(s.at)}, {"what", s.what}, {"facts", std::move(facts)}};
    if (s.took.count() >= 0)
        out["took_ms"] = s.took.count();
    return out;
}

std::optional<timeline_step> step_from_json(const json& in) {
    const auto at = in.is_object() ? parse_rfc3339(json_string(in, "at")) : std::nullopt;
    if (!at)
        return std::nullopt;
    timeline_step s;
    s.at = *at;
    s.what = json_string(in, "what");
    if (const auto took = json_integer(in, "took_ms"))
        s.took = std::chrono::milliseconds(*took);
    if (const auto facts = in.find("facts"); facts != in.end() && facts->is_object())
        for (const auto& [name, value] : facts->items())
            if (value.is_string())
                s.facts.emplace_back(name, value.get<std::string>());
    return s;
}

template<class T, class Read>
void read_list(const json& in, const char* name, std::vector<T>& out, Read read) {
    if (const auto list = in.find(name); list != in.end() && list->is_array())
        for (const auto& one : *list)
            if (auto value = read(one))
                out.push_back(std::move(*value));
}

} // namespace

void timeline::add(timeline_step step) {
    ended = std::max(ended, step.at + std::max(step.took, std::chrono::milliseconds(0)));
    if (steps.size() < most_steps)
        steps.push_back(std::move(step));
    else
        ++left_off;
}

json timeline_json(const timeline& t) {
    json out{{"id", t.id},
             {"began", rfc3339_ms(t.began)},
             {"ended", rfc3339_ms(t.ended)},
             {"upstream", clean_text(t.upstream)},
             {"principal", clean_text(t.principal)},
             {"session", t.session},
             {"trace", t.trace},
             {"process", t.process},
             {"left_off", t.left_off},
             {"steps", json::array()},
             {"entries", json::array()},
             {"judged", json::array()}};
    for (const auto& s : t.steps)
        out["steps"].push_back(step_json(s));
    for (const auto& e : t.entries)
        out["entries"].push_back(stored_entry_json(e));
    for (const auto& j : t.judged)
        out["judged"].push_back(judgement_json(j));
    return out;
}

std::optional<timeline> timeline_from_json(const json& in) {
    const auto began = in.is_object() ? parse_rfc3339(json_string(in, "began")) : std::nullopt;
    if (!began)
        return std::nullopt;
    timeline t;
    t.id = json_string(in, "id");
    t.began = *began;
    t.ended = parse_rfc3339(json_string(in, "ended")).value_or(*began);
    t.upstream = json_string(in, "upstream");
    t.principal = json_string(in, "principal");
    t.session = json_bool(in, "session");
    t.trace = json_string(in, "trace");
    t.process = json_string(in, "process");
    t.left_off =
        static_cast<std::size_t>(std::max<std::int64_t>(0, json_integer(in, "left_off").value_or(0)));
    read_list(in, "steps", t.steps, step_from_json);
    read_list(in, "entries", t.entries, entry_from_json);
    read_list(in, "judged", t.judged, judgement_from_json);
    return t;
}

timeline merged(std::vector<timeline> parts) {
    std::stable_sort(parts.begin(), parts.end(),
                     [](const timeline& a, const timeline& b) { return a.began < b.began; });
    auto whole = std::move(parts.front());
    for (auto p = parts.begin() + 1; p != parts.end(); ++p) {
        whole.ended = std::max(whole.ended, p->ended);
        whole.left_off += p->left_off;
        whole.process += ", " + p->process;
        std::move(p->steps.begin(), p->steps.end(), std::back_inserter(whole.steps));
        std::move(p->entries.begin(), p->entries.end(), std::back_inserter(whole.entries));
        std::move(p->judged.begin(), p->judged.end(), std::back_inserter(whole.judged));
    }
    std::stable_sort(whole.steps.begin(), whole.steps.end(),
                     [](const timeline_step& a, const timeline_step& b) { return a.at < b.at; });
    std::stable_sort(whole.entries.begin(), whole.entries.end(),
                     [](const history_entry& a, const history_entry& b) { return a.at < b.at; });
    return whole;
}

} // namespace reauth
