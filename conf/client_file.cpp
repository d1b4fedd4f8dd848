// A reader of JSON with comments that knows where each value stands, and the edits.
#include "conf/client_file.hpp"

#include "core/json/json_reader.hpp"
#include "core/text/display_text.hpp"

#include <algorithm>
#include <optional>

namespace reauth {
namespace {

struct member;

struct value {
    enum class kind { text, list, object, other } is = kind::other;
    std::size_t begin = 0, end = 0; ///< of the whole file
    std::string text;               ///< of a string
    std::vector<value> items;
    std::vector<member> members;

    const value* find(std::string_view key) const;
};

struct member {
    std::string key;
    value held;
};

const value* value::find(std::string_view key) const {
    const auto found =
        std::find_if(members.begin(), members.end(), [&](const member& m) { return m.key == key; });
    return found == members.end() ? nullptr : &found->held;
}

class reader {
public:
    explicit reader(std::string_view text) : text_(text) {}

    result<value> whole() {
        auto out = one(0);
        skip();
        if (out && at_ < text_.size())
            out.reset();
        if (!out)
            return failure::permanent(fault::invalid_configuration,
                                      "line " + std::to_string(line()) + " is no JSON",
                                      "repair it, or have the client write the file anew");
        return std::move(*out);
    }

private:
    static constexpr int deepest = 64;

