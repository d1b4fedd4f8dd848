// A session as text, and cookies read.
#include "proxy/approval/viewer.hpp"

#include "conf/values.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/ascii.hpp"

#include <algorithm>

namespace reauth {

std::string person_to_text(const page_person& who) {
    return json_text(nlohmann::json{{"v", 1},
                                    {"id", who.id},
                                    {"principal", who.principal},
                                    {"shown", who.shown.substr(0, 120)},
                                    {"iss", who.issuer},
                                    {"sub", who.subject},
                                    {"sid", who.session},
                                    {"operates", who.operates},
                                    {"iat", stored_time(who.issued)},
                                    {"begun", stored_time(who.begun)},
                                    {"seen", stored_time(who.seen)}});
}

std::optional<page_person> person_from_text(const std::string& text) {
    const auto in = read_json(text, {8192, 4, 32}).value_or(nlohmann::json());
    const auto begun = json_time(in, "begun", 1000), seen = json_time(in, "seen", 1000),
               issued = json_time(in, "iat", 1000);
    if (json_integer(in, "v") != 1 || !begun || !seen || !issued || json_string(in, "id").empty() ||
        json_string(in, "principal").empty())
        return std::nullopt;
    page_person who;
    who.id = json_string(in, "id");
    who.principal = json_string(in, "principal");
    who.shown = json_string(in, "shown");
    who.issuer = json_string(in, "iss");
    who.subject = json_string(in, "sub");
    who.session = json_string(in, "sid");
    who.operates = json_bool(in, "operates");
    who.issued = *issued;
    who.begun = *begun;
    who.seen = *seen;
    return who;
}

std::string_view bearer_in(const service_request& request) {
    const auto field = request.header("authorization").value_or("");
    constexpr std::string_view scheme = "bearer ";
    return field.size() > scheme.size() && iequals(field.substr(0, scheme.size()), scheme)
               ? trim_ows(field.substr(scheme.size()))
               : std::string_view();
}

std::optional<std::string> cookie_value(const service_request& request, std::string_view name) {
    for (const auto& h : request.headers) {
        if (!iequals(h.name, "cookie"))
            continue;
        std::string_view rest = h.value;
        while (!rest.empty()) {
            const auto end = rest.find(';');
            auto pair = rest.substr(0, end);
            rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
            while (pair.starts_with(' '))
                pair.remove_prefix(1);
            if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
                return std::string(pair.substr(name.size() + 1));
        }
    }
    return std::nullopt;
}

std::string own_path(std::string_view wanted) {
    const bool plain = std::all_of(wanted.begin(), wanted.end(), [](char c) {
        return is_ascii_alnum(c) || c == '/' || c == '-' || c == '_';
    });
    const bool ours = (wanted.starts_with("/a/") || wanted.starts_with("/history/")) &&
                      wanted.size() <= 100 && wanted.find("//") == wanted.npos;
    return plain && ours ? std::string(wanted) : "/";
}

} // namespace reauth
