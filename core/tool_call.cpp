// One pass over the body's events, which writes it again.
#include "core/tool_call.hpp"

#include "core/ascii.hpp"
#include "core/display_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace reauth {
namespace {

using nlohmann::json;

constexpr std::size_t max_depth = 256;
constexpr std::size_t max_batch = 1000;
constexpr std::array<std::string_view, 6> message_keys{"jsonrpc", "id",     "method",
                                                       "params",  "result", "error"};
constexpr std::array<std::string_view, 4> params_keys{"name", "uri", "arguments", "_meta"};
constexpr std::array<std::string_view, 4> passing_meta{"progressToken", "traceparent", "tracestate",
                                                       "baggage"};

/// Exactly one of the names, or nothing like any of them.
template<std::size_t N>
bool unmistakable(const std::array<std::string_view, N>& names, std::string_view key) {
    if (std::find(names.begin(), names.end(), key) != names.end())
        return true;
    return std::all_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }) &&
           std::none_of(names.begin(), names.end(), [&](std::string_view n) { return iequals(n, key); });
}

std::string as_json(const std::string& text) {
    return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

class call_reader {
public:
    call_content out;

    bool null() { return no_name("null"); }
    bool boolean(bool v) { return no_name(v ? "true" : "false"); }
    bool number_integer(json::number_integer_t v) { return no_name(std::to_string(v)); }
    bool number_unsigned(json::number_unsigned_t v) { return no_name(std::to_string(v)); }
    bool number_float(json::number_float_t, const std::string& text) { return no_name(text); }
    bool string(std::string& v) {
        if (levels_.size() == base() + 1 && key_at(0) == "method")
            out.calls.back().method = v;
        if (levels_.size() == base() + 2 && key_at(0) == "params" && !levels_.back().array)
            note_tool(v);
        return scalar(as_json(v));
    }
    bool binary(json::binary_t&) { return false; }
    bool key(std::string& k) {
        auto& here = levels_.back();
        if (!here.seen.insert(k).second)
            return false;
        const auto depth = levels_.size() - base();
        const bool in_params = depth == 2 && key_at(0) == "params";
        if ((depth == 1 && !unmistakable(message_keys, k)) || (in_params && !unmistakable(params_keys, k)))
            return false;
        const bool passing = depth == 3 && key_at(0) == "params" && key_at(1) == "_meta" &&
                             std::find(passing_meta.begin(), passing_meta.end(), k) != passing_meta.end();
        if (!skipping())
            skip_next_ = (depth == 1 && k == "id") || passing;
        if (!skipping() && !skip_next_) {
            separate();
            out.canonical += as_json(k) + ":";
        }
        here.key = std::move(k);
        return true;
    }
    bool start_object(std::size_t) {
        if (levels_.size() == base()) {
            if (out.calls.size() == max_batch)
                return false;
            out.calls.emplace_back();
        } else if (levels_.empty()) {
            return false;
        }
        return open(false);
    }
    bool end_object() { return close('}'); }
    bool start_array(std::size_t) {
        if (levels_.empty())
            batch_ = true;
        else if (levels_.size() == 1 && batch_)
            return false;
        return open(true);
    }
    bool end_array() { return close(']'); }
    bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }

private:
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    struct level {
        std::string key;
        std::set<std::string> seen;
        bool array = false, first = true;
    };

    std::size_t base() const { return batch_ ? 1 : 0; }
    const std::string& key_at(std::size_t i) const { return levels_[base() + i].key; }
    bool skipping() const { return skipped_from_ != nowhere; }
    bool at_arguments() const {
        return levels_.size() == base() + 2 && !levels_.back().array && key_at(0) == "params" &&
               key_at(1) == "arguments";
    }

    /// Here stands what the call is: text, or readers could disagree.
    bool at_name() const {
        if (levels_.size() <= base() || levels_.back().array)
            return false;
        const auto depth = levels_.size() - base();
        return (depth == 1 && key_at(0) == "method") ||
               (depth == 2 && key_at(0) == "params" && (key_at(1) == "name" || key_at(1) == "uri"));
    }
    bool no_name(std::string text) { return !at_name() && scalar(std::move(text)); }

    void note_tool(const std::string& value) {
        auto& tool = out.calls.back().tool;
        if (key_at(1) == "name" || (key_at(1) == "uri" && tool.empty()))
            tool = value;
    }
    void separate() {
        if (!std::exchange(levels_.back().first, false))
            out.canonical += ',';
    }
    /// Before a value; false: it is left out.
    bool begins() {
        if (skipping())
            return false;
        if (std::exchange(skip_next_, false))
            return false;
        if (!levels_.empty() && levels_.back().array)
            separate();
        return true;
    }
    bool scalar(std::string text) {
        if (levels_.size() <= base())
            return false;
        if (begins()) {
            if (at_arguments())
                out.calls.back().arguments = text;
            out.canonical += text;
        }
        return true;
    }
    bool open(bool array) {
        if (levels_.size() >= max_depth || at_name())
            return false;
        const bool left_out = !skipping() && skip_next_;
        const bool arguments = !levels_.empty() && levels_.size() > base() && at_arguments();
        if (begins()) {
            if (arguments)
                arguments_from_ = out.canonical.size();
            out.canonical += array ? '[' : '{';
        } else if (left_out) {
            skipped_from_ = levels_.size();
        }
        levels_.push_back({});
        levels_.back().array = array;
        return true;
    }
    bool close(char mark) {
        levels_.pop_back();
        if (skipping()) {
            if (levels_.size() == skipped_from_)
                skipped_from_ = nowhere;
            return true;
        }
        out.canonical += mark;
        if (!levels_.empty() && levels_.size() > base() && at_arguments())
            out.calls.back().arguments = out.canonical.substr(arguments_from_);
        return true;
    }

    std::vector<level> levels_;
    bool batch_ = false, skip_next_ = false;
    std::size_t skipped_from_ = nowhere, arguments_from_ = 0;
};

} // namespace

