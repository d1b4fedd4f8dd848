// Scope sets and globs.
#include "core/oauth/scope.hpp"

#include <algorithm>

namespace reauth {

namespace {

// An upstream chooses these sets: no honest one is longer, and a set is searched linearly.
constexpr std::size_t max_tokens = 256;

bool scope_char(char c) noexcept {
    return c == '\x21' || (c >= '\x23' && c <= '\x5b') || (c >= '\x5d' && c <= '\x7e');
}

} // namespace

bool valid_scope_token(std::string_view token) noexcept {
    return !token.empty() && token.size() <= 256 && std::all_of(token.begin(), token.end(), scope_char);
}

scope_set::scope_set(std::initializer_list<std::string_view> tokens) {
    for (const auto token : tokens)
        add(token);
}

scope_set scope_set::parse(std::string_view text) {
    scope_set out;
    while (!text.empty()) {
        const auto end = text.find(' ');
        out.add(text.substr(0, end));
        if (end == std::string_view::npos)
            break;
        text.remove_prefix(end + 1);
    }
    return out;
}

bool scope_set::add(std::string_view token) {
    if (tokens_.size() >= max_tokens || !valid_scope_token(token) || contains(token))
        return false;
    tokens_.emplace_back(token);
    return true;
}

bool scope_set::contains(std::string_view token) const {
    return std::find(tokens_.begin(), tokens_.end(), token) != tokens_.end();
}

bool scope_set::covers(const scope_set& other) const {
    return std::all_of(other.begin(), other.end(), [&](const std::string& t) { return contains(t); });
}

scope_set scope_set::united_with(const scope_set& other) const {
    scope_set out = *this;
    for (const auto& token : other)
        out.add(token);
    return out;
}

scope_set scope_set::without(const scope_set& other) const {
    scope_set out;
    for (const auto& token : tokens_)
        if (!other.contains(token))
            out.add(token);
    return out;
}

std::string scope_set::to_string() const {
    std::string out;
    for (const auto& token : tokens_) {
        if (!out.empty())
            out += ' ';
        out += token;
    }
    return out;
}

bool glob_match(std::string_view pattern, std::string_view text) noexcept {
    std::size_t p = 0, t = 0;
    std::size_t star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

} // namespace reauth
