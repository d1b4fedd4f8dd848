// yaml-cpp's events made into a tree with places; what YAML allows and we do not is refused here.
#include "conf/yaml_tree.hpp"

#include "core/text/display_text.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <unordered_set>

namespace reauth {

namespace {

constexpr std::size_t max_bytes = 1 << 20;
constexpr std::size_t max_depth = 32;

place place_of(const YAML::Mark& mark) {
    if (mark.is_null())
        return {};
    return {static_cast<unsigned>(mark.line) + 1, static_cast<unsigned>(mark.column) + 1, {}};
}

/// The line of that mark, without its end.
std::string_view line_of(std::string_view text, const YAML::Mark& mark) {
    for (int i = 0; i < mark.line && !text.empty(); ++i)
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    return text.substr(0, text.find('\n'));
}

/// The first line at or before the mark that is indented with a tab: what yaml-cpp stumbles over may come
/// later.
std::optional<unsigned> tab_before(std::string_view text, const YAML::Mark& mark) {
    unsigned number = 0;
    while (!text.empty() && static_cast<int>(number) <= mark.line) {
        ++number;
        const auto line = text.substr(0, text.find('\n'));
        if (line.substr(0, line.find_first_not_of(" \t")).find('\t') != line.npos &&
            line.find_first_not_of(" \t\r") != line.npos)
            return number;
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return std::nullopt;
}

/// yaml-cpp's message in words that say what to change, without what it quotes from the text: that may be a
/// secret (`secret: *hunter2`).
std::string grammar_message(std::string_view message, std::string_view line) {
    if (message.starts_with("the referenced anchor"))
        return "'*' begins an alias here; put the value into quotes if it is meant literally.";
    if (message.starts_with("end of map not found") || message.starts_with("illegal map value") ||
        message.starts_with("end of sequence not found") || message.starts_with("bad indentation")) {
        const bool two_colons = message.starts_with("illegal map value") && line.find(": ") != line.npos;
        return two_colons && line.find(": ") != line.rfind(": ")
                   ? "a second ': ' on this line; put the value into quotes if it belongs to it."
                   : "the indentation of this line does not fit: keys of one mapping begin in the same "
                     "column.";
    }
    return clean_text(message.substr(0, message.find(':'))) + ".";
}

/// Thrown through yaml-cpp to stop at what cannot be read further.
struct unreadable : std::runtime_error {
    unreadable(place where, const std::string& what) : std::runtime_error(what), at(std::move(where)) {}
    place at;
};

/// Builds the tree from parse events: unlike yaml-cpp's own nodes, they show duplicate keys and aliases.
class builder : public YAML::EventHandler {
public:
    explicit builder(problem_log& problems) : problems_(problems) {}
    yaml_node root;

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        check(mark, "", anchor);
        yaml_node n;
        n.at = place_of(mark);
        value(std::move(n));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw unreadable(place_of(mark), "aliases (*name) are not supported; write the value out.");
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        check(mark, tag, anchor);
        yaml_node n;
        n.is = yaml_node::kind::scalar;
        n.at = place_of(mark);
        n.text = text;
        n.quoted = tag == "!";
        value(std::move(n));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        start(mark, tag, anchor, yaml_node::kind::list);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        start(mark, tag, anchor, yaml_node::kind::map);
    }
    void OnMapEnd() override { end(); }

private:
    struct level {
        yaml_node node;
        bool has_key = false;
        yaml_key key;
        std::unordered_set<std::string> seen;
    };

    void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) const {
        if (anchor != 0)
            throw unreadable(place_of(mark), "anchors (&name) are not supported; write the value out.");
        if (!tag.empty() && tag != "?" && tag != "!")
            throw unreadable(place_of(mark), "tags (!name) are not supported; write the plain value.");
    }

    void start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, yaml_node::kind kind) {
        check(mark, tag, anchor);
        if (levels_.size() >= max_depth)
            throw unreadable(place_of(mark), "nested too deeply.");
        if (!levels_.empty() && levels_.back().node.is == yaml_node::kind::map && !levels_.back().has_key)
            throw unreadable(place_of(mark), "a key must be a plain word, not a list or mapping.");
        level l;
        l.node.is = kind;
        l.node.at = place_of(mark);
        levels_.push_back(std::move(l));
    }

    void end() {
        auto done = std::move(levels_.back().node);
        levels_.pop_back();
        value(std::move(done));
    }

    void value(yaml_node n) {
        if (levels_.empty()) {
            root = std::move(n);
            return;
        }
        auto& top = levels_.back();
        if (top.node.is == yaml_node::kind::list) {
            top.node.items.push_back(std::move(n));
        } else if (!top.has_key) {
            if (n.is != yaml_node::kind::scalar)
                throw unreadable(n.at, "a key must be a plain word.");
            top.key = {std::move(n.text), n.at};
            top.has_key = true;
        } else {
            top.has_key = false;
            if (!top.seen.insert(top.key.text).second) {
                problems_.error(top.key.at, "the key '" + clean_text(top.key.text, 60) +
                                                "' is here twice; remove one of them.");
                return;
            }
            top.node.entries.push_back({std::move(top.key), std::move(n)});
        }
    }

    problem_log& problems_;
    std::vector<level> levels_;
};

} // namespace

const yaml_node* yaml_node::find(std::string_view key) const noexcept {
    auto at_key =
        std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.key.text == key; });
    return at_key == entries.end() ? nullptr : &at_key->value;
}

std::string_view yaml_node::kind_name() const noexcept {
    switch (is) {
    case kind::map:
        return "a mapping";
    case kind::list:
        return "a list";
    case kind::scalar:
        return "a single value";
    case kind::null:
        break;
    }
    return "nothing";
}

yaml_node parse_yaml(std::string_view text, problem_log& problems) {
    if (text.size() > max_bytes) {
        problems.error({}, "the file is larger than 1 MiB.");
        return {};
    }
    if (text.find('\0') != text.npos) {
        problems.error({}, "this is not a text file: it holds NUL bytes.");
        return {};
    }
    builder build(problems);
    try {
        std::istringstream in{std::string(text)};
        YAML::Parser parser(in);
        parser.HandleNextDocument(build);
        builder rest(problems);
        if (parser.HandleNextDocument(rest) && rest.root.is != yaml_node::kind::null)
            problems.error(rest.root.at, "a second document ('---') is not read; put everything into one.");
    } catch (const unreadable& u) {
        problems.error(u.at, u.what());
    } catch (const YAML::Exception& e) {
        const auto tab = e.mark.is_null() ? std::nullopt : tab_before(text, e.mark);
        if (tab)
            problems.error({*tab, 1, {}}, "this line is indented with a tab; YAML wants spaces.");
        else
            problems.error(place_of(e.mark),
                           "this is not YAML: " + grammar_message(e.msg, line_of(text, e.mark)));
    }
    return std::move(build.root);
}

} // namespace reauth
