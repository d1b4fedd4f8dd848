// Lines of bounded length.
#include "core/message_lines.hpp"

#include "core/ascii.hpp"

#include <utility>

namespace reauth {

std::optional<message_lines::line> message_lines::take() {
    line out{std::exchange(held_, {}), std::exchange(skipping_, false)};
    if (out.text.ends_with('\r'))
        out.text.pop_back();
    if (!out.too_long && trim_space(out.text).empty())
        return std::nullopt;
    return out;
}

std::vector<message_lines::line> message_lines::feed(std::string_view piece) {
    std::vector<line> whole;
    while (!piece.empty()) {
        const auto end = piece.find('\n');
        const auto part = piece.substr(0, end);
        if (skipping_ || held_.size() + part.size() > longest_) {
            skipping_ = true;
            held_ = {}; // its memory too
        } else {
            held_ += part;
        }
        if (end == piece.npos)
            break;
        piece.remove_prefix(end + 1);
        if (auto done = take())
            whole.push_back(std::move(*done));
    }
    return whole;
}

std::optional<message_lines::line> message_lines::finish() {
    if (held_.empty() && !skipping_)
        return std::nullopt;
    return take();
}

std::string on_one_line(std::string text) {
    if (text.starts_with("\xef\xbb\xbf"))
        text.erase(0, 3);
    for (auto& c : text)
        if (c == '\n' || c == '\r')
            c = ' ';
    return text;
}

} // namespace reauth
