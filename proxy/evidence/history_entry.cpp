// One list of texts, for both forms.
#include "proxy/evidence/history_entry.hpp"

#include "core/json/json_fields.hpp"
#include "core/text/display_text.hpp"
#include "core/text/time_text.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace reauth {
namespace {

constexpr std::size_t longest_text = 400;

constexpr std::pair<const char*, std::string history_entry::*> texts[] = {
    {"what", &history_entry::what},         {"how", &history_entry::how},
    {"upstream", &history_entry::upstream}, {"principal", &history_entry::principal},
    {"subject", &history_entry::subject},   {"client", &history_entry::client},
    {"rule", &history_entry::rule},         {"approval", &history_entry::approval},
    {"scopes", &history_entry::scopes},     {"code", &history_entry::code},
    {"detail", &history_entry::detail},     {"by", &history_entry::by},
    {"recovery", &history_entry::recovery},
};

nlohmann::json json_of(const history_entry& e) {
    auto out = nlohmann::json::object();
    for (const auto& [name, value] : texts)
        out[name] = clean_text(e.*value, longest_text);
    if (e.took.count() >= 0)
        out["took_ms"] = e.took.count();
    return out;
}

} // namespace

nlohmann::json history_json(const history_entry& e) {
    auto out = json_of(e);
    out["at"] = rfc3339(e.at);
    return out;
}

nlohmann::json stored_entry_json(const history_entry& e) {
    auto out = json_of(e);
    out["at"] = rfc3339_ms(e.at);
    return out;
}

std::optional<history_entry> entry_from_json(const nlohmann::json& in) {
    const auto at = in.is_object() ? parse_rfc3339(json_string(in, "at")) : std::nullopt;
    if (!at)
        return std::nullopt;
    history_entry e;
    e.at = *at;
    for (const auto& [name, value] : texts)
        e.*value = json_string(in, name);
    if (const auto took = json_integer(in, "took_ms"))
        e.took = std::chrono::milliseconds(*took);
    return e;
}

} // namespace reauth
