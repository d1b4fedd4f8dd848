// Lines of bounded length.
#include "core/mcp/message_lines.hpp"

#include "core/json/json_mend.hpp"
#include "core/text/ascii.hpp"

#include <utility>

namespace reauth {

namespace {

constexpr std::size_t longest_id = 256;

} // namespace

void id_finder::feed(std::string_view piece) {
    for (const char c : piece)
        character(c);
}

void id_finder::character(char c) {
    const bool outermost = depth_ == 1 && !skip_;
    if (in_string_) {
        auto& to = is_key_ ? key_ : value_;
        if (outermost && (is_key_ || wanted_) && to.size() < longest_id)
            to += c;
        const bool ends = c == '"' && !escaped_;
        escaped_ = c == '\\' && !escaped_;
        in_string_ = !ends;
        return;
    }
    if (c == '"') {
        in_string_ = true;
        if (outermost && is_key_)
            key_ = c;
        else if (outermost && wanted_)
            value_ += c;
    } else if (c == '{' || c == '[') {
        skip_ = skip_ || (depth_ == 0 && c == '['); // a batch has many
        is_key_ = depth_ == 0;
        ++depth_;
    } else if (c == '}' || c == ']') {
        depth_ -= depth_ > 0 ? 1 : 0;
        wanted_ = wanted_ && depth_ > 0 && depth_ != 1;
    } else if (outermost && c == ':' && is_key_) {
        is_key_ = false;
        wanted_ = key_ == "\"id\"" && value_.empty();
    } else if (outermost && c == ',') {
        is_key_ = true;
        wanted_ = false;
    } else if (outermost && wanted_ && value_.size() < longest_id && c > ' ') {
        value_ += c;
    }
}

std::string id_finder::take() {
    const auto whole = "{\"id\":" + value_ + "}";
    *this = id_finder();
    return id_in_broken(whole);
}

std::optional<message_lines::line> message_lines::take() {
    line out{std::exchange(held_, {}), std::exchange(skipping_, false)};
    if (out.too_long)
        out.id = finder_.take();
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
            finder_.feed(held_);
            finder_.feed(part);
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
