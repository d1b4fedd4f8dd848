// docs/configuration.md and mcp-reauth.yaml(5), from the same rows.
#include "conf/schema.hpp"

#include "conf/key_words.hpp"
#include "conf/roff.hpp"
#include "conf/values.hpp"

#include <algorithm>
#include <functional>

namespace reauth {

namespace {

constexpr std::string_view opening =
    "One YAML file. `mcp-reauth` takes the one that `--config` names, else `$MCP_REAUTH_CONFIG`, else "
    "`./mcp-reauth.yaml`, "
    "else `~/.config/mcp-reauth/config.yaml`, else `/etc/mcp-reauth/config.yaml`. A flag beats an "
    "environment variable, which beats the file: "
    "every key that "
    "holds a single value is also `--set KEY=VALUE` and `MCP_REAUTH_KEY`, in capitals, with `_` for every "
    "other character "
    "(`approval.listen`: `MCP_REAUTH_APPROVAL_LISTEN`). A key that does not exist is an error that names its "
    "line and the "
    "nearest one. `mcp-reauth check` validates the file and prints what it comes to; `mcp-reauth check "
    "--all` prints every key in "
    "effect, and where its value is from. SIGHUP reads it again; nothing is applied of a file that is wrong.";
constexpr std::string_view values =
    "A duration is a whole number with its unit: `250ms`, `60s`, `15m`, `2h`, `7d`. A size is in bytes, "
    "or `64KiB`, `4MiB`, "
    "`1GiB`. A secret is `{env: NAME}`, `{file: PATH}`, or the text itself, which is warned about. A "
    "relative path begins at the "
    "file's directory, `~` is your home. A list of one may stand without brackets.";
constexpr std::string_view outbound = "`HTTPS_PROXY` and `NO_PROXY` (either case) are honoured for what "
                                      "leaves for servers and authorization servers.";

std::string listed(const std::vector<std::string>& words, const std::string& mark) {
    std::string out;
    for (const auto& word : words)
        out += (out.empty() ? "" : ", ") + mark + word + mark;
    return out;
}

std::string bounds(const key_shape& s, const std::function<std::string(std::uint64_t)>& shown) {
    std::string out;
    if (s.least && *s.least > 0)
        out += " from " + shown(*s.least);
    if (s.most)
        out += " to " + shown(*s.most);
    return out;
}

/// "duration from 10s", "`auto`, `never`", with a mark around what is written as it stands.
std::string type_of(const key_shape& s, const std::string& mark) {
    const auto plain = [](std::uint64_t n) { return std::to_string(n); };
    switch (s.kind) {
    case key_kind::text:
        return "text";
    case key_kind::boolean:
        return mark + "true" + mark + ", " + mark + "false" + mark;
    case key_kind::duration:
        return "duration" + bounds(s, [](std::uint64_t n) {
                   return duration_text(milliseconds(static_cast<milliseconds::rep>(n)));
               });
    case key_kind::size:
        return "size" + bounds(s, size_text);
    case key_kind::number:
        return "number" + bounds(s, plain);
    case key_kind::count:
        return listed(s.words, mark) + ", or a number" + bounds(s, plain);
    case key_kind::path:
        return "path";
    case key_kind::endpoint:
        return "address";
    case key_kind::choice:
        return listed(s.words, mark);
    case key_kind::list:
        return s.words.empty() ? "list" : "list of " + listed(s.words, mark);
    case key_kind::numbers:
        return "list of numbers" + bounds(s, plain);
    case key_kind::secret:
        return "secret";
    case key_kind::pairs:
        return "names with values";
    case key_kind::mapping:
        return "keys";
    case key_kind::named:
        return "names with keys";
    case key_kind::sequence:
        return "list of keys";
    case key_kind::one_or_more:
        return "keys, or a list of them";
    }
    return {};
}

std::string default_of(const key_note& note, const key_words& words, const std::string& mark) {
    if (!words.otherwise.empty())
        return std::string(words.otherwise);
    if (note.required)
        return "required";
    return note.fallback.empty() ? std::string() : mark + note.fallback + mark;
}

std::string top_of(const std::string& key) {
    return key.substr(0, key.find_first_of(".["));
}

std::string in_table(std::string_view text) {
    std::string out;
    for (const char c : text)
        out += c == '|' ? std::string("\\|") : std::string(1, c);
    return out;
}

} // namespace

std::string configuration_markdown() {
    std::string out =
        "# The configuration\n\nMade by `mcp-reauth schema --markdown`; for editors: `mcp-reauth schema` "
        "([conf/mcp-reauth.schema.json](../conf/mcp-reauth.schema.json)).\n\n";
    out += std::string(opening) + "\n\n" + std::string(values) + "\n\n" + std::string(outbound) + "\n";
    std::string top;
    for (const auto& note : known_keys()) {
        const auto words = words_of(note.key);
        if (top_of(note.key) != top) {
            top = top_of(note.key);
            out += "\n## " + top + "\n\n| key | holds | default | meaning |\n|---|---|---|---|\n";
        }
        auto meaning = whole_meaning(words);
        const bool single = note.shape.kind < key_kind::mapping;
        if (!words.example.empty() && single)
            meaning += " E.g. `" + std::string(words.example) + "`.";
        out += "| `" + note.key + "` | " + in_table(type_of(note.shape, "`")) + " | " +
               in_table(default_of(note, words, "`")) + " | " + in_table(meaning) + " |\n";
    }
    return out + "\nAll of these are there since version 0.1, where nothing else is said.\n";
}

std::string configuration_manual() {
    std::string out = ".TH MCP\\-REAUTH.YAML 5 \"" REAUTH_RELEASED "\" \"mcp\\-reauth " REAUTH_VERSION
                      "\" \"File formats\"\n.ad l\n"
                      ".SH NAME\nmcp\\-reauth.yaml \\- configuration of mcp\\-reauth\n.SH DESCRIPTION\n";
    out += roff(opening) + "\n.PP\n" + roff(values) + "\n.PP\n" + roff(outbound) + "\n.SH KEYS\n";
    for (const auto& note : known_keys()) {
        const auto words = words_of(note.key);
        const auto fallback = default_of(note, words, "`");
        out += ".TP\n.B " + roff(note.key) + "\n" + roff(whole_meaning(words)) + " (" +
               roff(type_of(note.shape, "`")) +
               (fallback.empty()         ? ""
                : fallback == "required" ? "; required"
                                         : "; default: " + roff(fallback)) +
               ")\n";
        if (!words.example.empty() && note.shape.kind < key_kind::mapping)
            out += ".br\nExample: \\fB" +
                   roff(top_of(note.key) == note.key ? note.key + ": " : std::string()) +
                   roff(words.example) + "\\fR\n";
    }
    return out +
           ".SH FILES\n.TP\n.B ./mcp\\-reauth.yaml\n.TP\n.B ~/.config/mcp\\-reauth/config.yaml\n.TP\n"
           ".B /etc/mcp\\-reauth/config.yaml\nof the system service\n.SH SEE ALSO\n.BR mcp\\-reauth (1)\n";
}

} // namespace reauth
