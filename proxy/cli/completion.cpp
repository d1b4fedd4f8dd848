// Completions for bash, zsh and fish: verbs, options, the values that are known, files, and the upstreams'
// names, for which the script asks this program.
#include "proxy/cli/manual.hpp"

#include "conf/values.hpp"

#include <algorithm>

namespace reauth {

namespace {

std::string joined(const std::vector<std::string>& words, const std::string& with) {
    std::string out;
    for (const auto& w : words)
        out += (out.empty() ? "" : with) + w;
    return out;
}

bool takes_file(const option_words& option) {
    return option.names.back() == "--config" || option.names.back() == "--header-file";
}

bool names_upstream(const verb_words& verb) {
    return std::any_of(verb.options.begin(), verb.options.end(), [](const option_words& o) {
        return o.positional && (o.names.front() == "UPSTREAM" || o.names.front() == "NAME");
    });
}

std::vector<std::string> positional_values(const verb_words& verb) {
    for (const auto& o : verb.options)
        if (o.positional && !o.values.empty())
            return o.values;
    return {};
}

/// The first words of the verbs; "import" once.
std::vector<const verb_words*> first_words(const std::vector<verb_words>& verbs,
                                           std::vector<std::string>& names) {
    std::vector<const verb_words*> out;
    for (const auto& v : verbs) {
        const auto first = v.name.substr(0, v.name.find(' '));
        if (std::find(names.begin(), names.end(), first) != names.end())
            continue;
        names.push_back(first);
        out.push_back(&v);
    }
    return out;
}

/// What a shell runs to learn the upstreams' names.
constexpr auto ask = "mcp-reauth completion upstreams 2>/dev/null";

std::string bash_of(const std::vector<verb_words>& verbs) {
    std::vector<std::string> names;
    first_words(verbs, names);
    std::string out =
        "# bash completion of mcp-reauth\n_mcp_reauth() {\n"
        "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}\n"
        "  COMPREPLY=()\n  if [ \"$COMP_CWORD\" = 1 ]; then\n    COMPREPLY=($(compgen -W " +
        shell_word(joined(names, " ") + " help --help --version") +
        " -- \"$word\"))\n    return\n  fi\n"
        "  case \"$verb $before\" in\n";
    for (const auto& v : verbs)
        for (const auto& o : v.options)
            if (!o.values.empty() && !o.positional)
                for (const auto& n : o.names)
                    out += "    " + shell_word(v.name + " " + n) + ") COMPREPLY=($(compgen -W " +
                           shell_word(joined(o.values, " ")) + " -- \"$word\")); return ;;\n";
    out += "    *\\ --config | *\\ -c | *\\ --header-file) COMPREPLY=($(compgen -f -- \"$word\")); return "
           ";;\n  esac\n"
           "  case $verb in\n";
    for (const auto& v : verbs) {
        std::vector<std::string> words = positional_values(v);
        for (const auto& o : v.options)
            if (!o.positional)
                words.insert(words.end(), o.names.begin(), o.names.end());
        const auto space = v.name.find(' ');
        if (space != v.name.npos)
            words.push_back(v.name.substr(space + 1));
        out += "    " + v.name.substr(0, space) + ") COMPREPLY=($(compgen -W \"" + joined(words, " ") +
               (names_upstream(v) ? std::string(" $(") + ask + ")" : "") + "\" -- \"$word\")) ;;\n";
    }
    return out + "  esac\n}\ncomplete -F _mcp_reauth mcp-reauth\n";
}

/// _arguments takes brackets and colons for its own.
std::string for_zsh(const std::string& text) {
    std::string out;
    for (const char c : text)
        out += c == '[' || c == ']' || c == ':' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return out;
}

std::string zsh_of(const std::vector<verb_words>& verbs) {
    std::vector<std::string> names;
    const auto firsts = first_words(verbs, names);
    std::string out = "#compdef mcp-reauth\n# zsh completion of mcp-reauth\n_mcp_reauth_upstreams() {\n"
                      "  local -a names\n  names=(${(f)\"$(" +
                      std::string(ask) +
                      ")\"})\n  compadd -a names\n}\n"
                      "_mcp_reauth() {\n  local -a verbs\n  verbs=(\n";
    for (std::size_t i = 0; i < firsts.size(); ++i)
        out += "    " + shell_word(names[i] + ":" + for_zsh(firsts[i]->meaning)) + "\n";
    out += "  )\n  if (( CURRENT == 2 )); then\n    _describe verb verbs\n    return\n  fi\n  case $words[2] "
           "in\n";
    for (const auto& v : verbs) {
        const auto space = v.name.find(' ');
        out +=
            "    " + v.name.substr(0, space) + ")\n      shift words; (( CURRENT-- ))\n      _arguments -S";
        for (const auto& o : v.options) {
            if (o.positional)
                continue;
            const auto values = o.values.empty() ? takes_file(o) ? std::string("_files") : std::string()
                                                 : "(" + joined(o.values, " ") + ")";
            for (const auto& n : o.names)
                out += " \\\n        " + shell_word(n + "[" + for_zsh(o.meaning) + "]" +
                                                    (o.takes_value ? ":value:" + values : std::string()));
        }
        const auto words = positional_values(v);
        if (space != v.name.npos)
            out += " \\\n        " + shell_word("1:what:(" + v.name.substr(space + 1) + ")");
        else if (!words.empty())
            out += " \\\n        " + shell_word("1:what:(" + joined(words, " ") + ")");
        else if (names_upstream(v))
            out += " \\\n        '1:upstream:_mcp_reauth_upstreams'";
        out += "\n      ;;\n";
    }
    return out + "  esac\n}\n_mcp_reauth \"$@\"\n";
}

std::string fish_of(const std::vector<verb_words>& verbs) {
    std::vector<std::string> names;
    const auto firsts = first_words(verbs, names);
    std::string out = "# fish completion of mcp-reauth\ncomplete -c mcp-reauth -f\n";
    for (std::size_t i = 0; i < firsts.size(); ++i)
        out += "complete -c mcp-reauth -n __fish_use_subcommand -a " + names[i] + " -d " +
               shell_word(firsts[i]->meaning) + "\n";
    for (const auto& v : verbs) {
        const auto space = v.name.find(' ');
        const auto begin =
            "complete -c mcp-reauth -n '__fish_seen_subcommand_from " + v.name.substr(0, space) + "'";
        if (space != v.name.npos)
            out += begin + " -a " + v.name.substr(space + 1) + "\n";
        if (const auto words = positional_values(v); !words.empty())
            out += begin + " -a " + shell_word(joined(words, " ")) + "\n";
        if (names_upstream(v))
            out += begin + " -a '(" + ask + ")'\n";
        for (const auto& o : v.options) {
            if (o.positional)
                continue;
            out += begin;
            for (const auto& n : o.names)
                out += n.starts_with("--") ? " -l " + n.substr(2) : " -s " + n.substr(1);
            if (o.takes_value)
                out += takes_file(o) ? " -r -F" : " -x";
            if (!o.values.empty())
                out += " -a " + shell_word(joined(o.values, " "));
            out += " -d " + shell_word(o.meaning) + "\n";
        }
    }
    return out;
}

} // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
    const auto verbs = words_of(app);
    if (shell == "bash")
        return bash_of(verbs);
    if (shell == "zsh")
        return zsh_of(verbs);
    return shell == "fish" ? fish_of(verbs) : std::string();
}

} // namespace reauth
