// Members read with a default.
#include "proxy/cli/json_text.hpp"

#include "core/text/display_text.hpp"
#include "core/text/time_text.hpp"
#include "proxy/cli/table.hpp"

namespace reauth {

std::string text_of(const nlohmann::json& object, const char* member, std::size_t cap) {
    if (!object.is_object())
        return {};
    auto found = object.find(member);
    return found != object.end() && found->is_string() ? clean_text(found->get_ref<const std::string&>(), cap)
                                                       : std::string{};
}

bool flag_of(const nlohmann::json& object, const char* member) {
    return object.is_object() && object.value(member, nlohmann::json(false)) == nlohmann::json(true);
}

nlohmann::json array_of(const nlohmann::json& object, const char* member) {
    if (object.is_object())
        if (auto found = object.find(member); found != object.end() && found->is_array())
            return *found;
    return nlohmann::json::array();
}

std::string joined(const nlohmann::json& object, const char* member) {
    std::string out;
    for (const auto& word : array_of(object, member))
        if (word.is_string())
            out += (out.empty() ? "" : " ") + clean_text(word.get_ref<const std::string&>());
    return out;
}

std::string time_of(const nlohmann::json& object, const char* member) {
    const auto t = parse_rfc3339(text_of(object, member));
    return t ? relative_time(*t, std::chrono::system_clock::now()) : "-";
}

} // namespace reauth
