// Scope sets (RFC 6749 §3.3): parse, union, difference, glob match.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// An ordered set of scope tokens: no duplicates, first-seen order kept, only characters RFC 6749 §3.3
/// allows.
class scope_set {
public:
    scope_set() = default;
    scope_set(std::initializer_list<std::string_view> tokens);

    /// Splits at spaces; tokens with forbidden characters are dropped (an upstream may be hostile).
    static scope_set parse(std::string_view text);

    /// Adds one token; returns false if it was there or is malformed.
    bool add(std::string_view token);
    bool contains(std::string_view token) const;
    /// True if every token of `other` is in this set.
    bool covers(const scope_set& other) const;
    scope_set united_with(const scope_set& other) const;
    scope_set without(const scope_set& other) const;
    /// Space-separated, as it goes on the wire.
    std::string to_string() const;

    bool empty() const noexcept { return tokens_.empty(); }
    std::size_t size() const noexcept { return tokens_.size(); }
    auto begin() const noexcept { return tokens_.begin(); }
    auto end() const noexcept { return tokens_.end(); }
    const std::vector<std::string>& tokens() const noexcept { return tokens_; }

    /// Set equality: order does not matter.
    friend bool operator==(const scope_set& a, const scope_set& b) {
        return a.size() == b.size() && a.covers(b);
    }

private:
    std::vector<std::string> tokens_;
};

/// True if `token` has only the characters of RFC 6749 §3.3 (%x21 / %x23-5B / %x5D-7E), at least one, at most
/// 256.
bool valid_scope_token(std::string_view token) noexcept;

/// Glob match: `*` any run of characters (also empty), `?` one character, everything else itself.
bool glob_match(std::string_view pattern, std::string_view text) noexcept;

} // namespace reauth
