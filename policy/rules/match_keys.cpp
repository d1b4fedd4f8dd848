// The table of match keys and how each is judged.
#include "policy/rules/match_keys.hpp"

#include <algorithm>
#include <iterator>

namespace reauth {
namespace {

bool any_glob(const std::vector<std::string>& globs, std::string_view text) {
    return std::any_of(globs.begin(), globs.end(), [&](const auto& g) { return glob_match(g, text); });
}

/// A key over one text.
template<std::vector<std::string> rule_match::* Wanted, std::string_view (*Value)(const match_subject&)>
bool text_matches(const rule& r, const match_subject& subject, std::string&) {
    return any_glob(r.match.*Wanted, Value(subject));
}

/// An account is meant by its upstream's name, too.
bool upstream_matches(const rule& r, const match_subject& s, std::string&) {
    return std::any_of(r.match.upstream.begin(), r.match.upstream.end(),
                       [&](const auto& glob) { return names_upstream(glob, s.where.upstream); });
}
std::string_view principal_of(const match_subject& s) {
    return s.where.principal;
}
std::string_view method_of(const match_subject& s) {
    return s.what.method;
}
std::string_view tool_of(const match_subject& s) {
    return s.what.tool;
}
std::string_view reason_of(const match_subject& s) {
    return s.challenge ? to_string(s.challenge->reason) : std::string_view();
}
std::string_view grant_of(const match_subject& s) {
    return s.challenge ? to_string(s.challenge->grant) : std::string_view();
}

/// Of one who is in no group no group is named.
bool groups_match(const rule& r, const match_subject& subject, std::string&) {
    const auto& groups = subject.where.groups;
    return std::any_of(groups.begin(), groups.end(),
                       [&](const auto& group) { return any_glob(r.match.group, group); });
}

/// `silent` lets through only what is named in full; every other action is about any scope that is named.
bool scopes_match(const rule& r, const match_subject& subject, std::string& because) {
    if (!subject.challenge)
        return false;
    const auto& added = subject.challenge->added;
    const auto named = [&](const std::string& scope) { return any_glob(r.match.scopes, scope); };
    if (r.action == rule_action::silent) {
        if (added.empty() || !std::all_of(added.begin(), added.end(), named))
            return false;
        because = "every added scope (" + added.to_string() + ") is named by it";
        return true;
    }
    const auto hit = std::find_if(added.begin(), added.end(), named);
    if (hit == added.end())
        return false;
    because = "it names the added scope " + *hit;
    return true;
}

std::vector<std::string_view> reason_words() {
    using enum challenge_reason;
    return {to_string(unauthorized), to_string(token_expired), to_string(invalid_token),
            to_string(insufficient_scope), to_string(user_authentication)};
}

} // namespace

std::span<const match_key> match_keys() {
    using m = rule_match;
    using enum match_scope;
    static const match_key keys[] = {
        {"upstream", &m::upstream, place, {}, upstream_matches},
        {"reason", &m::reason, challenge, reason_words(), text_matches<&m::reason, reason_of>},
        {"scopes", &m::scopes, challenge, {}, scopes_match},
        {"method", &m::method, match_scope::operation, {}, text_matches<&m::method, method_of>},
        {"tool", &m::tool, match_scope::operation, {}, text_matches<&m::tool, tool_of>},
        {"principal", &m::principal, place, {}, text_matches<&m::principal, principal_of>},
        {"group", &m::group, place, {}, groups_match},
        {"grant", &m::grant, challenge, {}, text_matches<&m::grant, grant_of>},
    };
    static_assert(sizeof(rule_match) == std::size(keys) * sizeof(std::vector<std::string>),
                  "every member of rule_match needs a row");
    return keys;
}

bool names_upstream(std::string_view glob, std::string_view upstream) {
    const auto mark = upstream.find('@');
    return glob_match(glob, upstream) ||
           (mark != upstream.npos && glob_match(glob, upstream.substr(0, mark)));
}

bool names(const rule_match& m, match_scope kind) {
    const auto keys = match_keys();
    return std::any_of(keys.begin(), keys.end(),
                       [&](const match_key& k) { return k.of == kind && !(m.*k.wanted).empty(); });
}

bool matches_everything(const rule_match& m) {
    return !names(m, match_scope::place) && !names(m, match_scope::operation) &&
           !names(m, match_scope::challenge);
}

bool matches(const rule& r, const match_subject& subject, std::initializer_list<match_scope> kinds,
             std::string& because) {
    for (const auto& key : match_keys()) {
        if ((r.match.*key.wanted).empty() || std::find(kinds.begin(), kinds.end(), key.of) == kinds.end())
            continue;
        if (!key.matches(r, subject, because))
            return false;
    }
    return true;
}

} // namespace reauth
