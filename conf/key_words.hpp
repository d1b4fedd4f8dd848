// What each key of the configuration means, for people: one row a key. What it may hold stands at its reader.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace reauth {

/// The row of a key.
struct key_words {
    std::string_view key;              ///< as in key_note; "*.client.id" is any client's
    std::string_view meaning;          ///< one sentence or more, in Markdown's inline marks
    std::string_view example = {};     ///< a value as YAML; empty: the default, or the last of its words
    std::string_view otherwise = {};   ///< what holds where it is not given, if that is no value
    std::string_view since = "0.1";    ///< the version that brought it
    std::string_view replaced_by = {}; ///< the key to write in its place; empty: it is not deprecated
};

/// The row of that key; one without a meaning where there is none.
key_words words_of(std::string_view key);
/// The meaning, with the version that brought the key if it was not there from the first on, and what to
/// write in its place.
std::string whole_meaning(const key_words& words);
/// Those of `upstreams` alone.
std::span<const key_words> words_of_upstreams();
/// Those of `client_auth`.
std::span<const key_words> words_of_callers();
/// … of people, and their ends.
std::span<const key_words> words_of_identity();

} // namespace reauth
