// A YAML document as a tree that remembers where everything was written; stricter than YAML: no duplicate
// keys, no anchors, aliases or tags, one document.
#pragma once

#include "conf/problems.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

struct yaml_entry;

/// A key of a mapping and where it stands.
struct yaml_key {
    std::string text;
    place at;
};

/// One value. It may hold a secret: do not print `text` of what might be one.
struct yaml_node {
    enum class kind { null, scalar, list, map } is = kind::null;
    place at;
    std::string text;
    bool quoted = false;
    std::vector<yaml_node> items;
    std::vector<yaml_entry> entries;

    /// The value of that key, or null.
    const yaml_node* find(std::string_view key) const noexcept;
    /// "a mapping", "a list", "a value", "nothing".
    std::string_view kind_name() const noexcept;
};

/// One `key: value` of a mapping.
struct yaml_entry {
    yaml_key key;
    yaml_node value;
};

/// Parses at most 1 MiB. What is wrong goes to `problems`; the tree is then incomplete.
yaml_node parse_yaml(std::string_view text, problem_log& problems);

} // namespace reauth
