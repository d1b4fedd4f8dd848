// One pass: what stands between the commas of the first level.
#include "core/json_members.hpp"

#include "core/ascii.hpp"

namespace reauth {

std::vector<json_member> json_members(std::string_view container) {
    std::vector<json_member> out;
    std::string_view key;
    std::size_t depth = 0, begin = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < container.size(); ++i) {
        const char c = container[i];
        if (in_string) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                in_string = false;
            continue;
        }
        const bool closes = c == ']' || c == '}';
        if (depth == 1 && c == ':') {
            key = trim_space(container.substr(begin, i - begin));
            begin = i + 1;
        } else if (depth == 1 && (c == ',' || closes)) {
            if (const auto value = trim_space(container.substr(begin, i - begin)); !value.empty())
                out.push_back({key, value});
            key = {};
            begin = i + 1;
        }
        in_string = c == '"';
        if (c == '[' || c == '{') {
            if (++depth == 1)
                begin = i + 1;
        } else if (closes) {
            depth -= depth > 0 ? 1 : 0;
        }
    }
    return out;
}

} // namespace reauth
