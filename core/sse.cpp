// Events written line by line.
#include "core/sse.hpp"

#include <nlohmann/json.hpp>

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

std::string sse_from_json(std::string_view body) {
    auto parsed = nlohmann::ordered_json::parse(body, nullptr, false);
    if (!parsed.is_array())
        return sse_event(body);
    std::string out;
    for (const auto& member : parsed)
        out += sse_event(member.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return out;
}

} // namespace reauth
