// Reads one mapping of the configuration: typed values by key, overrides over the file, unknown keys
// reported.
#pragma once

#include "conf/config.hpp"
#include "conf/key_log.hpp"
#include "conf/load.hpp"
#include "conf/yaml_tree.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

/// What all sections of one reading share.
struct reading {
    problem_log& problems;
    const config_inputs& inputs;
    std::string directory;                     ///< of the configuration file: relative paths start here
    std::map<std::string, place> places;       ///< where each key stands, by dotted key
    std::set<std::string> used;                ///< environment variables and flags that had a meaning
    std::vector<std::string> secret_variables; ///< environment variables that a secret was read from
    std::string flagged =
        {}; ///< "upstreams.NAME.": the upstream that inputs.upstream_flags are about; may be empty
    key_log* keys = inputs.keys; ///< what is read is noted there; may be null

    /// What inputs.upstream_flags say of that key, or null.
    const config_inputs::flag_value* upstream_flag(std::string_view key) const;
    /// … of the keys that begin so, by what follows; they are used.
    std::map<std::string, config_inputs::flag_value> flagged_below(std::string_view prefix);
    /// The place of that key, or of what is around it.
    place where(std::string key) const;
    std::optional<std::string> environment(const std::string& name);
    /// Nothing is read: each key is gone through for what it may hold.
    bool describing() const { return keys && keys->describing(); }
    void note(const std::string& key, key_shape shape, std::string fallback) const {
        if (keys)
            keys->note(key, std::move(shape), std::move(fallback));
    }
    void give(const std::string& key, std::string shown, const place& at) const {
        if (keys)
            keys->give(key, std::move(shown), at);
    }
    /// `~` and relative paths made absolute; a path from a flag or variable is relative to the working
    /// directory.
    std::string absolute(std::string_view path, const place& at) const;
    /// The whole file without surrounding white space; an error is reported at `at` and gives nothing.
    std::optional<secret> read_secret_file(const std::string& path, const place& at);
};

/// One scalar: text and where it comes from.
struct scalar {
    std::string text;
    place at;
};

/// When the file of a secret is read.
enum class secret_file {
    read_now,
    read_anew,       ///< again when it is used: it may be missing now, with a warning
    made_if_missing, ///< not by this reader
};

/// A mapping under a dotted key. Every key that is asked for is known; finish() reports the others.
class section {
public:
    /// `node` may be null: then only overrides can give values.
    section(reading& r, const yaml_node* node, std::string path, place at);

    /// Something is given here, by the file or an override.
    bool present() const;
    /// That key is given, by the file or an override; it is known from now on.
    bool has(std::string_view key);
    const place& at() const noexcept { return at_; }
    /// Where that key stands (else the section).
    place where(std::string_view key) const;
    std::string dotted(std::string_view key) const;
    void error(std::string_view key, const std::string& message);
    void warning(std::string_view key, const std::string& message);

    /// That key has to be given where this mapping is: else an error, "is missing: " and why.
    void require(std::string_view key, const std::string& why);

    void text(std::string_view key, std::string& out);
    void boolean(std::string_view key, bool& out);
    void duration(std::string_view key, milliseconds& out, milliseconds least);
    void size(std::string_view key, std::uint64_t& out, std::uint64_t least);
    void number(std::string_view key, unsigned& out, unsigned least, unsigned most);
    /// A number from 1 on, or that word, which means 0.
    void count(std::string_view key, unsigned& out, std::string_view word, unsigned most);
    void path(std::string_view key, std::string& out); ///< made absolute
    void readable_file(std::string_view key, std::string& out);
    std::optional<endpoint_config> endpoint(std::string_view key, const std::string& fallback = {});
    /// One word of several. The values are listed in the error.
    template<class T>
    void choice(std::string_view key, T& out, std::initializer_list<std::pair<std::string_view, T>> words) {
        choice(key, out, std::span<const std::pair<std::string_view, T>>(words.begin(), words.size()));
    }
    template<class T>
    void choice(std::string_view key, T& out, std::span<const std::pair<std::string_view, T>> words) {
        std::vector<std::string> names, shown; // an older name of the same value is taken, and not shown
        std::string fallback;
        for (auto w = words.begin(); w != words.end(); ++w) {
            names.emplace_back(w->first);
            if (std::none_of(words.begin(), w, [&](const auto& o) { return o.second == w->second; }))
                shown.emplace_back(w->first);
            if (fallback.empty() && w->second == out)
                fallback = w->first;
        }
        if (auto index = choose(key, names, shown, std::move(fallback)))
            out = (words.begin() + static_cast<std::ptrdiff_t>(*index))->second;
    }
    /// A list, or a single value as a list of one.
    std::vector<scalar> texts(std::string_view key, key_shape shape = {key_kind::list});
    /// The elements of a list of mappings; nothing if it is not there. With key_kind::one_or_more a mapping
    /// may stand for a list of one.
    std::vector<section> sequence(std::string_view key, key_kind kind = key_kind::sequence);
    /// `{env: NAME}`, `{file: PATH}` or a literal.
    secret_source secret_value(std::string_view key, secret_file mode = secret_file::read_now);
    /// The same for a token, which is sent in a header field: core/token, sendable_token().
    secret_source token_value(std::string_view key, secret_file mode = secret_file::read_now);
    /// A mapping of names to values, each a plain value or a secret source.
    std::vector<std::pair<scalar, std::string>> pairs(std::string_view key);
    /// Those entries of such a mapping that are read from a file: name and absolute path.
    std::vector<std::pair<std::string, std::string>> files_of(std::string_view key);
    section sub(std::string_view key);
    /// The mappings of a mapping whose keys are names of the user's.
    std::vector<std::pair<std::string, section>> named(std::string_view key);

    /// Reports the keys that nobody asked for.
    void finish();

private:
    /// The raw node, marked as known.
    const yaml_node* node(std::string_view key);
    /// One scalar that is written like this; what holds without it.
    std::optional<scalar> value(std::string_view key, key_shape shape, std::string fallback);
    std::optional<std::size_t> choose(std::string_view key, const std::vector<std::string>& words,
                                      const std::vector<std::string>& shown, std::string fallback);
    std::optional<scalar> override_of(const std::string& key);
    secret_source read_secret(const yaml_node& n, const std::string& key, secret_file mode);

    reading& r_;
    const yaml_node* node_;
    std::string path_;
    place at_;
    std::vector<std::string> known_;
};

} // namespace reauth
