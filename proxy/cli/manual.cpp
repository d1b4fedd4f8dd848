// mcp-reauth(1), and the data it is made of.
#include "proxy/cli/manual.hpp"

#include "conf/client_entry.hpp"
#include "conf/roff.hpp"
#include "conf/schema.hpp"

#include <algorithm>
#include <sstream>

namespace reauth {

namespace {

/// What CLI11 checks an option's value against: "TEXT:{a,b}" is a and b.
std::vector<std::string> checked_words(const std::string& type) {
    std::vector<std::string> out;
    const auto begin = type.find('{'), end = type.rfind('}');
    if (begin == type.npos || end == type.npos)
        return out;
    std::istringstream words(type.substr(begin + 1, end - begin - 1));
    for (std::string word; std::getline(words, word, ',');)
        out.push_back(word);
    return out;
}

/// The words of the configuration's key that a flag is for: --log-level is log.level.
std::vector<std::string> words_of_key(const std::string& flag) {
    static const auto keys = known_keys();
    auto key = flag.substr(std::min<std::size_t>(flag.find_first_not_of('-'), flag.size()));
    std::replace(key.begin(), key.end(), '-', '.');
    const auto found =
        std::find_if(keys.begin(), keys.end(), [&](const key_note& n) { return n.key == key; });
    return found == keys.end() ? std::vector<std::string>() : found->shape.words;
}

/// All that may stand there, where that is known.
std::vector<std::string> values_of(const CLI::Option& option, const std::string& name) {
    if (name == "SHELL")
        return {"bash", "zsh", "fish"};
    if (name == "--for") {
        auto clients = known_clients();
        clients.emplace_back("url");
        return clients;
    }
    auto checked = checked_words(option.get_type_name());
    return checked.empty() ? words_of_key(name) : checked;
}

option_words words_of(const CLI::Option& option) {
    option_words out;
    out.positional = option.get_positional();
    if (out.positional) {
        out.names.push_back(option.get_name(true));
    } else {
        for (const auto& n : option.get_snames())
            out.names.push_back("-" + n);
        for (const auto& n : option.get_lnames())
            out.names.push_back("--" + n);
    }
    out.meaning = option.get_description();
    out.takes_value = option.get_items_expected_max() > 0;
    out.required = option.get_required();
    out.values = values_of(option, out.names.back());
    return out;
}

void add_verbs(const CLI::App& app, const std::string& before, std::vector<verb_words>& out) {
    for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (verb->get_group().empty())
            continue;
        verb_words one{before + verb->get_name(), verb->get_description(), {}};
        for (const auto* option : verb->get_options([](const CLI::Option*) { return true; }))
            if (!option->get_group().empty())
                one.options.push_back(words_of(*option));
        const bool has_own = !verb->get_subcommands([](const CLI::App*) { return true; }).empty();
        if (!has_own)
            out.push_back(std::move(one));
        add_verbs(*verb, before + verb->get_name() + " ", out);
    }
}

std::string synopsis(const verb_words& verb) {
    const auto out = ".TP\n.B mcp\\-reauth " + roff(verb.name) + "\n";
    std::string line;
    for (const auto& o : verb.options)
        if (o.positional)
            line += (line.empty() ? "" : " ") + (o.required ? o.names.front() : "[" + o.names.front() + "]");
    return line.empty() ? out : out + "\\fI" + roff(line) + "\\fR\n.br\n";
}

std::string option_entry(const option_words& option) {
    std::string names;
    for (const auto& n : option.names)
        names += (names.empty() ? "" : ", ") + roff(n);
    if (option.takes_value && !option.positional)
        names += " \\fIVALUE\\fR";
    return ".TP\n.B " + names + "\n" + roff(option.meaning) + "\n";
}

constexpr auto after = R"(.SH EXIT STATUS
0: done. 1: failed. 2: wrong usage or configuration.
.SH ENVIRONMENT
.TP
.B MCP_REAUTH_CONFIG
the configuration file
.TP
.B MCP_REAUTH_KEY
over the configuration, for every key that holds a single value
.TP
.B HTTPS_PROXY, NO_PROXY
for what leaves for servers and authorization servers
.SH FILES
.TP
.B ./mcp\-reauth.yaml, ~/.config/mcp\-reauth/config.yaml, /etc/mcp\-reauth/config.yaml
the configuration: the first that is there; \fB\-\-config\fR names another
.TP
.B ~/.local/state/mcp\-reauth, /var/lib/mcp\-reauth
vault, its key, and the operator's token
.SH EXAMPLES
.TP
.B mcp\-reauth serve https://mcp.example.com/mcp
one server, without a configuration file
.TP
.B mcp\-reauth stdio https://mcp.example.com/mcp
the same for a client that only starts programs
.TP
.B mcp\-reauth client\-config example \-\-for claude\-code
what to put into a client's configuration
.SH SEE ALSO
.BR mcp\-reauth.yaml (5)
)";

} // namespace

std::vector<verb_words> words_of(const CLI::App& app) {
    std::vector<verb_words> out;
    add_verbs(app, "", out);
    return out;
}

std::string program_manual(const CLI::App& app) {
    std::string out = ".TH MCP\\-REAUTH 1 \"" REAUTH_RELEASED "\" \"mcp\\-reauth " REAUTH_VERSION
                      "\" \"User commands\"\n.ad l\n"
                      ".SH NAME\nmcp\\-reauth \\- authorizing proxy between MCP clients and servers\n"
                      ".SH SYNOPSIS\n.B mcp\\-reauth\n\\fIVERB\\fR [\\fIOPTION\\fR ...]\n.SH DESCRIPTION\n";
    out += roff(app.get_description()) + "\n.SH VERBS\n";
    const auto verbs = words_of(app);
    for (const auto& verb : verbs)
        out += synopsis(verb) + roff(verb.meaning) + "\n";
    for (const auto& verb : verbs) {
        out += ".SH OPTIONS OF " + roff(verb.name) + "\n";
        for (const auto& option : verb.options)
            out += option_entry(option);
    }
    return out + after;
}

} // namespace reauth
