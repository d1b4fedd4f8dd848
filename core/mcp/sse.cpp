// Events written line by line.
#include "core/mcp/sse.hpp"

#include "core/json/json_members.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/ascii.hpp"

#include <charconv>
#include <utility>

namespace reauth {

std::string sse_event(std::string_view data) {
    std::string out = "event: message\ndata: ";
    for (std::size_t i = 0; i < data.size(); ++i) {
        const char c = data[i];
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
    for (const char c : text)
        out += c == '\r' || c == '\n' ? ' ' : c;
    out += "\n\n";
    return out;
}

std::string sse_from_json(std::string_view body) {
    if (!trim_space(body).starts_with('[') || !is_json(body))
        return sse_event(body);
    std::string out;
    for (const auto& member : json_members(body))
        out += sse_event(member.value);
    return out;
}

void event_reader::take_line(std::string_view line, event& now) {
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' '))
        value.remove_prefix(1);
    if (name == "data") {
        if (!now.data.empty())
            now.data += '\n';
        now.data += value;
    } else if (name == "event") {
        now.name = value;
    } else if (name == "id") {
        if (value.find('\0') == std::string_view::npos)
            now.id = std::string(value);
    } else if (name == "retry") {
        std::uint32_t ms = 0;
        const auto end = value.data() + value.size();
        const auto read = std::from_chars(value.data(), end, ms);
        if (!value.empty() && read.ec == std::errc() && read.ptr == end)
            now.retry = std::chrono::milliseconds(ms);
    }
}

std::vector<event_reader::event> event_reader::feed(std::string_view piece) {
    std::vector<event> whole;
    held_ += piece;
    for (; scanned_ < held_.size(); ++scanned_) {
        const char c = held_[scanned_];
        if (c != '\n' && c != '\r')
            continue;
        if (c == '\r' && scanned_ + 1 == held_.size())
            break; // whether LF follows is not known yet
        const bool empty = scanned_ == line_;
        if (!empty)
            take_line(std::string_view(held_).substr(line_, scanned_ - line_), now_);
        if (c == '\r' && held_[scanned_ + 1] == '\n')
            ++scanned_;
        line_ = scanned_ + 1;
        if (!empty)
            continue;
        now_.text = held_.substr(0, line_);
        whole.push_back(std::exchange(now_, {}));
        held_.erase(0, line_);
        line_ = 0;
        scanned_ = static_cast<std::size_t>(-1); // the loop makes it 0
    }
    return whole;
}

} // namespace reauth
