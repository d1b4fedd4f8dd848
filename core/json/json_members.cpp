// One pass: what stands between the commas of the first level.
#include "core/json/json_members.hpp"

#include "core/json/json_scan.hpp"
#include "core/text/ascii.hpp"

namespace reauth {

std::vector<json_member> json_members(std::string_view container) {
    std::vector<json_member> out;
    std::string_view key;
    std::size_t depth = 0, begin = 0;
    scan_json(container, [&](std::size_t at, char c) {
        const bool closes = c == ']' || c == '}', opens = c == '[' || c == '{';
        if (depth == 1 && c == ':') {
            key = trim_space(container.substr(begin, at - begin));
            begin = at + 1;
        } else if (depth == 1 && (c == ',' || closes)) {
            if (const auto value = trim_space(container.substr(begin, at - begin)); !value.empty())
                out.push_back({key, value});
            key = {};
            begin = at + 1;
        }
        if (opens && ++depth == 1)
            begin = at + 1;
        if (closes && depth > 0)
            --depth;
        return true;
    });
    return out;
}

} // namespace reauth