    std::size_t line() const {
        const auto upto = std::min(at_, text_.size());
        return 1 + static_cast<std::size_t>(
                       std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(upto), '\n'));
    }
    /// White space and comments.
    void skip() {
        for (;;) {
            while (at_ < text_.size() &&
                   std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
                ++at_;
            const auto rest = text_.substr(std::min(at_, text_.size()));
            if (rest.starts_with("//"))
                at_ = std::min(text_.find('\n', at_), text_.size());
            else if (rest.starts_with("/*"))
                at_ = std::min(text_.find("*/", at_ + 2), text_.size() - 2) + 2;
            else if (at_ == 0 && rest.starts_with("\xef\xbb\xbf"))
                at_ = 3;
            else
                return;
        }
    }
    bool take(char c) {
        skip();
        if (at_ >= text_.size() || text_[at_] != c)
            return false;
        ++at_;
        return true;
    }
    std::optional<value> string() {
        value out;
        out.is = value::kind::text;
        out.begin = at_++;
        while (at_ < text_.size() && text_[at_] != '"')
            at_ += text_[at_] == '\\' ? 2 : 1;
        if (at_ >= text_.size())
            return {};
        out.end = ++at_;
        const auto read = read_json("[" + std::string(text_.substr(out.begin, out.end - out.begin)) + "]");
        if (!read)
            return {};
        out.text = read->front().get<std::string>();
        return out;
    }
    /// What stands between brackets; `item` reads one.
    template<class F>
    bool listed(char close, F item) {
        ++at_;
        while (!take(close)) {
            if (!item())
                return false;
            if (take(','))
                continue;
            return take(close);
        }
        return true;
    }
    std::optional<value> one(int depth) {
        skip();
        if (at_ >= text_.size() || depth > deepest)
            return {};
        if (text_[at_] == '"')
            return string();
        value out;
        out.begin = at_;
        bool good = true;
        if (text_[at_] == '[') {
            out.is = value::kind::list;
            good = listed(']', [&] {
                auto item = one(depth + 1);
                if (item)
                    out.items.push_back(std::move(*item));
                return item.has_value();
            });
        } else if (text_[at_] == '{') {
            out.is = value::kind::object;
            good = listed('}', [&] { return read_member(out, depth); });
        } else {
            while (at_ < text_.size() &&
                   std::string_view(",]} \t\r\n/").find(text_[at_]) == std::string_view::npos)
                ++at_;
            good = read_json("[" + std::string(text_.substr(out.begin, at_ - out.begin)) + "]").has_value() &&
                   at_ > out.begin;
        }
        out.end = at_;
        return good ? std::optional(std::move(out)) : std::nullopt;
    }
    bool read_member(value& out, int depth) {
        skip();
        if (at_ >= text_.size() || text_[at_] != '"')
            return false;
        auto key = string();
        if (!key || !take(':'))
            return false;
        auto held = one(depth + 1);
        if (held)
            out.members.push_back({std::move(key->text), std::move(*held)});
        return held.has_value();
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

struct edit {
    std::size_t begin, end;
    std::string text;
};

bool is_remote(std::string_view word) {
    std::string path(word);
    std::replace(path.begin(), path.end(), '\\', '/');
    const auto name = std::string_view(path).substr(path.rfind('/') + 1);
    return name == "mcp-remote" || name == "mcp-remote.cmd" || name.starts_with("mcp-remote@") ||
           path.ends_with("mcp-remote/dist/proxy.js");
}

std::string quoted(const std::string& text) {
    return json_text(nlohmann::json(text));
}

/// What stands before mcp-remote's own arguments.
std::string stdio_words(const std::vector<std::string>& program) {
    std::string out;
    for (std::size_t i = 1; i < program.size(); ++i)
        out += quoted(program[i]) + ", ";
    return out + quoted("stdio");
}

/// The edits of one entry, if it starts mcp-remote.
void look_at(const std::string& name, const value& entry, const std::vector<std::string>& program,
             std::vector<edit>& edits, std::vector<remote_entry>& found) {
    const auto* command = entry.find("command");
    const auto* arguments = entry.find("args");
    if (!command || !arguments || command->is != value::kind::text || arguments->is != value::kind::list)
        return;
    if (program.size() == 1 && command->text == program.front()) // it is one of ours already
        return;
    const auto& words = arguments->items;
    const auto all_text = [](const value& v) { return v.is == value::kind::text; };
    if (words.empty() || !std::all_of(words.begin(), words.end(), all_text))
        return;
    auto rest = words.begin();
    if (is_remote(command->text)) {
        edits.push_back({words.front().begin, words.front().begin, stdio_words(program) + ", "});
    } else {
        rest = std::find_if(words.begin(), words.end(), [](const value& v) { return is_remote(v.text); });
        if (rest == words.end())
            return;
        edits.push_back({words.front().begin, rest->end, stdio_words(program)});
        ++rest;
    }
    edits.push_back({command->begin, command->end, quoted(program.front())});
    remote_entry told{name, {}};
    for (; rest != words.end(); ++rest)
        told.arguments.push_back(rest->text);
    found.push_back(std::move(told));
}

void walk(const std::string& name, const value& v, const std::vector<std::string>& program,
          std::vector<edit>& edits, std::vector<remote_entry>& found) {
    look_at(name, v, program, edits, found);
    for (const auto& [key, inner] : v.members)
        walk(key, inner, program, edits, found);
    for (const auto& inner : v.items)
        walk(name, inner, program, edits, found);
}

std::string applied(std::string_view text, std::size_t from, std::size_t to, const std::vector<edit>& edits) {
    std::string out;
    for (const auto& e : edits) {
        if (e.begin < from || e.end > to)
            continue;
        out.append(text.substr(from, e.begin - from)).append(e.text);
        from = e.end;
    }
    return out.append(text.substr(from, to - from));
}

/// Each line of `lines`, with a sign before it.
std::string signed_lines(char sign, std::string_view lines) {
    std::string out;
    while (!lines.empty()) {
        const auto end = std::min(lines.find('\n'), lines.size());
        out.append(1, sign).append(lines.substr(0, end)).append("\n");
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    return out;
}

std::size_t lines_in(std::string_view text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::size_t line_start(std::string_view text, std::size_t at) {
    const auto before = at == 0 ? text.npos : text.rfind('\n', at - 1);
    return before == text.npos ? 0 : before + 1;
}

std::string difference(std::string_view text, const std::vector<edit>& edits) {
    std::string out;
    std::ptrdiff_t shift = 0; // lines that the new file has more, so far
    for (std::size_t i = 0; i < edits.size();) {
        const auto from = line_start(text, edits[i].begin);
        auto to = from;
        for (; i < edits.size() && line_start(text, edits[i].begin) <= to; ++i)
            to = std::min(text.find('\n', edits[i].end), text.size() - 1) + 1;
        const auto old_lines = text.substr(from, to - from);
        const auto new_lines = applied(text, from, to, edits);
        const auto old_count = lines_in(signed_lines('-', old_lines)),
                   new_count = lines_in(signed_lines('+', new_lines));
        const auto first = static_cast<std::ptrdiff_t>(1 + lines_in(text.substr(0, from)));
        out += "@@ -" + std::to_string(first) + "," + std::to_string(old_count) + " +" +
               std::to_string(first + shift) + "," + std::to_string(new_count) + " @@\n" +
               signed_lines('-', old_lines) + signed_lines('+', new_lines);
        shift += static_cast<std::ptrdiff_t>(new_count) - static_cast<std::ptrdiff_t>(old_count);
    }
    return out;
}

} // namespace

result<rewritten_file> rewrite_remote_entries(std::string_view text,
                                              const std::vector<std::string>& program) {
    const auto read = reader(text).whole();
    if (!read)
        return read.error();
    rewritten_file out;
    std::vector<edit> edits;
    walk("", *read, program, edits, out.entries);
    std::sort(edits.begin(), edits.end(), [](const edit& a, const edit& b) { return a.begin < b.begin; });
    out.text = applied(text, 0, text.size(), edits);
    out.difference = difference(text, edits);
    return out;
}

} // namespace reauth
