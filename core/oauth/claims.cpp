// Found by name, or by the way of its dots.
#include "core/oauth/claims.hpp"

#include <algorithm>

namespace reauth {
namespace {

using json = nlohmann::json;

constexpr std::size_t longest_name = 255, most_groups = 1024;

} // namespace

const json* claim_at(const json& claims, std::string_view name) {
    if (const auto found = claims.find(std::string(name)); found != claims.end())
        return &*found;
    const json* at = &claims;
    while (!name.empty()) {
        const auto dot = std::min(name.find('.'), name.size());
        if (!at->is_object())
            return nullptr;
        const auto found = at->find(std::string(name.substr(0, dot)));
        if (found == at->end())
            return nullptr;
        at = &*found;
        name.remove_prefix(std::min(dot + 1, name.size()));
    }
    return at;
}

std::vector<std::string> groups_claimed(const json& claims, const std::string& name) {
    std::vector<std::string> groups;
    const auto* found = name.empty() ? nullptr : claim_at(claims, name);
    const auto take = [&](const json& one) {
        if (one.is_string() && groups.size() < most_groups &&
            one.get_ref<const std::string&>().size() <= longest_name)
            groups.push_back(one.get<std::string>());
    };
    if (found && found->is_array())
        for (const auto& one : *found)
            take(one);
    else if (found)
        take(*found);
    std::sort(groups.begin(), groups.end());
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    return groups;
}

std::string name_claimed(const json& claims, std::string_view name) {
    const auto* found = claim_at(claims, name);
    if (!found || !found->is_string() || found->get_ref<const std::string&>().size() > longest_name)
        return {};
    return found->get<std::string>();
}

} // namespace reauth
