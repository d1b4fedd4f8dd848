// What one mapping's keys hold beside single values: lists, mappings, lists of mappings.
#include "conf/section.hpp"

#include "core/text/display_text.hpp"

namespace reauth {

namespace {

constexpr std::string_view hidden = "…";

std::string shown_list(const std::vector<scalar>& items, bool hides) {
    std::string out = "[";
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (hides && i > 0)
            return out + ", " + std::string(hidden) + "]";
        out += (i == 0 ? "" : ", ") + items[i].text;
    }
    return out + "]";
}

} // namespace

std::vector<scalar> section::texts(std::string_view key, key_shape shape) {
    std::vector<scalar> out;
    const bool hides = shape.hides;
    r_.note(dotted(key), std::move(shape), {});
    const auto* n = node(key);
    if (auto over = override_of(dotted(key))) {
        r_.places[dotted(key)] = over->at;
        r_.give(dotted(key), hides ? std::string(hidden) : over->text, over->at);
        out.push_back(std::move(*over));
        return out;
    }
    if (!n || n->is == yaml_node::kind::null)
        return out;
    if (n->is == yaml_node::kind::scalar)
        out.push_back({n->text, n->at});
    else if (n->is == yaml_node::kind::map)
        error(key, "must be a list or a single value, not a mapping.");
    for (const auto& item : n->items) {
        if (item.is == yaml_node::kind::scalar && !item.text.empty())
            out.push_back({item.text, item.at});
        else
            r_.problems.error(item.at, dotted(key) + ": each element must be a single value, not " +
                                           std::string(item.kind_name()) + ".");
    }
    if (!out.empty())
        r_.give(dotted(key), shown_list(out, hides), n->at);
    return out;
}

std::vector<section> section::sequence(std::string_view key, key_kind kind) {
    r_.note(dotted(key), {kind}, {});
    std::vector<section> out;
    if (r_.describing()) {
        out.emplace_back(r_, nullptr, dotted(key) + "[]", at_);
        return out;
    }
    const auto* n = node(key);
    if (!n || n->is == yaml_node::kind::null)
        return out;
    if (kind == key_kind::one_or_more && n->is != yaml_node::kind::list) {
        out.emplace_back(r_, n, dotted(key), where(key));
        return out;
    }
    if (n->is != yaml_node::kind::list)
        error(key, "must be a list (- {…}), not " + std::string(n->kind_name()) + ".");
    for (const auto& item : n->items)
        out.emplace_back(r_, &item, dotted(key) + "[" + std::to_string(out.size()) + "]", item.at);
    return out;
}

section section::sub(std::string_view key) {
    r_.note(dotted(key), {key_kind::mapping}, {});
    const auto* n = node(key);
    return section(r_, n, dotted(key), n ? where(key) : at_);
}

std::vector<std::pair<std::string, section>> section::named(std::string_view key) {
    r_.note(dotted(key), {key_kind::named}, {});
    std::vector<std::pair<std::string, section>> out;
    if (r_.describing())
        out.emplace_back("NAME", section(r_, nullptr, dotted(key) + ".NAME", at_));
    const auto* n = node(key);
    if (!n)
        return out;
    const section all(r_, n, dotted(key), where(key));
    if (n->is == yaml_node::kind::map)
        for (const auto& [name, child] : n->entries)
            out.emplace_back(name.text, section(r_, &child, all.dotted(name.text), name.at));
    return out;
}

} // namespace reauth
