// Events written line by line.
#include "core/sse.hpp"

#include "core/ascii.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace reauth {

std::string sse_event(std::string_view data) {
    std::string out = "event: message\ndata: ";
    for (std::size_t i = 0; i < data.size(); ++i) {
        char c = data[i];
        if (c == '\r' || c == '\n') {
            if (c == '\r' && i + 1 < data.size() && data[i + 1] == '\n')
                ++i;
            out += "\ndata: ";
        } else {
            out += c;
        }
    }
    out += "\n\n";
    return out;
}

std::string sse_comment(std::string_view text) {
    std::string out = ": ";
    for (char c : text)
        out += c == '\r' || c == '\n' ? ' ' : c;
    out += "\n\n";
    return out;
}

namespace {

/// The members of a JSON array, which is known to be one, as their text.
std::vector<std::string_view> members_of(std::string_view array) {
    std::vector<std::string_view> out;
    std::size_t depth = 0, begin = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < array.size(); ++i) {
        const char c = array[i];
        if (in_string) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                in_string = false;
            continue;
        }
        const bool closes = c == ']' || c == '}';
        if ((c == ',' && depth == 1) || (closes && depth == 1)) {
            if (const auto member = trim_space(array.substr(begin, i - begin)); !member.empty())
                out.push_back(member);
            begin = i + 1;
        }
        in_string = c == '"';
        if (c == '[' || c == '{') {
            if (++depth == 1)
                begin = i + 1;
        } else if (closes) {
            --depth;
        }
    }
    return out;
}

} // namespace

std::string sse_from_json(std::string_view body) {
    if (!trim_space(body).starts_with('[') || !nlohmann::json::accept(body))
        return sse_event(body);
    std::string out;
    for (const auto member : members_of(body))
        out += sse_event(member);
    return out;
}

} // namespace reauth
