// The part of reading that looks beyond the file: environment, paths, secrets.
#include "conf/section.hpp"

#include "conf/regular_file.hpp"
#include "conf/values.hpp"
#include "core/oauth/token.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <unistd.h>

namespace reauth {

namespace {

std::string errno_words(int error) {
    return std::generic_category().message(error);
}

/// `{env: NAME}` or `{file: PATH}` in a flag or a variable means what it means in the file. A key set of more
/// members (a JWK) is the secret itself.
std::optional<yaml_node> source_in(const scalar& given) {
    if (!trim_space(given.text).starts_with('{'))
        return {};
    problem_log ignored("");
    auto tree = parse_yaml(given.text, ignored);
    if (ignored.failed() || tree.is != yaml_node::kind::map || tree.entries.size() != 1)
        return {};
    auto& [key, value] = tree.entries.front();
    tree.at = key.at = value.at = given.at;
    return tree;
}

} // namespace

namespace {

/// Where a secret comes from, never what it is.
std::string shown_source(const secret_source& source) {
    switch (source.from) {
    case secret_source::kind::env:
        return "{env: " + source.name + "}";
    case secret_source::kind::file:
        return "{file: " + source.name + "}";
    case secret_source::kind::literal:
        return "(a literal)";
    case secret_source::kind::none:
        break;
    }
    return {};
}

} // namespace

place reading::where(std::string key) const {
    for (;;) {
        if (auto found = places.find(key); found != places.end())
            return found->second;
        const auto dot = key.rfind('.');
        if (dot == key.npos)
            return {};
        key.resize(dot);
    }
}

std::optional<std::string> reading::environment(const std::string& name) {
    auto found = inputs.environment.find(name);
    if (found == inputs.environment.end())
        return {};
    used.insert(name);
    return found->second;
}

std::string reading::absolute(std::string_view path, const place& at) const {
    namespace fs = std::filesystem;
    if (path == "~" || path.starts_with("~/")) {
        auto home = inputs.environment.find("HOME");
        if (home != inputs.environment.end() && !home->second.empty())
            return home->second + std::string(path.substr(1));
    }
    fs::path p{std::string(path)};
    if (p.is_relative() && at.origin.empty() && !directory.empty())
        p = fs::path(directory) / p;
    std::error_code failed;
    auto whole = fs::absolute(p, failed);
    return (failed ? p : whole).lexically_normal().string();
}

std::optional<secret> reading::read_secret_file(const std::string& path, const place& at) {
    const auto file = read_regular_file(path);
    if (!file) {
        problems.error(at, "the file " + path + " " + file.trouble + ".");
        return {};
    }
    secret value(std::string(trim_space(file.text->reveal())));
    if (value.empty()) {
        problems.error(at, "the file " + path + " is empty.");
        return {};
    }
    return value;
}

void section::path(std::string_view key, std::string& out) {
    if (auto v = value(key, {key_kind::path}, out)) {
        if (v->text.empty())
            error(key, "is empty; give a path or remove the key.");
        else
            out = r_.absolute(v->text, v->at);
    }
}

void section::readable_file(std::string_view key, std::string& out) {
    path(key, out);
    if (!out.empty() && r_.inputs.reads(dotted(key)) && ::access(out.c_str(), R_OK) != 0)
        error(key, "names the file " + out + ", which cannot be read: " + errno_words(errno) + ".");
}

secret_source section::secret_value(std::string_view key, secret_file mode) {
    r_.note(dotted(key), {key_kind::secret}, {});
    const auto* n = node(key);
    const auto name = dotted(key);
    if (auto over = override_of(name)) {
        r_.places[name] = over->at;
        r_.give(dotted(key), "(" + over->at.origin + ")", over->at);
        if (over->text.empty())
            r_.problems.error(over->at, name + " is empty.");
        if (const auto source = source_in(*over))
            return read_secret(*source, name, mode);
        return {secret_source::kind::env, over->at.origin, secret(std::move(over->text))};
    }
    if (!n)
        return {};
    auto source = read_secret(*n, name, mode);
    r_.give(dotted(key), shown_source(source), n->at);
    return source;
}

secret_source section::token_value(std::string_view key, secret_file mode) {
    auto out = secret_value(key, mode);
    if (!sendable_token(out.value.reveal()))
        error(key, "holds characters that no token has (RFC 6749, appendix A.12): white space or a control "
                   "character, perhaps of a second line.");
    return out;
}

secret_source section::read_secret(const yaml_node& n, const std::string& key, secret_file mode) {
    constexpr auto shape = "{env: NAME} or {file: PATH}";
    if (n.is == yaml_node::kind::scalar && !n.text.empty()) {
        r_.problems.warning(n.at, key + " is written into the configuration itself; use " + shape + ".");
        return {secret_source::kind::literal, {}, secret(n.text)};
    }
    if (n.is != yaml_node::kind::map || n.entries.size() != 1) {
        r_.problems.error(n.at, key + " must be " + shape + ".");
        return {};
    }
    const auto& [kind, from] = n.entries.front();
    if (from.is != yaml_node::kind::scalar || from.text.empty()) {
        r_.problems.error(from.at, key + " must be " + shape + ".");
        return {};
    }
    const bool unread = !r_.inputs.reads(key);
    if (kind.text == "env")
        r_.secret_variables.push_back(from.text);
    if (kind.text == "env" && unread)
        return {secret_source::kind::env, from.text, {}};
    if (kind.text == "env") {
        auto value = r_.environment(from.text);
        if (!value || value->empty()) {
            r_.problems.error(from.at, key + " refers to the environment variable " +
                                           clean_text(from.text, 60) + ", which is " +
                                           (value ? "empty" : "not set") + ".");
            return {secret_source::kind::env, from.text, {}};
        }
        return {secret_source::kind::env, from.text, secret(*value)};
    }
    if (kind.text == "file") {
        auto path = r_.absolute(from.text, from.at);
        if (mode == secret_file::made_if_missing || unread)
            return {secret_source::kind::file, std::move(path), {}};
        if (mode == secret_file::read_anew && ::access(path.c_str(), F_OK) != 0) {
            r_.problems.warning(from.at, key + " names the file " + path + ", which is not there yet.");
            return {secret_source::kind::file, std::move(path), {}};
        }
        auto value = r_.read_secret_file(path, from.at);
        return {secret_source::kind::file, std::move(path), value ? std::move(*value) : secret{}};
    }
    r_.problems.error(kind.at, key + " must be " + shape + ", not {" + clean_text(kind.text, 20) + ": …}" +
                                   did_you_mean(kind.text, {"env", "file"}) + ".");
    return {};
}

std::vector<std::pair<scalar, std::string>> section::pairs(std::string_view key) {
    r_.note(dotted(key), {key_kind::pairs}, {});
    std::vector<std::pair<scalar, std::string>> out;
    const auto* n = node(key);
    const auto given = r_.flagged_below(dotted(key) + ".");
    for (const auto& [name, value] : given) {
        out.emplace_back(scalar{name, {0, 0, value.flag}}, value.text);
        r_.places[dotted(key)] = out.back().first.at;
    }
    if (!n || n->is == yaml_node::kind::null)
        return out;
    if (n->is != yaml_node::kind::map) {
        error(key, "must be a mapping (name: value), not " + std::string(n->kind_name()) + ".");
        return out;
    }
    for (const auto& [name, value] : n->entries) {
        if (given.contains(name.text))
            continue;
        const auto at = dotted(key) + "." + name.text;
        if (value.is == yaml_node::kind::map)
            out.emplace_back(scalar{name.text, name.at},
                             read_secret(value, at, secret_file::read_now).value.reveal());
        else if (value.is == yaml_node::kind::scalar)
            out.emplace_back(scalar{name.text, name.at}, value.text);
        else
            r_.problems.error(name.at, clean_text(at, 100) + " must be a single value.");
    }
    std::string names;
    for (const auto& [name, value] : out)
        names += (names.empty() ? "" : ", ") + name.text;
    if (!out.empty())
        r_.give(dotted(key), "{" + names + "}", n->at);
    return out;
}

std::vector<std::pair<std::string, std::string>> section::files_of(std::string_view key) {
    std::vector<std::pair<std::string, std::string>> out;
    const auto* n = node(key);
    if (!n || n->is != yaml_node::kind::map)
        return out;
    for (const auto& [name, value] : n->entries)
        if (value.is == yaml_node::kind::map && value.entries.size() == 1)
            if (const auto& [kind, from] = value.entries.front();
                kind.text == "file" && from.is == yaml_node::kind::scalar)
                out.emplace_back(name.text, r_.absolute(from.text, from.at));
    return out;
}

} // namespace reauth