result<call_content> read_call_content(std::string_view body) {
    call_reader reader;
    // the parser takes a NUL for the end of its input, and would not see what follows
    const bool read = body.find('\0') == body.npos && json::sax_parse(body.begin(), body.end(), &reader);
    if (!read || reader.out.calls.empty())
        return failure::permanent(
            fault::denied_by_policy,
            "the policy wants a person to approve calls before they are sent, and this message can "
            "be read in more than one way (or is no JSON-RPC)",
            "send each key once, spelled as MCP spells it, uncompressed");
    return std::move(reader.out);
}

namespace {

/// Compact JSON text with a line for each member. Written by hand, so that every digit stays as it came.
std::string indented(std::string_view text) {
    std::string out;
    std::size_t depth = 0;
    bool in_string = false;
    const auto new_line = [&] { out.append(1, '\n').append(2 * depth, ' '); };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            out += c;
            if (c == '\\' && i + 1 < text.size())
                out += text[++i];
            in_string = c != '"';
            continue;
        }
        const bool empty = i + 1 < text.size() && (text[i + 1] == '}' || text[i + 1] == ']');
        if (c == '}' || c == ']') {
            depth -= depth > 0 ? 1 : 0;
            if (i > 0 && text[i - 1] != '{' && text[i - 1] != '[')
                new_line();
        }
        out += c;
        in_string = c == '"';
        if (c == '{' || c == '[')
            ++depth;
        if (c == ',' || ((c == '{' || c == '[') && !empty))
            new_line();
        if (c == ':')
            out += ' ';
    }
    return out;
}

/// At most `cap` bytes, cut between characters; then it says that there is more, and how much.
std::string shortened(std::string text, std::size_t cap, std::size_t whole) {
    if (text.size() <= cap)
        return text;
    while (cap > 0 && (static_cast<unsigned char>(text[cap]) & 0xC0) == 0x80)
        --cap;
    text.resize(cap);
    return text + "\n… not shown whole: " + std::to_string(whole) + " bytes in all";
}

} // namespace

std::string shown_arguments(std::string_view json_text, std::size_t cap) {
    const auto text = indented(json_text.substr(0, 4 * cap));
    std::string out;
    for (std::size_t at = 0; at < text.size() && out.size() <= cap;) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto indent = std::min(text.find_first_not_of(' ', at), end) - at;
        out += std::string(out.empty() ? 0 : 1, '\n') + std::string(indent, ' ') +
               clean_text(text.substr(at + indent, end - at - indent), cap);
        at = end + 1;
    }
    return shortened(std::move(out), cap, json_text.size());
}

} // namespace reauth
