// Found by what it covers; shown as the rule that it equals.
#include "policy/rules/remembered_rule.hpp"

namespace reauth {

const remembered_rule* find_remembered(const remembered_rules& rules, std::string_view principal,
                                       std::string_view upstream, const scope_set& added) {
    if (!rules || added.empty())
        return nullptr;
    for (const auto& r : *rules)
        if (r.principal == principal && r.upstream == upstream && r.scopes.covers(added))
            return &r;
    return nullptr;
}

rule to_rule(const remembered_rule& r) {
    rule out;
    out.name = "remembered " + r.id;
    out.match.upstream = {r.upstream};
    out.match.scopes = r.scopes.tokens();
    if (r.principal != "local")
        out.match.principal = {r.principal};
    out.action = rule_action::silent;
    out.where = "remembered";
    return out;
}

} // namespace reauth
