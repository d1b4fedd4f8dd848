// Rules written back as YAML, so that what is in force can be read, compared and pasted.
#include "policy/rules/match_keys.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace reauth {
namespace {

bool plain_scalar(std::string_view text) {
    if (text.empty() || !std::isalpha(static_cast<unsigned char>(text.front())))
        return false;
    const bool simple = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '_' || c == '-' || c == ' ' || c == '.' || c == '/';
    });
    static constexpr std::string_view words[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return simple && text.back() != ' ' &&
           std::find(std::begin(words), std::end(words), lower) == std::end(words);
}

std::string scalar(std::string_view text) {
    if (plain_scalar(text))
        return std::string(text);
    std::string out = "\"";
    for (const unsigned char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
        } else if (c < 0x20 || c == 0x7f) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", c);
            out += escaped;
        } else {
            out += static_cast<char>(c);
        }
    }
    return out + '"';
}

std::string list(const std::vector<std::string>& values) {
    if (values.size() == 1)
        return scalar(values.front());
    std::string out = "[";
    for (const auto& v : values)
        out += (out.size() > 1 ? ", " : "") + scalar(v);
    return out + "]";
}

std::string duration(std::chrono::milliseconds d) {
    const auto ms = d.count();
    if (ms != 0 && ms % 60'000 == 0)
        return std::to_string(ms / 60'000) + "m";
    if (ms % 1000 == 0)
        return std::to_string(ms / 1000) + "s";
    return std::to_string(ms) + "ms";
}

/// Collects `key: value` pairs into a flow mapping.
class mapping {
public:
    void add(std::string_view key, std::string value) {
        text_ += (text_.empty() ? "" : ", ") + std::string(key) + ": " + std::move(value);
    }
    void add_list(std::string_view key, const std::vector<std::string>& values) {
        if (!values.empty())
            add(key, list(values));
    }
    bool empty() const { return text_.empty(); }
    std::string str() const { return "{" + text_ + "}"; }

private:
    std::string text_;
};

std::string to_yaml(const rule_match& m) {
    mapping out;
    for (const auto& key : match_keys())
        out.add_list(key.name, m.*key.wanted);
    return out.empty() ? std::string() : out.str();
}

std::string to_yaml(const wait_settings& w) {
    const wait_settings defaults;
    mapping out;
    if (w.mode != defaults.mode)
        out.add("mode", std::string(to_string(w.mode)));
    if (w.timeout)
        out.add("timeout", duration(*w.timeout));
    if (w.grace != defaults.grace)
        out.add("grace", duration(w.grace));
    if (w.heartbeat != defaults.heartbeat)
        out.add("heartbeat", duration(w.heartbeat));
    return out.empty() ? std::string() : out.str();
}

} // namespace

std::string to_yaml(const rule& r) {
    mapping out;
    if (!r.name.empty())
        out.add("name", scalar(r.name));
    if (auto match = to_yaml(r.match); !match.empty())
        out.add("match", std::move(match));
    out.add("action", std::string(to_string(r.action)));
    if (r.observe)
        out.add("observe", "true");
    if (auto wait = to_yaml(r.wait); !wait.empty())
        out.add("wait", std::move(wait));
    return out.str();
}

std::string to_yaml(const rule_set& rules) {
    std::string out = "policy:\n";
    for (const auto& r : rules.rules) {
        out += "  - " + to_yaml(r);
        if (!r.where.empty())
            out += "  # " + r.where;
        out += '\n';
    }
    return out;
}

} // namespace reauth
