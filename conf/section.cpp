// One mapping's keys: where each value came from, its type, and what no key of ours is.
#include "conf/section.hpp"

#include "conf/values.hpp"
#include "core/text/display_text.hpp"

#include <algorithm>
#include <array>

namespace reauth {

namespace {

std::string in_quotes(std::string_view text) {
    return "'" + clean_text(text, 60) + "'";
}

/// How a flag for that key is written.
std::string flag_name(const std::string& key) {
    constexpr std::array<std::string_view, 5> own{"listen", "approval.listen", "log.level", "log.format",
                                                  "workers"};
    if (std::find(own.begin(), own.end(), key) == own.end())
        return "--set " + key;
    auto name = "--" + key;
    std::replace(name.begin(), name.end(), '.', '-');
    return name;
}

} // namespace

const config_inputs::flag_value* reading::upstream_flag(std::string_view key) const {
    if (flagged.empty() || !key.starts_with(flagged))
        return nullptr;
    const auto found = inputs.upstream_flags.find(std::string(key.substr(flagged.size())));
    return found == inputs.upstream_flags.end() ? nullptr : &found->second;
}

std::map<std::string, config_inputs::flag_value> reading::flagged_below(std::string_view prefix) {
    std::map<std::string, config_inputs::flag_value> out;
    if (flagged.empty() || !prefix.starts_with(flagged))
        return out;
    const auto below = std::string(prefix.substr(flagged.size()));
    const auto& all = inputs.upstream_flags;
    for (auto f = all.lower_bound(below); f != all.end() && f->first.starts_with(below); ++f) {
        out.emplace(f->first.substr(below.size()), f->second);
        used.insert(flagged + f->first);
    }
    return out;
}

section::section(reading& r, const yaml_node* node, std::string path, place at)
    : r_(r), node_(node), path_(std::move(path)), at_(std::move(at)) {
    if (node_ && node_->is != yaml_node::kind::map) {
        if (node_->is != yaml_node::kind::null)
            r_.problems.error(node_->at, (path_.empty() ? "the configuration" : path_) +
                                             " must be a mapping (key: value), not " +
                                             std::string(node_->kind_name()) + ".");
        node_ = nullptr;
    }
    if (!path_.empty())
        r_.places.emplace(path_, at_);
    if (node_)
        for (const auto& [key, value] : node_->entries)
            r_.places.emplace(dotted(key.text), value.is == yaml_node::kind::map ? key.at : value.at);
}

std::string section::dotted(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

place section::where(std::string_view key) const {
    auto found = r_.places.find(dotted(key));
    return found == r_.places.end() ? at_ : found->second;
}

void section::error(std::string_view key, const std::string& message) {
    r_.problems.error(where(key), dotted(key) + " " + message);
}

void section::warning(std::string_view key, const std::string& message) {
    r_.problems.warning(where(key), dotted(key) + " " + message);
}

bool section::present() const {
    if (node_ || r_.describing())
        return true;
    const auto prefix = environment_name(path_) + "_";
    auto e = r_.inputs.environment.lower_bound(prefix);
    if (e != r_.inputs.environment.end() && e->first.starts_with(prefix))
        return true;
    auto f = r_.inputs.flags.lower_bound(path_ + ".");
    return f != r_.inputs.flags.end() && f->first.starts_with(path_ + ".");
}

bool section::has(std::string_view key) {
    known_.emplace_back(key);
    const auto name = dotted(key);
    return r_.describing() || (node_ && node_->find(key)) || r_.inputs.flags.contains(name) ||
           r_.upstream_flag(name) || r_.inputs.environment.contains(environment_name(name));
}

std::optional<scalar> section::override_of(const std::string& key) {
    const auto variable = environment_name(key);
    auto from_environment = r_.environment(variable);
    if (const auto* own = r_.upstream_flag(key)) {
        r_.used.insert(key);
        return scalar{own->text, {0, 0, own->flag}};
    }
    if (auto flag = r_.inputs.flags.find(key); flag != r_.inputs.flags.end()) {
        r_.used.insert(key);
        return scalar{flag->second, {0, 0, flag_name(key)}};
    }
    if (from_environment)
        return scalar{std::move(*from_environment), {0, 0, variable}};
    return {};
}

const yaml_node* section::node(std::string_view key) {
    known_.emplace_back(key);
    return node_ ? node_->find(key) : nullptr;
}

void section::require(std::string_view key, const std::string& why) {
    if (!has(key))
        error(key, "is missing: " + why);
    if (r_.keys)
        r_.keys->require(dotted(key));
}

std::optional<scalar> section::value(std::string_view key, key_shape shape, std::string fallback) {
    r_.note(dotted(key), std::move(shape), std::move(fallback));
    const auto* n = node(key);
    if (auto over = override_of(dotted(key))) {
        r_.places[dotted(key)] = over->at;
        r_.give(dotted(key), over->text, over->at);
        return over;
    }
    if (!n)
        return {};
    if (n->is == yaml_node::kind::null) {
        error(key, "has no value; give one or remove the key.");
        return {};
    }
    if (n->is != yaml_node::kind::scalar) {
        error(key, "must be a single value, not " + std::string(n->kind_name()) + ".");
        return {};
    }
    r_.give(dotted(key), n->text, n->at);
    return scalar{n->text, n->at};
}

void section::text(std::string_view key, std::string& out) {
    if (auto v = value(key, {key_kind::text}, out)) {
        if (v->text.empty())
            error(key, "is empty; give a value or remove the key.");
        out = v->text;
    }
}

void section::boolean(std::string_view key, bool& out) {
    auto v = value(key, {key_kind::boolean}, out ? "true" : "false");
    if (!v)
        return;
    if (v->text == "true" || v->text == "yes")
        out = true;
    else if (v->text == "false" || v->text == "no")
        out = false;
    else
        error(key, "must be true or false, not " + in_quotes(v->text) + ".");
}

void section::duration(std::string_view key, milliseconds& out, milliseconds least) {
    auto v =
        value(key, {key_kind::duration, {}, static_cast<std::uint64_t>(least.count())}, duration_text(out));
    if (!v)
        return;
    const auto parsed = parse_duration(v->text);
    if (!parsed)
        error(key, "must be a duration like 250ms, 60s, 15m or 2h, not " + in_quotes(v->text) + ".");
    else if (*parsed < least)
        error(key, "must be at least " + std::to_string(least.count()) + "ms.");
    else
        out = *parsed;
}

void section::size(std::string_view key, std::uint64_t& out, std::uint64_t least) {
    auto v = value(key, {key_kind::size, {}, least}, size_text(out));
    if (!v)
        return;
    const auto parsed = parse_size(v->text);
    if (!parsed)
        error(key, "must be a size like 4MiB, 64KiB or 1048576, not " + in_quotes(v->text) + ".");
    else if (*parsed < least)
        error(key, "must be at least " + std::to_string(least) + " bytes.");
    else
        out = *parsed;
}

void section::number(std::string_view key, unsigned& out, unsigned least, unsigned most) {
    auto v = value(key, {key_kind::number, {}, least, most}, std::to_string(out));
    if (!v)
        return;
    const auto parsed = parse_number(v->text, most);
    if (!parsed || *parsed < least)
        error(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                       ", not " + in_quotes(v->text) + ".");
    else
        out = static_cast<unsigned>(*parsed);
}

void section::count(std::string_view key, unsigned& out, std::string_view word, unsigned most) {
    auto v = value(key, {key_kind::count, {std::string(word)}, 1, most},
                   out ? std::to_string(out) : std::string(word));
    if (!v)
        return;
    const auto parsed = parse_number(v->text, most);
    if (v->text == word)
        out = 0;
    else if (parsed && *parsed > 0)
        out = static_cast<unsigned>(*parsed);
    else
        error(key, "must be " + std::string(word) + " or a number from 1 to " + std::to_string(most) + ".");
}

std::optional<endpoint_config> section::endpoint(std::string_view key, const std::string& fallback) {
    auto v = value(key, {key_kind::endpoint}, fallback);
    if (!v)
        return {};
    auto parsed = parse_endpoint(v->text);
    if (!parsed) {
        error(key, "is not an address to listen on: " + parsed.error().message + " (it is " +
                       in_quotes(v->text) + ").");
        return {};
    }
    return *parsed;
}

std::optional<std::size_t> section::choose(std::string_view key, const std::vector<std::string>& words,
                                           const std::vector<std::string>& shown, std::string fallback) {
    auto v = value(key, {key_kind::choice, shown}, std::move(fallback));
    if (!v)
        return {};
    const auto found = std::find(words.begin(), words.end(), v->text);
    if (found != words.end())
        return static_cast<std::size_t>(found - words.begin());
    error(key,
          "must be " + one_of(shown) + ", not " + in_quotes(v->text) + did_you_mean(v->text, shown) + ".");
    return {};
}

void section::finish() {
    if (!node_)
        return;
    std::sort(known_.begin(), known_.end());
    for (const auto& [key, unused] : node_->entries)
        if (!std::binary_search(known_.begin(), known_.end(), key.text))
            r_.problems.error(
                key.at, "unknown key " + in_quotes(key.text) + (path_.empty() ? "" : " in " + path_) +
                            did_you_mean(key.text, known_) + "; known are " +
                            [&] {
                                auto names = known_;
                                names.erase(std::unique(names.begin(), names.end()), names.end());
                                return one_of(names);
                            }() +
                            ".");
}

} // namespace reauth
