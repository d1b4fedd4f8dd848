// The keys as a tree, and JSON Schema 2020-12 of it.
#include "conf/schema.hpp"

#include "conf/key_words.hpp"
#include "conf/readers.hpp"
#include "conf/values.hpp"
#include "core/json/json_reader.hpp"

#include <algorithm>

namespace reauth {

namespace {

using json = nlohmann::ordered_json;

/// One key with those below it.
struct key_tree {
    std::string name;
    const key_note* note = nullptr; ///< null: an entry of a list or of names
    std::vector<key_tree> below = {};

    key_tree& child(std::string_view wanted) {
        for (auto& b : below)
            if (b.name == wanted)
                return b;
        return below.emplace_back(key_tree{std::string(wanted)});
    }
};

/// "policy[].match" is policy, [] and match.
std::vector<std::string> parts_of(std::string_view key) {
    std::vector<std::string> out;
    while (!key.empty()) {
        const auto end = std::min(key.find('.'), key.size());
        auto part = key.substr(0, end);
        const bool entries = part.ends_with("[]");
        out.emplace_back(entries ? part.substr(0, part.size() - 2) : part);
        if (entries)
            out.emplace_back("[]");
        key.remove_prefix(std::min(end + 1, key.size()));
    }
    return out;
}

key_tree tree_of(const std::vector<key_note>& notes) {
    key_tree root;
    for (const auto& note : notes) {
        auto* at = &root;
        for (const auto& part : parts_of(note.key))
            at = &at->child(part);
        at->note = &note;
    }
    return root;
}

constexpr auto number_like = R"(^[0-9]+$)";

json numbers(const key_shape& s) {
    json out{{"type", "integer"}};
    if (s.least)
        out["minimum"] = *s.least;
    if (s.most)
        out["maximum"] = *s.most;
    return out;
}

json text() {
    return {{"type", {"string", "number"}}};
}

json one_or_list(json item) {
    return {{"anyOf", {item, {{"type", {"array", "null"}}, {"items", item}}}}};
}

json schema_of(const key_tree& tree);

json mapping_of(const key_tree& tree) {
    auto properties = json::object();
    auto required = json::array();
    for (const auto& b : tree.below) {
        properties[b.name] = schema_of(b);
        if (b.note && b.note->required)
            required.push_back(b.name);
    }
    json out{
        {"type", {"object", "null"}}, {"additionalProperties", false}, {"properties", std::move(properties)}};
    if (!required.empty())
        out["required"] = std::move(required);
    return out;
}

json schema_of_kind(const key_tree& tree, const key_shape& s) {
    switch (s.kind) {
    case key_kind::text:
    case key_kind::path:
        return text();
    case key_kind::endpoint:
        return {{"type", "string"}, {"pattern", "^(unix:/.+|.+:[0-9]{1,5})$"}};
    case key_kind::boolean:
        return {{"enum", {true, false, "yes", "no", "true", "false"}}};
    case key_kind::duration:
        return {{"type", "string"}, {"pattern", "^[0-9]+ *(ms|s|m|h|d)$"}};
    case key_kind::size:
        return {{"anyOf", {numbers(s), {{"type", "string"}, {"pattern", "^[0-9]+ *(B|[KMG]iB|[kKMG]B)?$"}}}}};
    case key_kind::number:
        return {{"anyOf", {numbers(s), {{"type", "string"}, {"pattern", number_like}}}}};
    case key_kind::count:
        return {{"anyOf", {{{"enum", s.words}}, numbers(s)}}};
    case key_kind::choice:
        return {{"enum", s.words}};
    case key_kind::list:
        return one_or_list(s.words.empty() ? text() : json{{"enum", s.words}});
    case key_kind::numbers:
        return one_or_list(numbers(s));
    case key_kind::secret:
        return {{"$ref", "#/$defs/secret"}};
    case key_kind::pairs:
        return {{"type", {"object", "null"}},
                {"additionalProperties", {{"anyOf", {text(), {{"$ref", "#/$defs/secret"}}}}}}};
    case key_kind::mapping:
        return mapping_of(tree);
    case key_kind::named:
        return {{"type", {"object", "null"}},
                {"propertyNames", {{"pattern", "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}}},
                {"additionalProperties", mapping_of(tree.below.front())}};
    case key_kind::sequence:
        return {{"type", {"array", "null"}}, {"items", mapping_of(tree.below.front())}};
    case key_kind::one_or_more: {
        auto entry = mapping_of(tree.below.front());
        return {{"anyOf", {entry, {{"type", "array"}, {"minItems", 1}, {"items", entry}}}}};
    }
    }
    return json::object();
}

/// A scalar of YAML as JSON has it.
json as_value(const std::string& yaml, key_kind kind) {
    if (kind == key_kind::boolean)
        return yaml == "true";
    const auto number = parse_number(yaml, 1ull << 40);
    if (number && kind != key_kind::text)
        return *number;
    return yaml;
}

json schema_of(const key_tree& tree) {
    const auto& note = *tree.note;
    const auto words = words_of(note.key);
    auto out = schema_of_kind(tree, note.shape);
    auto meaning = whole_meaning(words);
    if (!words.otherwise.empty())
        meaning += " Default: " + std::string(words.otherwise) + ".";
    out["description"] = std::move(meaning);
    if (words.otherwise.empty() && !note.fallback.empty() && !note.required)
        out["default"] = as_value(note.fallback, note.shape.kind);
    if (!words.replaced_by.empty())
        out["deprecated"] = true;
    return out;
}

} // namespace

std::vector<key_note> known_keys() {
    key_log log(true);
    config_inputs nothing;
    nothing.keys = &log;
    problem_log ignored("");
    reading r{ignored, nothing, {}, {}, {}, {}};
    config defaults;
    read_config(section(r, nullptr, {}, {}), r, defaults);
    return log.all();
}

std::string configuration_json_schema() {
    const auto notes = known_keys();
    json out{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
             {"title", "mcp-reauth.yaml"},
             {"description",
              "The configuration of mcp-reauth. Made by `mcp-reauth schema`; `mcp-reauth check` "
              "knows more: what fits what."}};
    out.update(mapping_of(tree_of(notes)));
    const auto source = [](const char* name, const char* what) {
        return json{{"type", "object"},
                    {"required", {name}},
                    {"additionalProperties", false},
                    {"properties", {{name, {{"type", {"string", "number"}}, {"description", what}}}}}};
    };
    out["$defs"] = {
        {"secret",
         {{"anyOf",
           {source("env", "The environment variable that holds it."),
            source("file",
                   "The file that holds it; a relative path begins at the configuration's directory."),
            {{"type", {"string", "number"}}, {"description", "The secret itself: warned about."}}}}}}};
    return json_text(out, 2) + "\n";
}

} // namespace reauth
