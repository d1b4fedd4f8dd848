// What the verbs and their options are, as data: the man page and the shells' completions are made of it.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <string>
#include <vector>

namespace reauth {

/// One option, or one word at a place of its own.
struct option_words {
    std::vector<std::string> names; ///< "-c", "--config"; a positional: "UPSTREAM"
    std::string meaning;
    bool takes_value = false;
    bool positional = false, required = false;
    std::vector<std::string> values = {}; ///< all it may be, where that is known
};

/// One verb: `serve`, `import mcp-remote`.
struct verb_words {
    std::string name, meaning;
    std::vector<option_words> options;
};

/// The program's own options (without a name) and all its verbs, in the order of --help.
std::vector<verb_words> words_of(const CLI::App& app);

/// mcp-reauth(1).
std::string program_manual(const CLI::App& app);

/// The script that completes command lines in that shell: bash, zsh or fish; else empty.
std::string completion_script(const CLI::App& app, const std::string& shell);

} // namespace reauth
