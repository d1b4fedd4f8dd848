// Every key of the configuration as its reader knows it, noted while it reads: type, bounds, default, and
// what is in effect. `schema`, docs/configuration.md, the man page and `check` are made of these notes, so no
// key stands twice.
#pragma once

#include "conf/problems.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reauth {

/// How a key's value is written.
enum class key_kind {
    text,
    boolean,
    duration,
    size,
    number,
    count, ///< a number, or the one of `words`
    path,
    endpoint,
    choice,      ///< one of `words`
    list,        ///< texts, of `words` where there are any; one alone may stand without brackets
    numbers,     ///< numbers between `least` and `most`; one alone likewise
    secret,      ///< {env: NAME}, {file: PATH} or a literal
    pairs,       ///< names of the user's, each with a text or a secret
    mapping,     ///< keys of its own
    named,       ///< a mapping of names of the user's to mappings
    sequence,    ///< a list of mappings
    one_or_more, ///< a mapping, or a list of them
};

/// What a key may hold.
struct key_shape {
    key_kind kind = key_kind::text;
    std::vector<std::string> words = {};
    std::optional<std::uint64_t> least = {}, most = {}; ///< duration: milliseconds; size: bytes
    bool hides = false; ///< its texts may hold secrets: the first alone is shown
};

/// One key of one reading.
struct key_note {
    std::string key; ///< dotted; NAME stands for a name of the user's, [] for the place in a list
    key_shape shape;
    std::string fallback;  ///< what holds where it is not given, as it is written; may be empty
    std::string given;     ///< what was given, without secrets; empty: nothing
    place at;              ///< … and where
    bool required = false; ///< where its mapping is given
    std::string in_effect() const { return given.empty() ? fallback : given; }
};

/// The notes of one reading, in its order.
class key_log {
public:
    /// `describing`: nothing is read; each key, list and mapping is gone through once, whatever is given.
    explicit key_log(bool describing) : describing_(describing) {}

    bool describing() const noexcept { return describing_; }
    /// What is known first stays.
    void note(const std::string& key, key_shape shape, std::string fallback);
    void require(const std::string& key);
    void give(const std::string& key, std::string shown, const place& at);
    /// What holds where it is not given turns out only when all is read.
    void settle(const std::string& key, std::string value);
    const std::vector<key_note>& all() const noexcept { return notes_; }

private:
    key_note* find(const std::string& key);

    bool describing_;
    std::vector<key_note> notes_;
    std::unordered_map<std::string, std::size_t> places_; ///< of notes_, by key
};

/// 90000 → 90s, 900000 → 15m.
std::string duration_text(std::chrono::milliseconds value);
/// 4194304 → 4MiB.
std::string size_text(std::uint64_t bytes);

} // namespace reauth
