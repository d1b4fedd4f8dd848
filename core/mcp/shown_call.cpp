// Printed character by character, within what a page may hold.
#include "core/mcp/shown_call.hpp"

#include "core/text/display_text.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>

namespace reauth {
namespace {

/// Compact JSON text with a line for each member. Written by hand, so that every digit stays as it came; a
/// character without a shape is written as the escape that means the same.
class json_printer {
public:
    explicit json_printer(std::size_t cap) : cap_(cap) {}

    shown_json print(std::string_view text) {
        while (!text.empty()) {
            const auto before = text.size();
            step(text);
            if (out_.size() > cap_) {
                out_.resize(last_);
                return {std::move(out_), before};
            }
            last_ = out_.size();
        }
        return {std::move(out_), 0};
    }

private:
    /// One character of the text, or one escape.
    void step(std::string_view& text) {
        const char c = text.front();
        if (in_string_) {
            in_string(text);
            return;
        }
        text.remove_prefix(1);
        if (c == '}' || c == ']') {
            depth_ -= depth_ > 0 ? 1 : 0;
            if (previous_ != '{' && previous_ != '[')
                new_line();
        }
        out_ += c;
        in_string_ = c == '"';
        if (c == '{' || c == '[')
            ++depth_;
        const bool empty = !text.empty() && (text.front() == '}' || text.front() == ']');
        if (c == ',' || ((c == '{' || c == '[') && !empty))
            new_line();
        if (c == ':')
            out_ += ' ';
        previous_ = c;
    }
    void in_string(std::string_view& text) {
        if (text.front() == '\\' && text.size() > 1) {
            out_ += text.substr(0, 2);
            text.remove_prefix(2);
            return;
        }
        if (text.front() == '"') {
            in_string_ = false;
            previous_ = '"';
        }
        append_visible(out_, next_code_point(text).value_or(0xfffd));
    }
    void new_line() { out_.append(1, '\n').append(2 * std::min<std::size_t>(depth_, 40), ' '); }

    std::string out_;
    std::size_t cap_, depth_ = 0, last_ = 0;
    bool in_string_ = false;
    char previous_ = 0;
};

} // namespace

shown_json show_json(std::string_view json_text, std::size_t cap) {
    return json_printer(cap).print(json_text);
}

namespace {

/// What may still be shown.
struct room {
    std::size_t left, hidden = 0;

    std::string take(std::string text) {
        if (text.size() <= left) {
            left -= text.size();
            return text;
        }
        hidden += text.size();
        return {};
    }
    std::string take_json(std::string_view text) {
        auto shown = show_json(text, left);
        left -= std::min(left, shown.text.size());
        hidden += shown.hidden;
        return std::move(shown.text);
    }
};

} // namespace

shown_calls show_calls(const call_content& content, std::size_t first, std::size_t cap) {
    constexpr std::size_t cost_of_one = 64;
    shown_calls out;
    room r{cap};
    const auto show = [&](const tool_call& c) {
        const auto size = c.method.size() + c.tool.size() + c.arguments.size() + c.also.size();
        if (r.left < cost_of_one) {
            r.hidden += std::max<std::size_t>(size, 1);
            return;
        }
        r.left -= cost_of_one;
        shown_call now;
        now.method = r.take(visible_name(c.method, c.method.size()));
        now.tool = r.take(visible_name(c.tool, c.tool.size()));
        now.arguments = r.take_json(c.arguments);
        now.also = r.take_json(c.also);
        out.calls.push_back(std::move(now));
    };
    if (first < content.calls.size())
        show(content.calls[first]);
    for (std::size_t i = 0; i < content.calls.size(); ++i)
        if (i != first)
            show(content.calls[i]);
    out.hidden = r.hidden;
    return out;
}

std::string shown_arguments(std::string_view json_text, std::size_t cap) {
    auto shown = show_json(json_text, cap);
    if (shown.hidden > 0)
        shown.text += "\n… not shown: " + std::to_string(shown.hidden) + " of " +
                      std::to_string(json_text.size()) + " bytes";
    return std::move(shown.text);
}

} // namespace reauth
